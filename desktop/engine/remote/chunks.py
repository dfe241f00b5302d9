"""The documents of a server's stream, made into our events, whatever their writer's habits."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from desktop.common.errors import RemoteError
from desktop.engine.events import (
    Event,
    FinishReason,
    PromptProgress,
    Reasoning,
    Text,
    TokenChance,
    TokenChances,
    ToolCallPart,
)
from desktop.engine.remote.errors import told_in_stream

_REASONING = ("reasoning_content", "reasoning", "thinking")
_LENGTH = ("length", "max_tokens", "model_length", "MAX_TOKENS")
_CALLS = ("tool_calls", "function_call", "tool_use")
_FILTERED = ("content_filter", "safety", "SAFETY")
_BROKEN = ("error", "abort", "cancelled")
_MOST_CALLS = 128


class ChunkReader:
    """Reads the documents of one answer in their order.

    `reason` is set once the server says why it ended, `usage` and `timings` are its own figures.
    A whole answer in one document (from a server that does not stream) is read as well.
    """

    def __init__(self, request_id: str, server: str, *, hide: tuple[str, ...] = ()) -> None:
        self._id = request_id
        self._server = server
        self._hide = hide
        self._calls = _Calls(request_id)
        self._has_streamed = False
        self.reason: FinishReason | None = None
        self.stop_string = ""
        self.usage: Mapping[str, Any] = {}
        self.timings: Mapping[str, Any] = {}

    @property
    def called(self) -> bool:
        """Whether the answer has called a tool."""
        return self._calls.count > 0

    @property
    def calls(self) -> int:
        """How many calls the answer has begun."""
        return self._calls.count

    def take(self, document: Any) -> list[Event]:
        """What one document tells. Raises as `remote_errors.told_in_stream`, RemoteError:
        remote_filtered, remote_cut, remote_nonsense."""
        if not isinstance(document, Mapping):
            raise RemoteError("remote_nonsense", server=self._server, detail="no object")
        if document.get("error") or document.get("object") == "error":
            raise told_in_stream(document, self._server, self._hide)
        for name in ("usage", "timings"):
            found = document.get(name)
            if isinstance(found, Mapping):
                setattr(self, name, found)
        events = list(self._progress(document.get("prompt_progress")))
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, Mapping) and choice.get("index") in (0, None):
            events += self._choice(choice)
        return events

    def _choice(self, choice: Mapping[str, Any]) -> Iterator[Event]:
        yield from self._chances(choice.get("logprobs"))
        delta, whole = choice.get("delta"), choice.get("message")
        if isinstance(delta, Mapping):
            self._has_streamed = True
            yield from self._said(delta)
        elif isinstance(whole, Mapping) and not self._has_streamed:
            yield from self._said(whole)
        elif isinstance(choice.get("text"), str):
            yield from self._text(choice["text"])
        stopped_by = choice.get("stop_reason")
        if isinstance(stopped_by, str):  # vLLM's
            self.stop_string = stopped_by
        self._end(choice.get("finish_reason"))

    def _said(self, said: Mapping[str, Any]) -> Iterator[Event]:
        for name in _REASONING:
            thought = _plain(said.get(name))
            if thought:
                yield Reasoning(self._id, thought)
                break
        content = said.get("content")
        if isinstance(content, list):  # Mistral's pieces, thoughts among them
            yield from self._parts(content)
        else:
            yield from self._text(_plain(content))
        yield from self._text(_plain(said.get("refusal")))
        calls = said.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, Mapping):
                yield from self._calls.take(call)
        old = said.get("function_call")
        if isinstance(old, Mapping):
            yield from self._calls.take({"index": 0, "function": old})

    def _parts(self, parts: list[Any]) -> Iterator[Event]:
        for part in parts:
            if isinstance(part, str):
                yield from self._text(part)
            elif isinstance(part, Mapping):
                thought = part.get("thinking")
                if thought is not None:
                    words = _joined(thought) if isinstance(thought, list) else _plain(thought)
                    if words:
                        yield Reasoning(self._id, words)
                else:
                    yield from self._text(_plain(part.get("text")))

    def _text(self, text: str) -> Iterator[Event]:
        if text:
            yield Text(self._id, text)

    def _progress(self, found: Any) -> Iterator[Event]:
        """llama-server's, while it reads the prompt."""
        if isinstance(found, Mapping):
            done, total = found.get("processed"), found.get("total")
            if isinstance(done, int) and isinstance(total, int) and 0 <= done <= total:
                yield PromptProgress(self._id, done, total)

    def _end(self, reason: Any) -> None:
        if not isinstance(reason, str) or not reason:
            return
        if reason in _FILTERED:
            raise RemoteError("remote_filtered", server=self._server)
        if reason in _BROKEN:
            raise RemoteError("remote_cut", server=self._server, detail=f"finish_reason {reason}")
        if reason in _LENGTH:
            self.reason = "length"
        elif reason in _CALLS or self.called:
            self.reason = "tool_calls"
        else:
            self.reason = "stop"

    def _chances(self, found: Any) -> Iterator[Event]:
        if not isinstance(found, Mapping):
            return
        content = found.get("content")
        if isinstance(content, list):
            for entry in content:
                if isinstance(entry, Mapping):
                    top = entry.get("top_logprobs")
                    others = [one for one in _list(top) if isinstance(one, Mapping)]
                    yield TokenChances(self._id, _chance(entry), tuple(map(_chance, others)))
            return
        tokens, chances = _list(found.get("tokens")), _list(found.get("token_logprobs"))
        tops = _list(found.get("top_logprobs"))
        for place, (token, chance) in enumerate(zip(tokens, chances, strict=False)):
            top = tops[place] if place < len(tops) else None
            likeliest = _table(top) if isinstance(top, Mapping) else ()
            yield TokenChances(
                self._id, _chance({"token": token, "logprob": chance}), likeliest, chance is None
            )


class _Calls:
    """Tool calls in pieces. Servers number them, or give each an id, or send each as a whole."""

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._places: dict[int, int] = {}  # the server's number and ours
        self._ids: list[str] = []
        self.count = 0

    def take(self, call: Mapping[str, Any]) -> Iterator[ToolCallPart]:
        function = call.get("function")
        if not isinstance(function, Mapping):
            return
        given, name = _plain(call.get("id")), _plain(function.get("name"))
        arguments = function.get("arguments")
        if isinstance(arguments, Mapping):  # whole, where text is meant
            arguments = json.dumps(arguments, ensure_ascii=False)
        words = _plain(arguments)
        number = call.get("index")
        place = self._places.get(number) if isinstance(number, int) else self._last(given, name)
        is_other = place is not None and given and name and self._ids[place] != given
        if place is None or is_other:
            if not name or self.count >= _MOST_CALLS:
                return
            place = self.count
            self.count += 1
            own_id = given or f"call_{uuid.uuid4().hex[:24]}"
            self._ids.append(own_id)
            if isinstance(number, int):
                self._places[number] = place
            yield ToolCallPart(self._request_id, place, own_id, name, words)
        elif words:
            yield ToolCallPart(self._request_id, place, "", "", words)

    def _last(self, given: str, name: str) -> int | None:
        """Which call a piece without a number belongs to: a name or a new id begins another."""
        if not self._ids or (name and given not in self._ids) or (given and given != self._ids[-1]):
            return None
        return len(self._ids) - 1


def _chance(entry: Mapping[str, Any]) -> TokenChance:
    token, chance, raw = entry.get("id"), entry.get("logprob"), entry.get("bytes")
    text = _plain(entry.get("token"))
    written = text.encode("utf-8", "replace")
    if isinstance(raw, list) and all(isinstance(one, int) and 0 <= one < 256 for one in raw):
        written = bytes(raw)
    number = float(chance) if isinstance(chance, int | float) else 0.0
    return TokenChance(token if isinstance(token, int) else -1, written, number)


def _table(top: Mapping[str, Any]) -> tuple[TokenChance, ...]:
    """The older form: a text and its chance, the likeliest first."""
    found = [_chance({"token": text, "logprob": chance}) for text, chance in top.items()]
    return tuple(sorted(found, key=lambda one: -one.logprob))


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _joined(parts: list[Any]) -> str:
    return "".join(
        _plain(part.get("text")) if isinstance(part, Mapping) else _plain(part) for part in parts
    )


def _plain(found: Any) -> str:
    """Text without halves of surrogate pairs, which no file and no window takes."""
    if not isinstance(found, str):
        return ""
    try:
        found.encode()
    except UnicodeEncodeError:
        return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return found
