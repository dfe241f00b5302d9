"""What goes through the door: why somebody asks, within which bounds, and what came back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

MAX_ANSWER_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why a connection is made: a slug (``ledger.purpose.<slug>``) and what is asked for."""

    slug: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one host said; names of `headers` are in lower case.

    `is_cut`: the body went on, but `enough_bytes` had come. `redirected` are the answers of the
    hosts that only pointed on, first one first.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool = False
    redirected: tuple[Answer, ...] = ()

    def header(self, name: str) -> str | None:
        """The first of the answers, redirections included, that has the header."""
        for answer in (*self.redirected, self):
            if name in answer.headers:
                return answer.headers[name]
        return None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a host shows whoever looks without trusting it: its certificate (DER, empty without
    TLS) and its clock (a ``Date`` header, "" without one)."""

    certificate: bytes = b""
    date: str = ""


class Sink(Protocol):
    """Takes a body as it comes, in the thread that makes the request; may raise to end it."""

    def opened(self, shut: Callable[[], None]) -> None:
        """`shut` ends the connection, from any thread."""
        ...

    def begin(self, head: Answer) -> None:
        """A good answer (status below 300) begins; its body is empty here."""
        ...

    def take(self, piece: bytes) -> None: ...


@dataclass(slots=True)
class Bounds:
    """How long, how much, and where to: with a `sink` the body of a good answer goes there.

    `stall_s`: the longest silence; `deadline` (of time.monotonic): the end of all patience.
    `stopped` is set by whoever does not wait any more; `redirected` is what led here.
    """

    deadline: float
    stall_s: float
    max_bytes: int
    enough_bytes: int | None
    sink: Sink | None = None
    redirected: tuple[Answer, ...] = ()
    stopped: threading.Event = field(default_factory=threading.Event)
    received_bytes: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def waited_s(self) -> float:
        """How long it has taken so far, for a sentence."""
        return round(time.monotonic() - self.started, 1)

    @property
    def patience_s(self) -> float:
        """How long the next step may take."""
        return max(0.05, min(self.stall_s, self.left_s))

    @property
    def left_s(self) -> float:
        return self.deadline - time.monotonic()


class Transport(Protocol):
    """Makes one request; `hub.http.HttpTransport` is the real one."""

    def send(self, url: str, headers: Mapping[str, str], bounds: Bounds) -> Answer:
        """One GET without following redirects. Raises NetworkError."""
        ...

    def close(self) -> None: ...
