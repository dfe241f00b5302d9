"""Write an answer to the chat store while it grows: at least every half second."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from desktop.chats.model import NO_PARAMS, TurnState
from desktop.chats.store import ChatStore
from desktop.common.errors import HausgeistError, Param
from desktop.common.logs import get_logger
from desktop.engine.events import Stats

FLUSH_EVERY_S = 0.4

_log = get_logger("services")


class AnswerWriter:
    """Collects the text of one turn. A full disk stops no answer: what was not written is tried
    again with the next flush, and `problem` says what the disk said last."""

    def __init__(self, store: ChatStore, turn_id: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._turn_id = turn_id
        self._clock = clock
        self._pending: list[str] = []
        self._pending_reasoning: list[str] = []
        self._last_flush_s = clock()
        self.problem: HausgeistError | None = None

    def add(self, text: str) -> None:
        self._pending.append(text)

    def add_reasoning(self, text: str) -> None:
        self._pending_reasoning.append(text)

    @property
    def _waits(self) -> bool:
        return bool(self._pending or self._pending_reasoning)

    @property
    def due_in_s(self) -> float | None:
        """Seconds until the next flush; None while there is nothing to write."""
        if not self._waits:
            return None
        return max(0.0, self._last_flush_s + FLUSH_EVERY_S - self._clock())

    def flush_if_due(self) -> None:
        if self.due_in_s == 0.0:
            self.flush()

    def flush(self) -> None:
        """Append what came since the last time."""
        self._last_flush_s = self._clock()
        if not self._waits:
            return
        text, reasoning = "".join(self._pending), "".join(self._pending_reasoning)
        try:
            self._store.append_text(self._turn_id, text, reasoning)
        except HausgeistError as error:
            self._note(error)
        else:
            self._pending.clear()
            self._pending_reasoning.clear()
            self.problem = None

    def finish(
        self,
        state: TurnState,
        stats: Stats | None,
        error_kind: str = "",
        error_params: Mapping[str, Param] = NO_PARAMS,
    ) -> None:
        """Write the rest and how the turn ended."""
        self.flush()
        if self._waits:
            return  # an end without its text would hide the loss: at the next start it is told
        numbers = stats or Stats()
        try:
            self._store.finish_turn(
                self._turn_id,
                state=state,
                prompt_tokens=numbers.prompt_tokens,
                completion_tokens=numbers.completion_tokens,
                tokens_per_s=numbers.tokens_per_s or None,
                seconds=(numbers.prompt_s + numbers.generation_s) if stats else None,
                error_kind=error_kind,
                error_params=error_params,
            )
        except HausgeistError as error:
            self._note(error)

    def _note(self, error: HausgeistError) -> None:
        if self.problem is None:
            _log.error("answer not written: %s", error)
        self.problem = error
