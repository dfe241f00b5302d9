"""The real transport: httpx2, with its many ways to fail turned into few that a person can use."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import httpcore2
import httpx2

from desktop.common.errors import NetworkError
from desktop.hub.answer import Answer, Bounds, Sink
from desktop.hub.policy import SYSTEM_CERTIFICATES, origin_of

USER_AGENT = "hausgeist"
# 64 kB at once by default, which costs 0.70 s of processor time for 512 MiB; these take 0.29 s.
httpcore2.HTTP11Connection.READ_NUM_BYTES = 512 << 10
# From these on in one answer, and as fast as that, the library's own reading is passed by.
_QUICK_BYTES = 8 << 20
_QUICK_BYTES_PER_S = 80e6
_QUICK_READ_BYTES = 1 << 20
_PROXY_LOGIN = 407
_PORTAL = 511  # "network authentication required", RFC 6585


class HttpTransport:
    """One client for all connections: keeps them open, uses the system's proxies and certificates.

    Proxies: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, or what Windows and macOS are set to.
    Certificates: SSL_CERT_FILE or SSL_CERT_DIR, else the system's own, a company's included.
    """

    def __init__(self, certificates: str = "") -> None:
        """`certificates` as Settings has it: "system" ignores the variables, a file in PEM form
        counts beside the system's own.

        Raises NetworkError: cert_file_unreadable, proxy_unusable.
        """
        verify = certificates_for(certificates)
        try:
            self._client = httpx2.Client(
                verify=verify,
                follow_redirects=False,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                limits=httpx2.Limits(max_connections=16, max_keepalive_connections=8),
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            # SOCKS needs a package of its own, and a proxy's address may be anything.
            raise NetworkError("proxy_unusable", detail=str(error)) from error
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # none

    def send(self, url: str, headers: Mapping[str, str], bounds: Bounds) -> Answer:
        """Kinds: host_unknown, connection_refused, connection_failed, connection_timeout,
        connection_cut, tls_untrusted, tls_failed, proxy_unreachable, proxy_refused,
        proxy_needs_login, portal, answer_too_large, bad_answer."""
        timeout_s = bounds.patience_s
        try:
            with self._client.stream("GET", url, headers=dict(headers), timeout=timeout_s) as found:
                if found.status_code == _PROXY_LOGIN:
                    raise NetworkError("proxy_needs_login", proxy=proxy_of(url) or _host(url))
                if found.status_code == _PORTAL:
                    raise NetworkError("portal", host=_host(url))
                named = {name.lower(): value for name, value in found.headers.items()}
                if bounds.sink is not None and found.status_code < 300:
                    head = Answer(url, found.status_code, named, b"", redirected=bounds.redirected)
                    _pour(found, head, bounds, bounds.sink)
                    return head
                body, is_cut = _read(found, url, bounds)
                return Answer(url, found.status_code, named, body, is_cut)
        except httpx2.HTTPError as error:
            raise network_error(error, url, bounds.waited_s) from error
        except (httpx2.InvalidURL, httpx2.StreamError, UnicodeError) as error:
            raise NetworkError("bad_address", host=url[:80], detail=str(error)) from error

    def close(self) -> None:
        self._client.close()


def _read(found: httpx2.Response, url: str, bounds: Bounds) -> tuple[bytes, bool]:
    """The body, and whether reading stopped early."""
    encoding = found.headers.get("content-encoding", "").lower()
    if encoding not in ("identity", "") and found.status_code < 300:
        raise NetworkError("bad_answer", host=_host(url), detail="compressed, unasked")
    pieces: list[bytes] = []
    for piece in _raw(found, url, bounds):
        pieces.append(piece)
        bounds.received_bytes += len(piece)
        if bounds.enough_bytes is not None and bounds.received_bytes >= bounds.enough_bytes:
            body = b"".join(pieces)
            return body[: bounds.enough_bytes], True
        if bounds.received_bytes > bounds.max_bytes:
            raise NetworkError("answer_too_large", host=_host(url), limit_bytes=bounds.max_bytes)
    return b"".join(pieces), False


def _pour(found: httpx2.Response, head: Answer, bounds: Bounds, sink: Sink) -> None:
    """The body into `sink`, piece by piece."""
    encoding = head.headers.get("content-encoding", "").lower()
    if encoding not in ("identity", ""):
        raise NetworkError("bad_answer", host=_host(head.url), detail="compressed, unasked")
    stream = found.extensions["network_stream"]
    line = stream.get_extra_info("socket")
    sink.opened(lambda: _shut(line))
    sink.begin(head)
    left, began_s, began_at = _length(head), time.monotonic(), bounds.received_bytes
    pieces = found.iter_raw()  # kept in a name: its end would be the connection's
    for piece in pieces:
        bounds.received_bytes += len(piece)
        sink.take(piece)
        left -= len(piece)
        came = bounds.received_bytes - began_at
        if left > _QUICK_BYTES < came > _QUICK_BYTES_PER_S * (time.monotonic() - began_s):
            _pour_quickly(stream, left, head, bounds, sink)
            return


def _length(head: Answer) -> int:
    """Bytes of the body, 0 where they come in chunks or nobody says it."""
    text = head.headers.get("content-length", "")
    if "transfer-encoding" in head.headers or not (text.isascii() and text.isdigit()):
        return 0
    return int(text[:18])


def _pour_quickly(
    stream: httpcore2.NetworkStream, left: int, head: Answer, bounds: Bounds, sink: Sink
) -> None:
    """The `left` bytes of a body past httpcore2, which copies each five times: 1 GiB over loopback
    took 1.1 s of processor time for that alone. What came so far is all that it has read.

    The connection cannot be used again afterwards, which is nothing beside what it brings.
    """
    host = _host(head.url)
    try:
        while left > 0:
            piece = stream.read(min(left, _QUICK_READ_BYTES), timeout=bounds.patience_s)
            if not piece:
                raise NetworkError(
                    "connection_cut", host=host, detail=f"{left} bytes before its end"
                )
            left -= len(piece)
            bounds.received_bytes += len(piece)
            sink.take(piece)
    except httpcore2.TimeoutException as error:
        waited_s = bounds.waited_s
        raise NetworkError("connection_timeout", host=host, timeout_s=waited_s) from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise NetworkError("connection_cut", host=host, detail=str(error)) from error


def _shut(line: socket.socket | None) -> None:
    """End a connection on which another thread waits."""
    if line is not None:
        with contextlib.suppress(OSError):  # it has ended by itself
            # Not a protected socket's own method: the other thread would find it torn down.
            socket.socket.shutdown(line, socket.SHUT_RDWR)


def _raw(found: httpx2.Response, url: str, bounds: Bounds) -> Iterator[bytes]:
    """The body as it comes, until time is up or nobody waits any more."""
    for piece in found.iter_raw():
        if bounds.stopped.is_set() or bounds.left_s <= 0:
            raise NetworkError("connection_timeout", host=_host(url), timeout_s=bounds.waited_s)
        yield piece


def certificates_for(chosen: str) -> ssl.SSLContext:
    """What proves a host's name; `chosen` as Settings has it. Raises cert_file_unreadable."""
    if not chosen and (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        return _given_certificates()
    context = _system_certificates()
    if chosen not in ("", SYSTEM_CERTIFICATES):
        try:
            context.load_verify_locations(cafile=chosen)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise NetworkError("cert_file_unreadable", path=chosen, detail=str(error)) from error
    return context


def _system_certificates() -> ssl.SSLContext:
    if sys.platform in ("win32", "darwin"):
        import truststore  # the system's own store; httpx2 would ask platform.system() first

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.create_ssl_context(trust_env=False)


def _given_certificates() -> ssl.SSLContext:
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if file:
            return ssl.create_default_context(cafile=file)
        return ssl.create_default_context(capath=folder)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise NetworkError(
            "cert_file_unreadable", path=file or folder or "", detail=str(error)
        ) from error


def network_error(error: httpx2.HTTPError, url: str, waited_s: float) -> NetworkError:
    """The library's failure as one of ours."""
    host, proxy, detail = _host(url), proxy_of(url), f"{type(error).__name__}: {error}"
    causes = list(_causes(error))
    if isinstance(error, httpx2.TimeoutException):
        return NetworkError("connection_timeout", host=host, timeout_s=waited_s, detail=detail)
    if isinstance(error, httpx2.ProxyError):
        needs_login = str(_PROXY_LOGIN) in str(error)
        refusal = "proxy_needs_login" if needs_login else "proxy_refused"
        return NetworkError(refusal, proxy=proxy or host, host=host, detail=detail)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NetworkError("tls_untrusted", host=host, detail=str(cause))
        if isinstance(cause, ssl.SSLError):
            return NetworkError("tls_failed", host=host, detail=str(cause))
    if isinstance(error, httpx2.ConnectError):
        if proxy is not None:
            return NetworkError("proxy_unreachable", proxy=proxy, host=host, detail=detail)
        kind = "connection_failed"
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            kind = "host_unknown"
        elif any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            kind = "connection_refused"
        return NetworkError(kind, host=host, detail=detail)
    if isinstance(error, httpx2.NetworkError | httpx2.RemoteProtocolError):
        return NetworkError("connection_cut", host=host, detail=detail)
    return NetworkError("bad_answer", host=host, detail=detail)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def proxy_of(url: str) -> str | None:
    """Host and port of the proxy that a connection to `url` goes through, never its password."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    proxies = urllib.request.getproxies()
    given = proxies.get(parts.scheme) or proxies.get("all")
    if not given:
        return None
    origin = origin_of(given if "://" in given else f"http://{given}")
    return origin.shown if origin else given.rpartition("@")[2][:80]


def _host(url: str) -> str:
    origin = origin_of(url)
    return origin.shown if origin else url[:80]
