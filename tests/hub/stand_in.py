"""A Hub of our own on loopback: repositories, redirects to a second host, and all kinds of faults.

`hub` answers the API and `/<repo>/resolve/...`; large files are handed out by `cdn`, another host
(another port), under addresses that are signed and may expire. Files may be larger than memory:
what lies behind their first bytes is zeros that nobody stores.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.hub.stand_in_search import list_models, whoami
from tests.hub.stored import Content, Fault, Repo, Role, Seen, content

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_PIECE = 64 << 10
PAGE = b"<!DOCTYPE html><html><body><h1>Welcome to the hotel</h1>Please log in.</body></html>"


class HubStandIn:
    """Use as a context manager; `endpoint` is what HF_ENDPOINT should be."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.sent_bytes = 0
        self.token = ""  # what gated repositories want
        self.bytes_per_s = 0.0  # the line's speed, for benchmarks; 0: as fast as loopback
        self.connection_bytes_per_s = 0.0  # the same for each connection
        self.latency_s = 0.0
        self.next_page = ""  # the search's "Link" where it is wrong; "{n}" is another one each time
        self.is_xet = False  # form B: headers that lead Xet's clients another way
        self.valid_signature = "first"
        self._expiry: list[Any] = ["", 0]
        self._lock = threading.Condition()
        self._closing = threading.Event()
        self._hub = _Server(self, "hub")
        self._cdn = _Server(self, "cdn")

    @property
    def endpoint(self) -> str:
        return self._hub.url

    @property
    def cdn_endpoint(self) -> str:
        return self._cdn.url

    def __enter__(self) -> HubStandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        for fault in self.faults:
            fault.gate.set()
        self._hub.close()
        self._cdn.close()

    def add(self, name: str, files: Mapping[str, bytes | Content], **more: Any) -> Repo:
        """Put a repository there, or its next commit."""
        made = {
            path: found if isinstance(found, Content) else content(found)
            for path, found in files.items()
        }
        digest = hashlib.sha1(name.encode(), usedforsecurity=False)
        for path, found in sorted(made.items()):
            digest.update(path.encode() + found.sha256.encode())
        repo = Repo(digest.hexdigest(), made, **more)
        self.repos[name] = repo
        return repo

    def fail(self, role: Role, kind: str, **more: Any) -> Fault:
        """From now on, or for the next `times` requests."""
        fault = Fault(role, kind, **more)
        self.faults.append(fault)
        return fault

    def expire_after_requests(self, role: Role, n: int) -> None:
        """Addresses signed until then are worth nothing after `n` more requests at `role`."""
        self._expiry = [role, n]

    def requests(self, role: Role | None = None) -> list[Seen]:
        with self._lock:
            return [seen for seen in self.seen if role in (None, seen.role)]

    def wait_for(self, role: Role, timeout_s: float = 60.0) -> bool:
        """Until a request came in at `role`."""
        with self._lock:
            return self._lock.wait_for(
                lambda: any(seen.role == role for seen in self.seen), timeout_s
            )

    def forget(self) -> None:
        """Count from here."""
        with self._lock:
            self.seen.clear()
            self.sent_bytes = 0

    def note(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)
            self._lock.notify_all()
            if seen.role == self._expiry[0]:
                self._expiry[1] -= 1
                if self._expiry[1] == -1:
                    self.valid_signature = "second"

    def count(self, n: int) -> None:
        with self._lock:
            self.sent_bytes += n

    def fault_for(self, role: Role, path: str, wanted: str) -> Fault | None:
        is_beginning = wanted in ("", "bytes=0-") or wanted.startswith("bytes=0-")
        with self._lock:
            for fault in self.faults:
                if fault.only_resumed and is_beginning:
                    continue
                if fault.role == role and fault.times != 0 and fault.path in path:
                    if fault.times is not None:
                        fault.times -= 1
                    found = fault
                    break
            else:
                return None
        if found.on_hit is not None:
            found.on_hit()
        return found

    def linger(self, seconds: float) -> None:
        """What a slow line takes, unless the stand-in closes."""
        if seconds > 0:
            self._closing.wait(timeout=seconds)

    def wait_for_close(self) -> None:
        self._closing.wait(timeout=60)


class _Server:
    """One of the two hosts."""

    def __init__(self, stand_in: HubStandIn, host: str) -> None:
        handler = type("Handler", (_Handler,), {"stand_in": stand_in, "host": host})
        self._server = _Quiet(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: HubStandIn
    host: str

    def log_message(self, format: str, *args: object) -> None:
        """Not on the terminal."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        role: Role = "cdn" if self.host == "cdn" else "resolve"
        if path.startswith("/api/"):
            role = "api"
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.stand_in.note(
            Seen(
                role, self.path, headers.get("range", ""), headers.get("authorization", ""), headers
            )
        )
        self.stand_in.linger(self.stand_in.latency_s)
        fault = self.stand_in.fault_for(role, path, headers.get("range", ""))
        if fault is not None and self._stop(fault):
            return
        if role == "api":
            self._api(path)
        elif role == "resolve":
            self._resolve(path, fault, with_body=with_body)
        else:
            self._cdn(path, fault, with_body=with_body)

    def _stop(self, fault: Fault) -> bool:
        """Faults that need nothing of the file."""
        if fault.kind == "hold":
            fault.gate.wait(timeout=60)
            return False
        if fault.kind == "hangup":
            self.close_connection = True
        elif fault.kind == "silent":
            self.stand_in.wait_for_close()
            self.close_connection = True
        elif fault.kind == "page":
            self._send(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})
        elif fault.kind == "redirect":
            self._send(302, b"", {"Location": fault.body.decode()})
        elif fault.kind == "json":
            self._send(200, fault.body, {"Content-Type": "application/json"})
        elif fault.kind == "status":
            self._send(fault.status, fault.body, fault.headers)
        else:
            return False
        return True

    def _api(self, path: str) -> None:
        if path == "/api/models":
            query = parse_qs(urlsplit(self.path).query)
            page, link = list_models(self.stand_in.repos, query, self.stand_in.endpoint)
            if self.stand_in.next_page:
                link = self.stand_in.next_page.format(n=len(self.stand_in.seen))
            self._json(page, {"Link": link} if link else {})
            return
        if path == "/api/whoami-v2":
            user = whoami(self.headers.get("Authorization", ""), self.stand_in.token)
            if user is None:
                self._refuse(401, "", "Invalid credentials in Authorization header")
            else:
                self._json(user, {})
            return
        match = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        repo = self.stand_in.repos.get(match[1]) if match else None
        if match is None or repo is None:
            self._refuse(401, "RepoNotFound", "Repository not found")
            return
        if match[2] not in (None, "main", repo.commit):
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {match[2]}")
            return
        siblings: list[dict[str, Any]] = []
        with_blobs = parse_qs(urlsplit(self.path).query).get("blobs") == ["true"]
        for name, found in repo.files.items():
            entry: dict[str, Any] = {"rfilename": name}
            if with_blobs and not repo.without_sizes:
                size = repo.listed_sizes.get(name, found.size)
                entry |= {"size": size, "blobId": "0" * 40}
                entry["lfs"] = {"sha256": found.sha256, "size": size, "pointerSize": 135}
            siblings.append(entry)
        commit = None if repo.without_commit else repo.commit
        document = {"id": match[1], "sha": commit, "gated": repo.gated, "siblings": siblings}
        self._json(document | repo.info, {})

    def _resolve(self, path: str, fault: Fault | None, *, with_body: bool) -> None:
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        repo = self.stand_in.repos.get(match[1]) if match else None
        if match is None or repo is None:
            self._refuse(401, "RepoNotFound", "Repository not found")
            return
        if match[2] not in ("main", repo.commit):
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
            return
        found = repo.files.get(match[3])
        if found is None:
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        if self._is_gated(match[1], match[3], repo):
            return
        if repo.without_cdn or match[3] == "README.md":
            self._hand_out(found, fault, {"X-Repo-Commit": repo.commit}, with_body=with_body)
            return
        query = f"?signature={self.stand_in.valid_signature}"
        address = f"{self.stand_in.cdn_endpoint}/{match[1]}/{quote(match[3])}{query}"
        headers = {
            "Location": address,
            "X-Repo-Commit": repo.commit,
            "X-Linked-Size": str(repo.listed_sizes.get(match[3], found.size)),
            "X-Linked-ETag": f'"{found.sha256}"',
            "Accept-Ranges": "bytes",
        }
        if self.stand_in.is_xet:
            address = f"{self.stand_in.endpoint}/api/models/{match[1]}/xet-read-token/{repo.commit}"
            headers |= {"X-Xet-Hash": found.sha256, "Link": f'<{address}>; rel="xet-auth"'}
        self._send(302, b"", headers)

    def _is_gated(self, name: str, file: str, repo: Repo) -> bool:
        """Refused in the Hub's own words; the model card is everybody's."""
        given = self.headers.get("Authorization", "")
        if given and self.stand_in.token and given != f"Bearer {self.stand_in.token}":
            self._refuse(401, "", "Invalid credentials in Authorization header")
            return True
        if not repo.gated or file == "README.md":
            return False
        page = f"{self.stand_in.endpoint}/{name}"
        if not given:
            said = f"Access to model {name} is restricted. You must have access to it and be "
            self._refuse(401, "GatedRepo", f"{said}authenticated to access it. Please log in.")
            return True
        if repo.waits_for_approval:
            said = f"Your request to access model {name} is awaiting a review from the repo authors"
            self._refuse(403, "GatedRepo", f"{said}.")
            return True
        if repo.without_consent:
            said = f"Access to model {name} is restricted and you are not in the authorized list."
            self._refuse(403, "GatedRepo", f"{said} Visit {page} to ask for access.")
            return True
        return False

    def _cdn(self, path: str, fault: Fault | None, *, with_body: bool) -> None:
        signature = parse_qs(urlsplit(self.path).query).get("signature")
        if signature != [self.stand_in.valid_signature]:
            self._send(403, b"<Error>AccessDenied</Error>", {"Content-Type": "application/xml"})
            return
        repo, _, file = path.lstrip("/").partition("/")
        name, _, file = file.partition("/")
        found = self.stand_in.repos[f"{repo}/{name}"].files[file]
        self._hand_out(found, fault, {}, with_body=with_body)

    def _hand_out(
        self, found: Content, fault: Fault | None, more: Mapping[str, str], *, with_body: bool
    ) -> None:
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        kind = fault.kind if fault else ""
        headers = {
            "Content-Type": "application/octet-stream",
            "ETag": f'"{"other" if kind == "etag" else found.sha256[:32]}"',
            "Accept-Ranges": "bytes",
            **more,
        }
        if kind in ("bare", "no_etag"):
            headers = {"Content-Type": "application/octet-stream"} | (
                {} if kind == "bare" else {"Accept-Ranges": "bytes"}
            )
        if match is None or kind == "no_ranges":
            self._stream(200, found, 0, found.size, headers, fault, with_body=with_body)
            return
        start = int(match[1])
        end = min(int(match[2]) + 1 if match[2] else found.size, found.size)
        total = fault.after if fault and kind == "total" else found.size
        if start >= found.size:
            self._send(416, b"", {"Content-Range": f"bytes */{total}"})
            return
        shown = start + 1 if kind == "wrong_range" else start
        if kind != "bare":
            headers["Content-Range"] = f"bytes {shown}-{end - 1}/{total}"
        self._stream(206, found, start, end, headers, fault, with_body=with_body)

    def _stream(
        self,
        status: int,
        found: Content,
        start: int,
        end: int,
        headers: Mapping[str, str],
        fault: Fault | None,
        *,
        with_body: bool,
    ) -> None:
        kind = fault.kind if fault else ""
        half = start + (end - start + 1) // 2
        if kind == "short_length":
            end = half
        without = kind in ("no_length", "bare")
        self._head(status, None if without else end - start, headers)
        if not with_body:
            return
        if without:
            self.close_connection = True
        if kind == "no_length":
            end = half
        shift = fault.after if fault and fault.kind == "shift" else 0
        cut_at = end
        if fault is not None and fault.kind in ("cut", "reset"):
            cut_at = min(end, start + fault.after)
        for at in range(start, cut_at, _PIECE):
            piece = found.piece(at + shift, min(at + _PIECE, cut_at) + shift)
            rate = self.stand_in.bytes_per_s or self.stand_in.connection_bytes_per_s
            if rate:
                self.stand_in.linger(len(piece) / rate)
            piece = piece.ljust(min(_PIECE, cut_at - at), b"\0")
            if fault is not None and kind in ("stall", "slow") and at >= start + fault.after:
                if kind == "stall":
                    self.stand_in.wait_for_close()
                    self.close_connection = True
                    return
                self._trickle(piece)
                continue
            if fault is not None and kind == "flip" and at <= fault.after < at + len(piece):
                place = fault.after - at
                other = bytes([piece[place] ^ 8])
                piece = piece[:place] + other + piece[place + 1 :]
            self.wfile.write(piece)
            self.stand_in.count(len(piece))
        if cut_at < end:
            if fault is not None and fault.kind == "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True

    def _trickle(self, piece: bytes) -> None:
        for at in range(0, len(piece), 256):
            self.stand_in.linger(0.25)
            self.wfile.write(piece[at : at + 256])
            self.stand_in.count(256)

    def _refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message}
        self._send(status, json.dumps({"error": message}).encode(), headers)

    def _json(self, document: object, more: Mapping[str, str]) -> None:
        body = json.dumps(document).encode()
        self._send(200, body, {"Content-Type": "application/json; charset=utf-8", **more})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self._head(status, len(body), headers)
        if self.command != "HEAD":
            self.wfile.write(body)
            self.stand_in.count(len(body))

    def _head(self, status: int, length: int | None, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()


@contextlib.contextmanager
def hub_stand_in() -> Iterator[HubStandIn]:
    with HubStandIn() as hub:
        yield hub
