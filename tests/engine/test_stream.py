"""The reader's end of a request."""

from __future__ import annotations

import threading

import pytest

from desktop.engine.events import EndEvent, Failed, Finished, PromptProgress, Started, Stats, Text
from desktop.engine.outbox import PORTION_S, Outbox
from desktop.engine.stream import Stream

END = Finished("1", "stop", Stats())


def _stream() -> tuple[Stream, list[str]]:
    cancelled: list[str] = []
    return Stream("1", cancelled.append), cancelled


def test_piled_up_events_come_merged() -> None:
    stream, _ = _stream()
    for event in (
        Started("1", 9, 0),
        PromptProgress("1", 3, 9),
        PromptProgress("1", 6, 9),
        Text("1", "Hal"),
        Text("1", "lo"),
        END,
    ):
        stream.put(event)
    assert list(stream) == [
        Started("1", 9, 0),
        PromptProgress("1", 6, 9),
        Text("1", "Hallo"),
        END,
    ]
    assert stream.end == END
    assert stream.get() is None


def test_a_reader_waits_for_what_another_thread_puts() -> None:
    stream, _ = _stream()
    assert stream.get(timeout_s=0.0) is None
    assert stream.collect(timeout_s=0.0) == ("", None)

    def put_later() -> None:
        stream.put(Text("1", "spät"))
        stream.put(END)

    threading.Timer(0.05, put_later).start()
    assert stream.collect(timeout_s=30) == ("spät", END)


def test_cancelling_after_the_end_asks_nobody() -> None:
    stream, cancelled = _stream()
    stream.cancel()
    stream.put(END)
    list(stream)
    stream.cancel()
    assert cancelled == ["1"]


@pytest.mark.parametrize("end", [END, Failed("1", "engine_failed")])
def test_the_end_is_told_once_to_whoever_listens(end: EndEvent) -> None:
    stream, _ = _stream()
    told: list[EndEvent] = []
    stream.on_end = told.append
    stream.put(Text("1", "Hallo"))
    stream.put(end)
    assert told == []  # only the reader's own look ends it
    assert stream.get() == Text("1", "Hallo")
    assert told == []
    assert stream.get() == end
    assert stream.get() is None
    assert told == [end]


def test_a_fast_model_does_not_flood_and_loses_nothing() -> None:
    outbox = Outbox(open_ids := {"1"})
    stream, _ = _stream()
    outbox.open(stream)
    sent = 0
    seen: list[str] = []
    for step in range(1000):  # a token every 0.1 ms
        outbox.deliver([Text("1", f"{step} ")], step / 10_000)
        while (event := stream.get(timeout_s=0.0)) is not None:
            assert isinstance(event, Text)
            seen.append(event.text)
            sent += 1
    assert sent <= 0.1 / PORTION_S + 1
    outbox.deliver([END], 0.1)
    text, end = stream.collect(0.0)
    assert end == END
    assert "".join(seen) + text == "".join(f"{step} " for step in range(1000))
    assert open_ids == set()


def test_held_text_goes_out_when_nothing_more_comes() -> None:
    outbox = Outbox(set())
    stream, _ = _stream()
    outbox.open(stream)
    outbox.deliver([Text("1", "a")], 1.0)
    outbox.deliver([Text("1", "b")], 1.001)
    assert stream.get(0.0) == Text("1", "a")
    outbox.flush(1.002, all_of_it=True)
    assert stream.get(0.0) == Text("1", "b")


def test_a_failing_engine_ends_streams_after_their_text() -> None:
    outbox = Outbox(open_ids := {"1"})
    stream, _ = _stream()
    outbox.open(stream)
    outbox.deliver([Text("1", "a")], 1.0)
    outbox.deliver([Text("1", "b")], 1.001)
    outbox.fail_all("engine_failed", "why")
    assert list(stream) == [Text("1", "ab"), Failed("1", "engine_failed", {}, "why")]
    assert open_ids == set()
