"""A plain web server with files, as an organisation has one: ranges, nothing else; with faults."""

from __future__ import annotations

import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import unquote

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class PlainServer:
    """`files` by their path without a leading slash. `cut_after_bytes`: every answer's body ends
    there; `status`: what everything is answered with; `knows_ranges`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_after_bytes: int | None = None
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.knows_ranges = True
        self.requests: Counter[str] = Counter()
        self.tokens: list[str] = []
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: PlainServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        owner = self.owner
        name = unquote(self.path).lstrip("/")
        owner.requests[name] += 1
        owner.tokens += [value for key, value in self.headers.items() if key == "Authorization"]
        body = owner.files.get(name)
        if owner.status is not None or body is None:
            self._answer(owner.status or 404, b"no", {})
            return
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if match is None or not owner.knows_ranges:
            self._answer(200, body, {"Content-Type": "application/octet-stream"})
            return
        first = int(match[1])
        last = min(int(match[2] or len(body)), len(body) - 1)
        stated = {"Content-Range": f"bytes {first}-{last}/{len(body)}"}
        self._answer(206, body[first : last + 1], stated)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, **self.owner.headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        most = self.owner.cut_after_bytes
        if most is not None and len(body) > most:
            self.wfile.write(body[:most])
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
