"""A server that speaks whatever a test wants, byte by byte; and a proxy."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Conversation = Callable[[socket.socket, bytes], None]


class RawServer:
    """Reads a request's head, then hands the connection to `talk`."""

    def __init__(
        self, talk: Conversation, wrap: Callable[[socket.socket], socket.socket] | None = None
    ) -> None:
        self._talk = talk
        self._wrap = wrap
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.heads: list[bytes] = []
        self.closing = threading.Event()
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._wrap is not None:
                connection = stack.enter_context(self._wrap(connection))
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.heads.append(head)
            self._talk(connection, head)


@contextlib.contextmanager
def raw_server(
    talk: Conversation, wrap: Callable[[socket.socket], socket.socket] | None = None
) -> Iterator[RawServer]:
    server = RawServer(talk, wrap)
    try:
        yield server
    finally:
        server.close()


def says(answer: bytes) -> Conversation:
    """Always the same bytes, then the end."""
    return lambda connection, head: connection.sendall(answer)


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def forwards(connection: socket.socket, head: bytes) -> None:
    """A proxy: CONNECT as a tunnel, everything else fetched from the address in the request."""
    method, target = head.split(b" ")[:2]
    if method == b"CONNECT":
        host, port = target.decode().rsplit(":", 1)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        first = b""
    else:
        host, port = target.decode().split("/")[2].rsplit(":", 1)
        first = head
    with socket.create_connection((host, int(port)), timeout=10) as other:
        other.sendall(first)
        back = threading.Thread(target=_pump, args=(other, connection), daemon=True)
        back.start()
        _pump(connection, other)
        back.join(10)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
