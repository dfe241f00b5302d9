"""The reader's end of one request: events in order, the last one Finished or Failed."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from desktop.engine.events import (
    EndEvent,
    Event,
    Failed,
    Finished,
    PromptProgress,
    Started,
    Text,
)
from desktop.engine.output.parser import OutputParser


class Inbox:
    """The engine's end of a stream. It does not keep the reader's end alive."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.on_put: Callable[[], None] | None = None
        self.ended = False

    def put(self, event: Event) -> None:
        """Called by one thread."""
        if isinstance(event, Finished | Failed):
            self.ended = True
        self.events.put(event)
        if self.on_put is not None:
            self.on_put()


class Stream:
    """Events of one request, for one reader in any thread.

    Whatever has piled up since the last look comes merged: consecutive `Text` as one, and of
    consecutive `PromptProgress` the last. So a slow reader gets fewer, longer events. With a
    `parser` it is taken apart here, in the reader's thread, and ends where the parser has all it
    wants.
    `amend` may change the first and the last event, and `on_end` hears the last one, both in the
    reader's thread, before the reader does; `on_put` is told in the engine's thread that there is
    something to read. A stream that nobody holds any more ends its request.
    """

    def __init__(
        self, request_id: str, cancel: Callable[[str], None], parser: OutputParser | None = None
    ) -> None:
        self.request_id = request_id
        self.inbox = Inbox()
        self._cancel = cancel
        self._parser = parser
        self._ready: deque[Event] = deque()
        self._held: Event | None = None
        self._satisfied = False
        self._end: EndEvent | None = None
        self.on_end: Callable[[EndEvent], None] | None = None
        self.amend: Callable[[Event], Event] | None = None

    @property
    def on_put(self) -> Callable[[], None] | None:
        return self.inbox.on_put

    @on_put.setter
    def on_put(self, told: Callable[[], None] | None) -> None:
        self.inbox.on_put = told

    def put(self, event: Event) -> None:
        """The engine's end; called by one thread."""
        self.inbox.put(event)

    def cancel(self) -> None:
        """Ask for the end; `Finished("cancelled")` follows unless the answer has ended already."""
        if self._end is None:
            self._cancel(self.request_id)

    def close(self) -> None:
        """The reader goes away: what is still being written for it ends."""
        if not self.inbox.ended:
            self._cancel(self.request_id)

    def __del__(self) -> None:
        # Half made objects come here too.
        inbox = getattr(self, "inbox", None)
        if inbox is not None and not inbox.ended:
            self._cancel(self.request_id)

    @property
    def end(self) -> EndEvent | None:
        """The last event, once it has been read."""
        return self._end

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when none came in time or the stream has ended."""
        if self._end is not None:
            return None
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._ready:
            left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            event = self._next(left_s)
            if event is None:
                return None
            if self._parser is None:
                self._ready.append(event)
            else:
                self._parse(self._parser, event)
        event = self._ready.popleft()
        if self.amend is not None and isinstance(event, Started | Finished | Failed):
            event = self.amend(event)
        if isinstance(event, Finished | Failed):
            self._end = event
            if self.on_end is not None:
                self.on_end(event)
        return event

    def __iter__(self) -> Iterator[Event]:
        """Every event to the end; blocks while the engine works."""
        while (event := self.get()) is not None:
            yield event

    def collect(self, timeout_s: float | None = None) -> tuple[str, EndEvent | None]:
        """The whole text and the last event (None when `timeout_s` passed before it came)."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        parts: list[str] = []
        while self._end is None:
            left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            event = self.get(left_s)
            if event is None:
                break
            if isinstance(event, Text):
                parts.append(event.text)
        return "".join(parts), self._end

    def _next(self, timeout_s: float | None) -> Event | None:
        """What has come in, merged; None when nothing came in time."""
        event, self._held = self._held, None
        try:
            if event is None:
                event = self.inbox.events.get(timeout=timeout_s)
            while isinstance(event, Text | PromptProgress):
                following = self.inbox.events.get_nowait()
                merged = _merged(event, following)
                if merged is None:
                    self._held = following
                    break
                event = merged
        except queue.Empty:
            pass
        return event

    def _parse(self, parser: OutputParser, event: Event) -> None:
        """Text as its pieces; the end as what it is after all that was in the text."""
        if self._satisfied and not isinstance(event, Finished | Failed):
            return
        if isinstance(event, Text):
            self._ready += parser.feed(event.text)
            if parser.wants_stop:
                self._satisfied = True
                self.close()
            return
        if isinstance(event, Finished | Failed) and not self._satisfied:
            self._ready += parser.finish()
        if isinstance(event, Finished):
            reason = event.reason
            if parser.stop_string or (self._satisfied and reason == "cancelled"):
                reason = "stop"
            if parser.called and reason == "stop":
                reason = "tool_calls"
            stop_string = parser.stop_string or event.stop_string
            event = replace(event, reason=reason, stop_string=stop_string)
        self._ready.append(event)


def _merged(first: Event, second: Event) -> Event | None:
    """Two events as one, or None where both matter."""
    if isinstance(first, Text) and isinstance(second, Text):
        return Text(first.request_id, first.text + second.text)
    if isinstance(first, PromptProgress) and isinstance(second, PromptProgress):
        return second
    return None
