"""The child's side of the pipe, driven in this process by a made-up engine."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Iterator, Sequence

import pytest

from desktop.common.errors import RequestError
from desktop.engine import wire
from desktop.engine.events import Event, Failed, Finished, Stats, Text
from desktop.engine.isolated_job import _Channel, _Server
from desktop.engine.isolated_words import (
    Call,
    Cancel,
    Close,
    Closed,
    Opened,
    Raised,
    Returned,
    Submit,
    Told,
)
from desktop.engine.memory_now import MemoryNow
from desktop.engine.output.parser import OutputParser
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from tests.services.fake_engine import FakeEngine

SOON_S = 20.0


class Pipe(io.RawIOBase):
    """What the server writes, frame by frame."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: queue.SimpleQueue[object] = queue.SimpleQueue()

    def writable(self) -> bool:
        return True

    def write(self, frame: object) -> int:
        assert isinstance(frame, bytes)
        self.frames.put(wire.read(io.BytesIO(frame)))
        return len(frame)


class Held(FakeEngine):
    """Takes a request only when the test lets it, as a slow template does."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.parser: OutputParser | None = None
        self.submitted: queue.SimpleQueue[Stream] = queue.SimpleQueue()
        self.streams: list[Stream] = []
        self.cancelled: queue.SimpleQueue[str] = queue.SimpleQueue()

    def submit(self, request: Request) -> Stream:
        assert self.gate.wait(SOON_S)
        if request.id == "broken":
            raise ZeroDivisionError("on purpose")
        stream = Stream(request.id, self.cancelled.put, self.parser)
        self.submitted.put(stream)
        return stream

    def count_tokens(self, text: str) -> int:
        if text == "wrong":
            raise RequestError("bad_request", name="text")
        return len(text) // (0 if text == "broken" else 1)


class House:
    def __init__(self) -> None:
        self.engine = Held()
        self.pipe = Pipe()
        self.server = _Server(_Channel(self.pipe))  # type: ignore[arg-type]
        opened = Opened(self.engine.info, MemoryNow(0, 0, {}))
        self.thread = threading.Thread(target=self.server.serve, args=(self.engine, opened))
        self.thread.start()
        assert isinstance(self.next(), Opened)

    def next(self) -> object:
        return self.pipe.frames.get(timeout=SOON_S)

    def events(self) -> list[tuple[int, Event]]:
        told = self.next()
        assert isinstance(told, Told)
        return [(serial, event) for serial, events in told.batches for event in events]

    def submitted(self, count: int = 1) -> Sequence[Stream]:
        for _ in range(count - len(self.engine.streams)):
            self.engine.streams.append(self.engine.submitted.get(timeout=SOON_S))
        return self.engine.streams


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.server.hear(Close())
    made.thread.join(SOON_S)
    assert not made.thread.is_alive()


def test_what_streams_say_goes_out_under_its_number(house: House) -> None:
    house.server.hear(Submit(7, Request("a")))
    house.server.hear(Submit(8, Request("a")))
    one, other = house.submitted(2)
    one.put(Text("a", "Hallo"))
    other.put(Text("a", "Welt"))
    found = [*house.events()]
    while len(found) < 2:
        found += house.events()
    assert sorted((serial, getattr(event, "text", "")) for serial, event in found) in (
        [(7, "Hallo"), (8, "Welt")],
        [(7, "Welt"), (8, "Hallo")],  # which of them is taken first is nobody's promise
    )


def test_a_request_that_is_still_prepared_is_cancelled_at_once(house: House) -> None:
    house.engine.gate.clear()
    house.server.hear(Submit(1, Request("a")))
    house.server.hear(Cancel(1))
    assert house.events() == [(1, Finished("a", "cancelled", Stats()))]
    house.engine.gate.set()
    (stream,) = house.submitted()
    assert house.engine.cancelled.get(timeout=SOON_S) == "a"
    stream.put(Text("a", "too late"))
    house.server.hear(Submit(2, Request("b")))
    house.submitted(2)[1].put(Text("b", "next"))
    assert house.events() == [(2, Text("b", "next"))]


def test_a_fault_of_ours_ends_its_own_answer_alone(house: House) -> None:
    house.server.hear(Submit(1, Request("broken")))
    ((serial, failed),) = house.events()
    assert serial == 1
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.detail) == ("engine_failed", "ZeroDivisionError: on purpose")


class Careless:
    """A parser that fails at what it did not expect."""

    wants_stop = False
    called = False
    marks: tuple[str, ...] = ()

    def feed(self, text: str) -> list[Event]:
        raise LookupError(text)

    def finish(self) -> list[Event]:
        return []


def test_a_parser_that_fails_ends_its_own_answer_alone(house: House) -> None:
    house.engine.parser = Careless()  # type: ignore[assignment]
    house.server.hear(Submit(1, Request("a")))
    house.submitted()[0].put(Text("a", "x"))
    ((serial, failed),) = house.events()
    assert (serial, getattr(failed, "kind", "")) == (1, "engine_failed")
    assert house.engine.cancelled.get(timeout=SOON_S) == "a"
    house.engine.parser = None
    house.server.hear(Submit(2, Request("b")))
    house.submitted(2)[1].put(Text("b", "fine"))
    assert house.events() == [(2, Text("b", "fine"))]


@pytest.mark.parametrize(
    ("text", "expected"), [("four", 4), ("wrong", "bad_request"), ("broken", "engine_failed")]
)
def test_calls_are_answered_or_fail_by_themselves(
    house: House, text: str, expected: int | str
) -> None:
    house.server.hear(Call(3, "count_tokens", (text,)))
    answer = house.next()
    assert isinstance(answer, Returned | Raised)
    assert answer.serial == 3
    found = answer.problem.kind if isinstance(answer, Raised) else answer.value
    assert found == expected


@pytest.mark.parametrize("method", ["close", "submit", "__class__", "_info"])
def test_nothing_else_can_be_called(house: House, method: str) -> None:
    house.server.hear(Call(3, method))
    answer = house.next()
    assert isinstance(answer, Raised)
    assert answer.problem.kind == "not_offered"


def test_close_says_what_was_held(house: House) -> None:
    house.engine.usage = ()
    house.server.hear(Close())
    house.thread.join(SOON_S)
    assert house.next() == Closed(())
