"""Read one answer's stream to its end: to the listener at once, to the store in pieces."""

from __future__ import annotations

import threading
from collections.abc import Callable

from desktop.chats.model import TurnState
from desktop.common.errors import CancelledError, HausgeistError
from desktop.common.logs import get_logger
from desktop.engine.engine import Engine
from desktop.engine.events import (
    EndEvent,
    Event,
    Failed,
    Finished,
    PromptProgress,
    Reasoning,
    Started,
    Text,
)
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from desktop.services.answer_writer import AnswerWriter
from desktop.services.turn_events import (
    TurnEnded,
    TurnListener,
    TurnProgress,
    TurnReasoning,
    TurnStarted,
    TurnText,
)

_log = get_logger("services")


class TurnPump:
    """One answer from the request to its last event. `on_cut` hears where the messages that
    fitted into the context begin."""

    def __init__(
        self,
        turn_id: int,
        engine: Engine,
        writer: AnswerWriter,
        listener: TurnListener,
        on_cut: Callable[[int], None],
    ) -> None:
        self._turn_id = turn_id
        self._engine = engine
        self._writer = writer
        self._listener = listener
        self._on_cut = on_cut
        self._lock = threading.Lock()
        self._stream: Stream | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Stop soon, from any thread; before the start too."""
        with self._lock:
            self._cancelled = True
            stream = self._stream
        if stream is not None:
            stream.cancel()

    def run(self, make: Callable[[], Request]) -> TurnEnded:
        """Blocks until the answer has ended and is stored; returns what the listener must hear.

        That is for the caller to deliver: after it has let go of the turn.
        """
        try:
            ended = self._ended(self._read(make()))
        except CancelledError:
            ended = TurnEnded(self._turn_id, "stopped", reason="cancelled")
        except HausgeistError as error:
            ended = TurnEnded(self._turn_id, "failed", None, error.kind, error.params)
        except Exception as error:  # noqa: BLE001  (whatever broke, the turn must not stay open)
            _log.error("turn failed: %s", type(error).__name__, exc_info=True)
            kind = type(error).__name__
            ended = TurnEnded(self._turn_id, "failed", None, "internal", {"kind": kind})
        if self._stream is not None:
            self._stream.cancel()  # does nothing after the end; else nobody reads it any more
        return self._store(ended)

    def _read(self, request: Request) -> EndEvent:
        with self._lock:
            if self._cancelled:
                raise CancelledError
        # Without the lock: to write and to split a long chat takes a while, and `cancel` may be
        # called by the thread that draws the window.
        stream = self._engine.submit(request)
        self._watch(stream)
        while True:
            event = stream.get(self._writer.due_in_s)
            if isinstance(event, Finished | Failed):
                return event
            if event is not None:
                self._tell(event)
            self._writer.flush_if_due()

    def _watch(self, stream: Stream) -> None:
        """From now on `cancel` reaches the stream; if it came before, now."""
        with self._lock:
            self._stream = stream
            cancelled = self._cancelled
        if cancelled:
            stream.cancel()

    def _tell(self, event: Event) -> None:
        if isinstance(event, Text):
            self._writer.add(event.text)
            self._listener(TurnText(self._turn_id, event.text))
        elif isinstance(event, Reasoning):
            self._writer.add_reasoning(event.text)
            self._listener(TurnReasoning(self._turn_id, event.text))
        elif isinstance(event, PromptProgress):
            self._listener(TurnProgress(self._turn_id, event.done_tokens, event.total_tokens))
        elif isinstance(event, Started):
            self._on_cut(event.first_kept)
            left_out = len(event.left_out)
            self._listener(
                TurnStarted(self._turn_id, event.prompt_tokens, event.cached_tokens, left_out)
            )

    def _ended(self, end: EndEvent) -> TurnEnded:
        if isinstance(end, Failed):
            if end.detail:
                _log.error("engine failed: %s: %s", end.kind, end.detail)
            return TurnEnded(self._turn_id, "failed", None, end.kind, end.params)
        state: TurnState = "stopped" if end.reason == "cancelled" else "complete"
        return TurnEnded(self._turn_id, state, end.stats, reason=end.reason)

    def _store(self, ended: TurnEnded) -> TurnEnded:
        self._writer.finish(ended.state, ended.stats, ended.error_kind, ended.error_params)
        problem = self._writer.problem
        if problem is None or ended.error_kind:
            return ended
        return TurnEnded(
            self._turn_id, ended.state, ended.stats, problem.kind, problem.params, ended.reason
        )
