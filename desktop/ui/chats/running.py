"""One answer that is being written, as the window knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # they bring the engine and the database along: not before the first paint
    from desktop.services.chat_turn import TurnHandle
    from desktop.services.turn_events import TurnEnded, TurnEvent


class Running:
    """Text and progress of an answer by `model`; events may come before its handle does."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.handle: TurnHandle | None = None
        self.text = ""
        self.reasoning = ""
        self.left_out_turns = 0
        self.read_share: float | None = None
        self.ended: TurnEnded | None = None
        self.stop_wanted = False
        self._early: list[TurnEvent] = []

    @property
    def chat_id(self) -> str:
        """Its chat; "" until it is stored."""
        return "" if self.handle is None else self.handle.assistant_turn.chat_id

    @property
    def turn_id(self) -> int | None:
        return None if self.handle is None else self.handle.assistant_turn.id

    def attach(self, handle: TurnHandle) -> list[TurnEvent]:
        """The turn is stored and runs; returns what was heard of it before."""
        self.handle = handle
        if self.stop_wanted:
            handle.cancel()
        early, self._early = self._early, []
        return early

    def stop(self) -> None:
        """Stop the answer, also where it is only about to begin."""
        self.stop_wanted = True
        if self.handle is not None:
            self.handle.cancel()

    def hear(self, events: list[TurnEvent]) -> str | None:
        """Take in events; returns the new text, None while the turn has no handle yet."""
        if self.handle is None:
            self._early.extend(events)
            return None
        from desktop.services.turn_events import (
            TurnEnded,
            TurnProgress,
            TurnReasoning,
            TurnStarted,
            TurnText,
        )

        added: list[str] = []
        for event in events:
            match event:
                case TurnText():
                    added.append(event.text)
                    self.read_share = None
                case TurnReasoning():
                    self.reasoning += event.text
                    self.read_share = None
                case TurnStarted():
                    self.left_out_turns = event.left_out_turns
                case TurnProgress():
                    self.read_share = event.done / event.total if event.total else None
                case TurnEnded():
                    self.ended = event
        new = "".join(added)
        self.text += new
        return new
