"""The reader's end of one request: events in order, the last one Finished or Failed."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator

from desktop.engine.events import EndEvent, Event, Failed, Finished, PromptProgress, Text


class Stream:
    """Events of one request, for one reader in any thread.

    Whatever has piled up since the last look comes merged: consecutive `Text` as one, and of
    consecutive `PromptProgress` the last. So a slow reader gets fewer, longer events.
    `on_end` hears the last event in the reader's thread, before the reader does; `on_put` is told
    in the engine's thread that there is something to read.
    """

    def __init__(self, request_id: str, cancel: Callable[[str], None]) -> None:
        self.request_id = request_id
        self._cancel = cancel
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._held: Event | None = None
        self._end: EndEvent | None = None
        self.on_end: Callable[[EndEvent], None] | None = None
        self.on_put: Callable[[], None] | None = None

    def put(self, event: Event) -> None:
        """The engine's end; called by one thread."""
        self._events.put(event)
        if self.on_put is not None:
            self.on_put()

    def cancel(self) -> None:
        """Ask for the end; `Finished("cancelled")` follows unless the answer has ended already."""
        if self._end is None:
            self._cancel(self.request_id)

    @property
    def end(self) -> EndEvent | None:
        """The last event, once it has been read."""
        return self._end

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when none came in time or the stream has ended."""
        if self._end is not None:
            return None
        event = self._held
        self._held = None
        try:
            if event is None:
                event = self._events.get(timeout=timeout_s)
            while isinstance(event, Text | PromptProgress):
                following = self._events.get_nowait()
                merged = _merged(event, following)
                if merged is None:
                    self._held = following
                    break
                event = merged
        except queue.Empty:
            pass
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


def _merged(first: Event, second: Event) -> Event | None:
    """Two events as one, or None where both matter."""
    if isinstance(first, Text) and isinstance(second, Text):
        return Text(first.request_id, first.text + second.text)
    if isinstance(first, PromptProgress) and isinstance(second, PromptProgress):
        return second
    return None
