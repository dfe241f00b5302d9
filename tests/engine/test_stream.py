"""The reader's end of a request."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from desktop.engine.batching.outbox import PORTION_S, Outbox
from desktop.engine.events import (
    EndEvent,
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    Reasoning,
    Started,
    Stats,
    Text,
)
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
    outbox.open("1", stream.inbox)
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
    outbox.open("1", stream.inbox)
    outbox.deliver([Text("1", "a")], 1.0)
    outbox.deliver([Text("1", "b")], 1.001)
    assert stream.get(0.0) == Text("1", "a")
    outbox.flush(1.002, all_of_it=True)
    assert stream.get(0.0) == Text("1", "b")


def test_a_failing_engine_ends_streams_after_their_text() -> None:
    outbox = Outbox(open_ids := {"1"})
    stream, _ = _stream()
    outbox.open("1", stream.inbox)
    outbox.deliver([Text("1", "a")], 1.0)
    outbox.deliver([Text("1", "b")], 1.001)
    outbox.fail_all("engine_failed", "why")
    assert list(stream) == [Text("1", "ab"), Failed("1", "engine_failed", {}, "why")]
    assert open_ids == set()


def test_a_stream_that_nobody_holds_any_more_ends_its_request() -> None:
    stream, cancelled = _stream()
    outbox = Outbox(set())
    outbox.open("1", stream.inbox)
    outbox.deliver([Text("1", "a")], 1.0)
    del stream
    assert cancelled == ["1"]
    ended, cancelled = _stream()
    ended.put(END)
    ended.close()
    del ended
    assert cancelled == []


def test_a_reader_that_goes_away_says_so() -> None:
    stream, cancelled = _stream()
    stream.close()
    assert cancelled == ["1"]


class _Halves:
    """Reasons up to a "|", answers up to a "!", and holds back one character."""

    def __init__(self) -> None:
        self._held = ""
        self._answering = False
        self.wants_stop = False
        self.called = False
        self.stop_string = ""

    def feed(self, text: str) -> Sequence[Text | Reasoning]:
        pieces: list[Text | Reasoning] = []
        text = self._held + text
        self._held = text[-1:]
        for sign in text[:-1]:
            if sign == "|":
                self._answering = True
            elif sign == "!":
                self.wants_stop = self.called = True
                break
            else:
                pieces.append(Text("1", sign) if self._answering else Reasoning("1", sign))
        return pieces

    def finish(self) -> Sequence[Text | Reasoning]:
        return [Text("1", self._held)] if self._held else []


def _parsed(end: Finished, *texts: str) -> tuple[list[object], list[str]]:
    cancelled: list[str] = []
    stream = Stream("1", cancelled.append, _Halves())
    events: list[object] = []
    for text in texts:
        stream.put(Text("1", text))
        while (event := stream.get(0.0)) is not None:
            events.append(event)
    stream.put(end)
    return [*events, *stream], cancelled


def test_a_parser_takes_the_text_apart_in_the_readers_thread() -> None:
    events, cancelled = _parsed(END, "ab", "|cd")
    assert events == [
        Reasoning("1", "a"),
        Reasoning("1", "b"),
        Text("1", "c"),
        Text("1", "d"),
        END,
    ]
    assert cancelled == []


def test_what_a_parser_holds_back_does_not_end_the_waiting() -> None:
    stream = Stream("1", lambda _: None, _Halves())
    stream.put(Text("1", "a"))
    assert stream.get(0.0) is None
    stream.put(Text("1", "b"))
    assert stream.get(0.0) == Reasoning("1", "a")


@pytest.mark.parametrize("reason", ["cancelled", "stop", "length"])
def test_a_parser_that_has_all_it_wants_ends_the_answer(reason: FinishReason) -> None:
    last = Finished("1", reason, Stats(completion_tokens=9))
    events, cancelled = _parsed(last, "a|b!cdef", "more")
    assert events[:2] == [Reasoning("1", "a"), Text("1", "b")]
    wanted: FinishReason = "length" if reason == "length" else "tool_calls"
    assert events[2:] == [Finished("1", wanted, Stats(completion_tokens=9))]
    assert cancelled == ["1"]
