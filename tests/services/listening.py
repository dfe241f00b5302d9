"""Hear a turn's events in a test."""

from __future__ import annotations

import queue

from desktop.services.chat_turn import TurnHandle
from desktop.services.turn_events import TurnEnded, TurnEvent, TurnStarted, TurnText

WAIT_S = 20.0


class Listener:
    """Collects the events of one turn; its methods wait for what must come."""

    def __init__(self) -> None:
        self.events: list[TurnEvent] = []
        self._queue: queue.SimpleQueue[TurnEvent] = queue.SimpleQueue()

    def __call__(self, event: TurnEvent) -> None:
        self.events.append(event)
        self._queue.put(event)

    def next(self) -> TurnEvent:
        return self._queue.get(timeout=WAIT_S)

    def text(self) -> str:
        return "".join(e.text for e in self.events if isinstance(e, TurnText))

    def started(self) -> TurnStarted:
        return next(e for e in self.events if isinstance(e, TurnStarted))

    def ended(self, handle: TurnHandle) -> TurnEnded:
        assert handle.done.wait(WAIT_S)
        last = self.events[-1]
        assert isinstance(last, TurnEnded)
        return last
