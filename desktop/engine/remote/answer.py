"""One answer of a model server as it grows: its events in our form, and what it took."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from desktop.common.errors import RemoteError
from desktop.engine.events import (
    Event,
    Finished,
    FinishReason,
    PromptProgress,
    Reasoning,
    Stats,
    Text,
    ToolCallPart,
)
from desktop.engine.remote.body import CHAT, Body, echo_of
from desktop.engine.remote.chunks import ChunkReader
from desktop.engine.remote.text import InlineReasoning, StopStrings, unwrapped_choice
from desktop.engine.request import Request

MOST_CHARACTERS = 64 << 20
"""No model writes so much; a server that never ends might."""

_FEW_PIECES = 16  # tokens a piece from which on the pace of the pieces says nothing


class RemoteAnswer:
    """Made anew for every attempt. `has_begun`: somebody has seen something of it."""

    def __init__(
        self,
        request: Request,
        body: Body,
        server: str,
        *,
        submitted_s: float,
        hide: tuple[str, ...] = (),
        context_tokens: int = 0,
    ) -> None:
        """`submitted_s` of time.monotonic; `hide` are secrets that the server may repeat."""
        self._request = request
        self._server = server
        self._unwrap = body.unwrap
        self._chunks = ChunkReader(request.id, server, hide=hide)
        self._thoughts = InlineReasoning() if body.path == CHAT else None
        self._stop = StopStrings(request.stop)
        self._echo = echo_of(request)
        self._answer: list[str] = []
        self._characters = 0
        self._pieces = 0
        self._context_tokens = context_tokens
        self._submitted_s = submitted_s
        self._asked_s = time.monotonic()
        self._first_s: float | None = None
        self._last_s = 0.0
        self.has_begun = False

    @property
    def reason(self) -> FinishReason | None:
        """Why the answer has ended, once the server has said it."""
        return self._chunks.reason

    @property
    def done(self) -> bool:
        """All that was asked for is there, whatever the server goes on to say."""
        chat = self._request.chat
        too_many = chat is not None and not chat.parallel_tools and self._chunks.calls > 1
        return self._stop.stopped or too_many

    def take(self, document: Any) -> list[Event]:
        """What a document of the stream tells. Raises as ChunkReader.take."""
        found: list[Event] = []
        for event in self._chunks.take(document):
            if isinstance(event, Text):
                self._count(event.text)
                found += self._text(event.text)
            elif isinstance(event, Reasoning):
                self._count(event.text)
                self._thoughts = None  # the server tells them apart
                found.append(event)
            elif isinstance(event, ToolCallPart):
                self._count(event.arguments)
                if event.index == 0 or self._allows_more():
                    found.append(event)
            else:
                found.append(event)
        if any(not isinstance(event, PromptProgress) for event in found):
            found = [*self._echoed(), *found]
            self.has_begun = True
        return found

    def rest(self) -> list[Event]:
        """What was held back; to be told before the end."""
        pairs = self._thoughts.finish() if self._thoughts is not None else []
        found = self._told(pairs)
        if not self._stop.stopped and (text := self._stop.finish()):
            found += self._say(text)
        return found

    def finished(self, reason: FinishReason | None = None) -> list[Event]:
        """The last events. Raises RemoteError("remote_unbound") for an answer that keeps to no
        form although one was asked for."""
        found = self.rest()
        found = [*self._echoed(), *found]
        ended = reason or self.reason or "stop"
        if self._stop.stopped:
            ended = "stop"
        elif self._chunks.called and ended == "stop":
            ended = "tool_calls"
        if ended == "stop":
            found += self._bound()
        stop_string = self._stop.found or self._chunks.stop_string
        return [*found, Finished(self._request.id, ended, self.stats(), stop_string)]

    def stats(self) -> Stats:
        """By the server's own figures, else by what was seen here."""
        usage, timings = self._chunks.usage, self._chunks.timings
        cached = _inner(usage, "prompt_tokens_details", "cached_tokens") or _int(timings, "cache_n")
        read = _int(timings, "prompt_n")
        prompt = _int(usage, "prompt_tokens") or (read + cached if timings else 0)
        written = _int(usage, "completion_tokens") or _int(timings, "predicted_n") or self._pieces
        first_s = self._first_s if self._first_s is not None else time.monotonic()
        shows_pace = self._pieces > 1 and self._pieces * _FEW_PIECES >= written
        generation_s = self._last_s - first_s if shows_pace else 0.0
        return Stats(
            prompt_tokens=prompt,
            cached_tokens=min(cached, prompt),
            completion_tokens=written,
            prompt_s=_seconds(timings, "prompt_ms") or first_s - self._asked_s,
            generation_s=_seconds(timings, "predicted_ms") or generation_s,
            first_token_s=first_s - self._submitted_s,
            context_tokens_used=prompt + written if prompt else 0,
            context_tokens=self._context_tokens,
            reasoning_tokens=_inner(usage, "completion_tokens_details", "reasoning_tokens"),
            draft_tokens=_int(timings, "draft_n"),
            accepted_tokens=_int(timings, "draft_n_accepted"),
        )

    def _echoed(self) -> list[Event]:
        echo, self._echo = self._echo, ""
        return [Text(self._request.id, echo)] if echo else []

    def _count(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > MOST_CHARACTERS:
            raise RemoteError("remote_nonsense", server=self._server, detail="no end")
        self._pieces += 1
        self._last_s = time.monotonic()
        if self._first_s is None:
            self._first_s = self._last_s

    def _allows_more(self) -> bool:
        chat = self._request.chat
        return chat is None or chat.parallel_tools

    def _text(self, text: str) -> list[Event]:
        pairs = [(False, text)] if self._thoughts is None else self._thoughts.feed(text)
        return self._told(pairs)

    def _told(self, pairs: list[tuple[bool, str]]) -> list[Event]:
        found: list[Event] = []
        for is_thought, words in pairs:
            if is_thought:
                found.append(Reasoning(self._request.id, words))
            elif shown := self._stop.feed(words):
                found += self._say(shown)
        return found

    def _say(self, text: str) -> list[Event]:
        if self._request.constraint is not None:
            self._answer.append(text)
        return [] if self._unwrap else [Text(self._request.id, text)]

    def _bound(self) -> list[Event]:
        """Some servers do not know what they were told to keep to, and do not say so."""
        constraint = self._request.constraint
        if constraint is None:
            return []
        text = "".join(self._answer)
        if self._unwrap:
            choice = unwrapped_choice(text, constraint.choices, self._server)
            return [Text(self._request.id, choice)]
        if constraint.kind == "choice" and text.strip() not in constraint.choices:
            raise RemoteError("remote_unbound", server=self._server, detail="no choice")
        if constraint.kind in ("json_object", "json_schema"):
            try:
                json.loads(text)
            except (ValueError, RecursionError) as error:
                raise RemoteError(
                    "remote_unbound", server=self._server, detail=str(error)[:100]
                ) from error
        return []


def _int(table: Mapping[str, Any], name: str) -> int:
    value = table.get(name)
    return value if type(value) is int and 0 <= value < 1 << 40 else 0


def _inner(table: Mapping[str, Any], name: str, inner: str) -> int:
    found = table.get(name)
    return _int(found, inner) if isinstance(found, Mapping) else 0


def _seconds(table: Mapping[str, Any], name: str) -> float:
    value = table.get(name)
    usable = isinstance(value, int | float) and 0 < value < 1e12
    return float(value) / 1000.0 if usable else 0.0  # type: ignore[arg-type]
