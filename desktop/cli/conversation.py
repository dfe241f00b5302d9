"""A conversation at the terminal: kept in memory, cut to the context like the window's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from desktop.cli.interrupts import Interrupts
from desktop.common.errors import EngineError
from desktop.engine.chat import Chat, Media, Message, ReasoningWish
from desktop.engine.constraint import Constraint
from desktop.engine.engine import Engine
from desktop.engine.events import (
    EndEvent,
    Failed,
    Finished,
    FinishReason,
    Reasoning,
    Started,
    Stats,
    Text,
)
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream
from desktop.engine.templates.message_order import merge_roles
from desktop.services.crash_marker import CrashMarker

# How long a look at the stream may take before signals are heard on every platform.
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    stats: Stats
    reason: FinishReason
    left_out: int = 0
    reasoning: str = ""


@dataclass(slots=True)
class Conversation:
    """What was said so far, and how the next answer is made; `media` go with the next question.

    `on_thinking` hears when a model begins to think before its answer.
    """

    engine: Engine
    crash_marker: CrashMarker
    id: str
    system: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int | None = None
    media: tuple[Media, ...] = ()
    reasoning: ReasoningWish = "auto"
    reasoning_budget: int | None = None
    constraint: Constraint | None = None
    on_thinking: Callable[[], None] = lambda: None
    _said: list[Message] = field(default_factory=list)
    _first_kept: int = 0

    def ask(self, text: str, interrupts: Interrupts, on_text: Callable[[str], None]) -> Answer:
        """Answer `text`; what was written before a Ctrl+C counts as said.

        Raises RequestError("prompt_too_long") and EngineError; the question is forgotten then.
        """
        self._said.append(Message("user", text, media=self.media))
        try:
            answer = self._answer(interrupts, on_text)
        except BaseException:
            self._said.pop()
            raise
        self.media = ()
        if answer.text:
            self._said.append(Message("assistant", answer.text, reasoning=answer.reasoning))
        return answer

    def forget(self) -> None:
        """Start anew, with the same system message."""
        self._said.clear()
        self._first_kept = 0

    def _answer(self, interrupts: Interrupts, on_text: Callable[[str], None]) -> Answer:
        stop = _Stop()
        with interrupts.cancelling(stop.cancel):
            system = [Message("system", self.system)] if self.system else []
            request = Request(
                id=uuid.uuid4().hex,
                chat=Chat(
                    tuple(merge_roles([*system, *self._said])),
                    overflow="drop_oldest",
                    first_kept=self._first_kept,
                    answer_tokens=self.max_tokens,
                    reasoning=self.reasoning,
                    reasoning_budget=self.reasoning_budget,
                ),
                max_tokens=self.max_tokens,
                sampling=self.sampling,
                constraint=self.constraint,
                conversation=self.id,
                priority=1,
            )
            info = self.engine.info
            with self.crash_marker.running("generating", info.path, info.plan):
                stream = self.engine.submit(request)
                stop.watch(stream)
                read = _read(stream, on_text, self.on_thinking)
        if isinstance(read.end, Failed):
            raise EngineError(read.end.kind, detail=read.end.detail, **read.end.params)
        self._first_kept = read.first_kept
        text, thoughts = "".join(read.pieces), "".join(read.thoughts)
        return Answer(text, read.end.stats, read.end.reason, read.left_out, thoughts)


class _Stop:
    """A Ctrl+C that may come before there is a stream to cancel."""

    def __init__(self) -> None:
        self._wanted = False
        self._stream: Stream | None = None

    def cancel(self) -> None:
        self._wanted = True
        if self._stream is not None:
            self._stream.cancel()

    def watch(self, stream: Stream) -> None:
        self._stream = stream
        if self._wanted:
            stream.cancel()


@dataclass(slots=True)
class _Read:
    """What a stream has said."""

    end: EndEvent
    pieces: list[str]
    thoughts: list[str]
    left_out: int = 0
    first_kept: int = 0


def _read(stream: Stream, on_text: Callable[[str], None], on_thinking: Callable[[], None]) -> _Read:
    pieces: list[str] = []
    thoughts: list[str] = []
    started: Started | None = None
    while True:
        event = stream.get(_LOOK_EVERY_S)
        if isinstance(event, Text):
            pieces.append(event.text)
            on_text(event.text)
        elif isinstance(event, Reasoning):
            if not thoughts:
                on_thinking()
            thoughts.append(event.text)
        elif isinstance(event, Started):
            started = event
        elif isinstance(event, Finished | Failed):
            if started is None:
                return _Read(event, pieces, thoughts)
            left_out = len(started.left_out)
            return _Read(event, pieces, thoughts, left_out, started.first_kept)
