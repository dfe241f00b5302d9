"""Gemma 4's calls: `call:name{key:<|"|>words<|"|>,other:3}` between tags.

An object whose keys stand bare and whose words stand between a token of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.output.frame import Frame, triggers_of, words_of
from desktop.engine.output.instructions import EXAMPLE, tool_instructions
from desktop.engine.output.json_text import inner_of_string, parsed, written
from desktop.engine.output.source import Reading, Source, Words
from desktop.engine.output.tagged_value import value_of
from desktop.engine.output.telling import CallTeller
from desktop.engine.output.value_types import ALL_TYPES

_DEEPEST = 64
_BARE_ENDS = Words((",", "}", "]"))
_KEY_ENDS = Words((":", "}", ","))


@dataclass(frozen=True)
class GemmaCalls:
    """`quote` stands before and behind words; `frame.core` is the name and the object."""

    frame: Frame
    quote: str
    primer: str = ""
    only_first: bool = False
    family: str = "gemma"

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        return triggers_of(self.frame.before)

    @cached_property
    def framing(self) -> tuple[str, ...]:
        return (*self.frame.literals, self.quote)

    def write(self, calls: Sequence[ToolCall]) -> str:
        return self.frame.write(calls, lambda call: self._object(parsed(call.arguments)[1]))

    def _object(self, value: object) -> str:
        pairs = value.items() if isinstance(value, Mapping) else ()
        return "{" + ",".join(f"{key}:{self._written(inner)}" for key, inner in pairs) + "}"

    def _written(self, value: Any) -> str:
        if isinstance(value, str):
            return self.quote + value + self.quote
        if isinstance(value, Mapping):
            return self._object(value)
        if isinstance(value, list):
            return "[" + ",".join(self._written(inner) for inner in value) + "]"
        return written(value)

    def instructions(self, tools: Sequence[Tool]) -> str:
        return tool_instructions(tools, self.write([EXAMPLE]))

    def read(self, source: Source, calls: CallTeller) -> Reading[bool]:
        opening = words_of(self.frame.before)
        if (yield from source.take_words(opening)) < len(opening):
            return False
        if not (yield from self._call(source, calls)):
            return False
        while True:
            source.cut()
            place = source.place
            if not (yield from source.take_words(words_of(self.frame.between))) or not (
                yield from self._call(source, calls)
            ):
                source.back(place)
                break
        yield from source.take_words(words_of(self.frame.after))
        source.cut()
        return True

    def _call(self, source: Source, calls: CallTeller) -> Reading[bool]:
        yield from source.space()
        name = yield from source.take_any(calls.names)
        yield from source.space()
        if not name or (yield from source.peek()) != "{":
            return False
        yield calls.begin(name)
        source.cut()
        yield from self._members(source, calls, 0)
        yield calls.end()
        return True

    def _members(self, source: Source, calls: CallTeller, depth: int) -> Reading[None]:
        """An object from its brace on."""
        yield from source.take("{")
        yield calls.go_on("{")
        first = True
        while True:
            yield from source.space()
            if (yield from source.take("}")) or (yield from source.over()):
                break
            if (yield from source.take(",")):
                continue
            key = yield from self._key(source)
            yield calls.go_on(("" if first else ",") + written(key) + ":")
            first = False
            if not (yield from source.take(":")):
                yield calls.go_on("null")
                continue
            yield from self._value(source, calls, depth + 1)
            source.cut()
        yield calls.go_on("}")

    def _key(self, source: Source) -> Reading[str]:
        if (yield from source.take(self.quote)):
            return (yield from _joined(source, Words((self.quote,)), drop=self.quote))
        return (yield from _joined(source, _KEY_ENDS)).strip()

    def _value(self, source: Source, calls: CallTeller, depth: int) -> Reading[None]:
        yield from source.space()
        sign = yield from source.peek()
        if sign == "{" and depth < _DEEPEST:
            yield from self._members(source, calls, depth)
        elif sign == "[" and depth < _DEEPEST:
            yield from self._items(source, calls, depth)
        elif (yield from source.take(self.quote)):
            yield from self._words(source, calls)
        else:
            text = yield from _joined(source, _BARE_ENDS)
            yield calls.go_on(value_of(text, ALL_TYPES))

    def _items(self, source: Source, calls: CallTeller, depth: int) -> Reading[None]:
        yield from source.take("[")
        yield calls.go_on("[")
        first = True
        while True:
            yield from source.space()
            if (yield from source.take("]")) or (yield from source.over()):
                break
            if (yield from source.take(",")):
                continue
            place = source.place
            if not first:
                yield calls.go_on(",")
            first = False
            yield from self._value(source, calls, depth + 1)
            if source.place == place:  # a bracket that closes nothing: what follows is no list
                break
        yield calls.go_on("]")

    def _words(self, source: Source, calls: CallTeller) -> Reading[None]:
        """Words up to the quote that an end or another member follows."""
        quote = Words((self.quote,))
        yield calls.go_on('"')
        while True:
            portion, word = yield from source.take_until(quote)
            if not portion and not word:
                break
            closed = False
            if word:
                yield from source.take(word)
                closed = yield from self._closed(source)
            text = portion + ("" if closed else word)
            if text:
                yield calls.go_on(inner_of_string(text))
                source.cut()
            if closed:
                break
        yield calls.go_on('"')

    def _closed(self, source: Source) -> Reading[bool]:
        """Whether the quote just read ends the words; nothing more is read."""
        place = source.place
        yield from source.space()
        sign = yield from source.peek()
        source.back(place)
        return sign in ("", ",", "}", "]")


def _joined(source: Source, ends: Words, drop: str = "") -> Reading[str]:
    """What stands before one of `ends`; `drop` is read away behind it."""
    parts: list[str] = []
    while True:
        portion, word = yield from source.take_until(ends)
        parts.append(portion)
        if word or not portion:
            break
    if drop:
        yield from source.take(drop)
    return "".join(parts)
