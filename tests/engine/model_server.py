"""A model server on loopback that says what a test wants, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from desktop.common.ledger import Ledger
from desktop.engine.remote.address import parse_address
from desktop.engine.remote.link import Patience, RemoteLink
from desktop.hub.door import Door
from desktop.hub.exchange import Trust
from desktop.hub.policy import NetworkPolicy
from desktop.hub.remote_door import RemoteDoor


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    document: Any
    headers: dict[str, str]


class Talk:
    """What an answer is written with: the line, and whether somebody still wants it."""

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler
        self.asked: Asked | None = None

    def head(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", kind)
        self._handler.send_header("Connection", "close")
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def write(self, data: bytes | str) -> None:
        self._handler.wfile.write(data.encode() if isinstance(data, str) else data)
        self._handler.wfile.flush()

    def wait_until_gone(self, timeout_s: float = 20.0) -> bool:
        """Whether the client went away in time."""
        self._handler.connection.settimeout(timeout_s)
        try:
            return not self._handler.connection.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True


Answer = Callable[[Talk], None]


class ModelServer:
    """`answers` are given one after the other to whatever is POSTed, the last one for ever.

    `models` is what ``/v1/models`` says, `own` what other paths say.
    """

    def __init__(self, wrap: Callable[[socket.socket], socket.socket] | None = None) -> None:
        self.models: Any = {"object": "list", "data": [{"id": "tiny", "object": "model"}]}
        self.own: dict[str, Any] = {}
        self.answers: deque[Answer] = deque()
        self.asked: list[Asked] = []
        self.gone = threading.Event()  # a client left an answer that waits for that
        self.closing = threading.Event()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.wrap = wrap
        self._scheme = "http" if wrap is None else "https"
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def address(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def posted(self) -> list[Asked]:
        """What was asked of a model."""
        return [one for one in self.asked if one.document is not None]

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    wrap: Callable[[socket.socket], socket.socket] | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.wrap is None:
            super().finish_request(request, client_address)
            return
        # A client that does not trust us leaves at once.
        with contextlib.suppress(OSError), self.wrap(request) as protected:
            super().finish_request(protected, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: clients leave as tests want it."""


class _Handler(BaseHTTPRequestHandler):
    owner: ModelServer

    def do_GET(self) -> None:
        self.owner.asked.append(Asked(self.path, None, dict(self.headers)))
        found = self.owner.own.get(self.path)
        if found is None and self.path == "/v1/models":
            found = self.owner.models
        if callable(found):
            found(Talk(self))
        elif found is None:
            refuses(404, {"detail": "Not Found"})(Talk(self))
        else:
            whole(found)(Talk(self))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.path, json.loads(body), dict(self.headers))
        self.owner.asked.append(asked)
        answers = self.owner.answers
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        talk = Talk(self)
        talk.asked = asked
        answer(talk)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def whole(document: Any, status: int = 200, **headers: str) -> Answer:
    """One JSON document."""

    def answer(talk: Talk) -> None:
        talk.head(status, "application/json", **headers)
        talk.write(json.dumps(document))

    return answer


def refuses(status: int, document: Any, **headers: str) -> Answer:
    return whole(document, status, **headers)


def raw(*pieces: bytes | str, status: int = 200, kind: str = "text/event-stream") -> Answer:
    """These bytes, each sent for itself."""

    def answer(talk: Talk) -> None:
        talk.head(status, kind)
        for piece in pieces:
            talk.write(piece)

    return answer


def events(*documents: Any, done: bool = True) -> Answer:
    """Server-sent events, as everybody writes them."""
    lines = [f"data: {json.dumps(one)}\n\n" for one in documents]
    return raw(*lines, *(["data: [DONE]\n\n"] if done else []))


def delta(finish_reason: str | None = None, **said: Any) -> dict[str, Any]:
    """A piece of a chat's answer."""
    choice = {"index": 0, "delta": said, "finish_reason": finish_reason}
    return {"id": "x", "object": "chat.completion.chunk", "choices": [choice]}


def says(*words: str, reason: str = "stop", usage: dict[str, Any] | None = None) -> Answer:
    """A whole chat answer in pieces."""
    documents: list[Any] = [delta(role="assistant", content=None)]
    documents += [delta(content=word) for word in words]
    documents.append(delta(finish_reason=reason))
    if usage is not None:
        documents.append({"id": "x", "choices": [], "usage": usage})
    return events(*documents)


@contextlib.contextmanager
def model_server(
    *answers: Answer, wrap: Callable[[socket.socket], socket.socket] | None = None
) -> Iterator[ModelServer]:
    with ModelServer(wrap) as server:
        server.answers.extend(answers or (says("Hello"),))
        yield server


def remote_door(
    folder: Path, *, offline: bool = False, env: dict[str, str] | None = None
) -> RemoteDoor:
    """A door with a ledger of its own, in `folder`."""
    ledger = Ledger(folder / "ledger.jsonl")
    return RemoteDoor(Door(NetworkPolicy(env or {}, lambda: offline), ledger), ledger)


def link_to(
    server: ModelServer | str,
    folder: Path,
    *,
    key: str = "",
    trust: Trust | None = None,
    patience: Patience | None = None,
    offline: bool = False,
) -> RemoteLink:
    """A server as the app reaches it."""
    address = server if isinstance(server, str) else server.address
    return RemoteLink(
        remote_door(folder, offline=offline),
        "Office",
        parse_address(address),
        key=lambda: key,
        trust=trust,
        patience=patience,
    )


def lines_of(folder: Path) -> Iterable[Any]:
    """The ledger's connections."""
    return Ledger(folder / "ledger.jsonl").entries()
