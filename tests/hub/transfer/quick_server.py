"""A Hub with one repository, as fast as a file can be sent, in a process of its own.

    python -m tests.hub.transfer.quick_server FILE [bytes a second and connection]

prints its address, then answers the Hub's API, ranges, and `/count`: how much it has sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REPO = "maker/Model-GGUF"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PIECE = 4 << 20
_SLOW_PIECE = 32 << 10


class Quick(ThreadingHTTPServer):
    """`rate`: bytes a second for each connection, 0 as fast as it goes."""

    daemon_threads = True

    def __init__(self, file: Path, rate: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.file = file
        self.rate = rate
        self.size = file.stat().st_size
        with file.open("rb") as opened:
            self.sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        self.sent_bytes = 0
        self.lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Quick

    def log_message(self, format: str, *args: object) -> None:
        """Not on the terminal."""

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            name, size, sha256 = self.server.file.name, self.server.size, self.server.sha256
            sibling = {"rfilename": name, "size": size, "lfs": {"sha256": sha256, "size": size}}
            self._json({"id": REPO, "sha": COMMIT, "siblings": [sibling]})
        elif self.path == "/count":
            self._json({"sent_bytes": self.server.sent_bytes})
        else:
            self._file()

    def _json(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self) -> None:
        size = self.server.size
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, end = 0, size
        if match:
            start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
        self.send_response(206 if match else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-ETag", f'"{self.server.sha256}"')
        self.send_header("X-Linked-Size", str(size))
        self.send_header("ETag", f'"{self.server.sha256}"')
        if match:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        self.wfile.flush()
        with contextlib.suppress(OSError), self.server.file.open("rb") as file:
            self._send(file.fileno(), start, end)

    def _send(self, file: int, start: int, end: int) -> None:
        began_s, at, rate = time.monotonic(), start, self.server.rate
        while at < end:
            n = min(end - at, _SLOW_PIECE if rate else _PIECE)
            sent = os.sendfile(self.connection.fileno(), file, at, n)
            if sent == 0:
                return
            at += sent
            with self.server.lock:
                self.server.sent_bytes += sent
            if rate:
                ahead_s = (at - start) / rate - (time.monotonic() - began_s)
                if ahead_s > 0:
                    time.sleep(ahead_s)


def main() -> None:
    server = Quick(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()
