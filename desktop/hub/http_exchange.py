"""Carries one exchange over HTTP, on a connection of its own that can be ended at any moment."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any

import httpx2

from desktop.common.errors import NetworkError
from desktop.hub.exchange import Ask, Exchange, Head, Trust
from desktop.hub.http import USER_AGENT, certificates_for, network_error, proxy_of
from desktop.hub.policy import Origin, origin_of

_PROXY_LOGIN = 407
_PORTAL = 511
_WRITE_S = 60.0
_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: who pinned a certificate meant it, expired or not."""


class HttpCarrier:
    """For one server, as it is trusted. Any number of threads may carry at once.

    Redirects are not followed: a body and a key go to the address that was named, and no further.
    """

    def __init__(self, trust: Trust, certificates: str = "") -> None:
        """`certificates` as Settings has it; see hub.http."""
        self._trust = trust
        self._certificates = certificates
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def carry(self, ask: Ask, exchange: Exchange) -> None:
        """Kinds: hub.http's (tls_untrusted aside), server_untrusted, other_certificate,
        cert_file_unreadable."""
        origin = origin_of(ask.url)
        if origin is None:
            raise NetworkError("bad_address", host=ask.url[:80])
        try:
            with self._client(origin, ask) as client:
                self._converse(client, ask, exchange)
        except httpx2.HTTPError as error:
            raise self._named(network_error(error, ask.url, ask.connect_s), ask.host) from error
        except (httpx2.InvalidURL, httpx2.StreamError, UnicodeError) as error:
            raise NetworkError("bad_address", host=ask.host, detail=str(error)) from error

    def _named(self, error: NetworkError, host: str) -> NetworkError:
        """A server's certificate is its user's to judge, unlike the Hub's."""
        if error.kind != "tls_untrusted":
            return error
        if self._trust.certificate:
            return NetworkError("other_certificate", detail=error.detail, host=host)
        return NetworkError("server_untrusted", detail=error.detail, host=host)

    def _client(self, origin: Origin, ask: Ask) -> httpx2.Client:
        # Half the time for each of the addresses that a name may have (IPv6 first, then IPv4).
        timeout = httpx2.Timeout(None, connect=ask.connect_s / 2, write=_WRITE_S)
        try:
            return httpx2.Client(
                verify=self._verify(origin),
                follow_redirects=False,
                # A proxy would carry what is meant for this machine out of it.
                trust_env=not origin.is_loopback,
                timeout=timeout,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                limits=httpx2.Limits(max_connections=1, max_keepalive_connections=0),
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            raise NetworkError("proxy_unusable", detail=str(error)) from error

    def _converse(self, client: httpx2.Client, ask: Ask, exchange: Exchange) -> None:
        def trace(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
                line = info["return_value"].get_extra_info("socket")
                exchange.connected(lambda: _shut(line))
            elif event.endswith(".send_request_headers.started"):
                exchange.asking()
            elif event.endswith(".send_request_body.complete"):
                exchange.sent(len(ask.body or b""))

        method = "GET" if ask.body is None else "POST"
        headers = dict(ask.headers)
        if ask.body is not None:
            headers["Content-Type"] = "application/json"
        with client.stream(
            method, ask.url, content=ask.body, headers=headers, extensions={"trace": trace}
        ) as found:
            if found.status_code == _PROXY_LOGIN:
                raise NetworkError("proxy_needs_login", proxy=proxy_of(ask.url) or ask.host)
            if found.status_code == _PORTAL:
                raise NetworkError("portal", host=ask.host)
            named = {name.lower(): value for name, value in found.headers.items()}
            if named.get("content-encoding", "").lower() not in ("identity", ""):
                raise NetworkError("bad_answer", host=ask.host, detail="compressed, unasked")
            if not exchange.hand(Head(found.status_code, named)):
                return
            for piece in found.iter_raw():
                if piece and not exchange.hand(piece):
                    return

    def _verify(self, origin: Origin) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = _context(origin, self._trust, self._certificates)
            return self._context


def _context(origin: Origin, trust: Trust, certificates: str) -> ssl.SSLContext:
    if origin.scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used, and made in no time
    if trust.certificate:
        return _pinned(trust.certificate, origin)
    return certificates_for(trust.ca_file or certificates)


def _pinned(certificate: str, origin: Origin) -> ssl.SSLContext:
    """Believes that one certificate and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME) | ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=certificate)
    except (ssl.SSLError, ValueError) as error:
        raise NetworkError("other_certificate", host=origin.shown, detail=str(error)) from error
    return context


def _shut(line: socket.socket | None) -> None:
    if line is not None:
        with contextlib.suppress(OSError):  # it has ended by itself
            # Not a protected socket's own method: the other thread would find it torn down.
            socket.socket.shutdown(line, socket.SHUT_RDWR)
