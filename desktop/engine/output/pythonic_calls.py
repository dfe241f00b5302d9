"""Calls as Python writes them, in a list: `[name(key="words", other=3)]`. LFM2, Llama 4 ..."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.output.frame import is_tag, triggers_of, words_of
from desktop.engine.output.instructions import EXAMPLE, tool_instructions
from desktop.engine.output.json_text import inner_of_string, parsed, written
from desktop.engine.output.python_text import unescaped
from desktop.engine.output.source import Reading, Source, Words
from desktop.engine.output.tagged_value import value_of
from desktop.engine.output.telling import CallTeller
from desktop.engine.output.value_types import ALL_TYPES

_IDENTIFIER = re.compile(r"[A-Za-z_0-9.\-]*")
_QUOTES = ("'", '"')
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class PythonicCalls:
    """`open` and `close` stand around the list. With `raw_quote` words between that sign are
    written as they are, without escapes."""

    open: str = ""
    close: str = ""
    raw_quote: str = ""
    primer: str = ""
    family: str = "pythonic"

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        return triggers_of(self.open) or ("[",)

    @cached_property
    def only_first(self) -> bool:
        return not any(is_tag(word) for word in self.triggers)

    @cached_property
    def framing(self) -> tuple[str, ...]:
        return tuple(text for text in (self.open, self.close) if text)

    def write(self, calls: Sequence[ToolCall]) -> str:
        return f"{self.open}[{', '.join(self._written(call) for call in calls)}]{self.close}"

    def _written(self, call: ToolCall) -> str:
        arguments = parsed(call.arguments)[1]
        pairs = arguments.items() if isinstance(arguments, Mapping) else ()
        return f"{call.name}({', '.join(f'{key}={written(value)}' for key, value in pairs)})"

    def instructions(self, tools: Sequence[Tool]) -> str:
        example = ToolCall("", EXAMPLE.name, '{"name_of_an_argument": "its value"}')
        return tool_instructions(tools, self.write([example]))

    def read(self, source: Source, calls: CallTeller) -> Reading[bool]:
        opening = words_of(self.open)
        if (yield from source.take_words(opening)) < len(opening):
            return False
        yield from source.space()
        listed = yield from source.take("[")
        if not listed and not opening:
            return False
        count = 0
        while True:
            place = source.place
            yield from source.space()
            if count and not (yield from source.take(",")):
                source.back(place)
                break
            yield from source.space()
            if not (yield from self._call(source, calls)):
                source.back(place)
                break
            count += 1
            source.cut()
        if count == 0:
            return False
        yield from source.take_words((*(("]",) if listed else ()), *words_of(self.close)))
        source.cut()
        return True

    def _call(self, source: Source, calls: CallTeller) -> Reading[bool]:
        name = yield from source.take_any(calls.names)
        if not name or not (yield from source.take("(")):
            return False
        yield calls.begin(name)
        source.cut()
        first = True
        while True:
            yield from source.space()
            yield from source.take(",")
            yield from source.space()
            key = yield from source.take_run(_IDENTIFIER)
            yield from source.space()
            if not key or not (yield from source.take("=")):
                break
            yield calls.go_on(("{" if first else ",") + written(key) + ":")
            first = False
            yield from source.space()
            yield from self._value(source, calls)
        if not first:
            yield calls.go_on("}")
        yield from source.take(")")
        yield calls.end()
        return True

    def _value(self, source: Source, calls: CallTeller) -> Reading[None]:
        sign = yield from source.peek()
        if sign and sign == self.raw_quote:
            yield from self._raw_words(source, calls, sign)
            return
        text = yield from _expression(source)
        if sign in _QUOTES and len(text) > 1:
            yield calls.go_on(json.dumps(unescaped(text[1:-1]), ensure_ascii=False))
        else:
            yield calls.go_on(value_of(text, ALL_TYPES))

    def _raw_words(self, source: Source, calls: CallTeller, sign: str) -> Reading[None]:
        """Words up to the sign that is followed by another argument or the call's end."""
        yield from source.take(sign)
        yield calls.go_on('"')
        quote = Words((sign,))
        while True:
            portion, word = yield from source.take_until(quote)
            if not portion and not word:
                break
            closed = bool(word) and (yield from self._closes(source, sign))
            if word and not closed:
                portion += word
                yield from source.take(word)
            if portion:
                yield calls.go_on(inner_of_string(portion))
                source.cut()
            if closed:
                yield from source.take(sign)
                break
        yield calls.go_on('"')

    def _closes(self, source: Source, sign: str) -> Reading[bool]:
        """Whether the sign that comes next ends the words; it stays unread."""
        place = source.place
        yield from source.take(sign)
        yield from source.space()
        closes = yield from source.over()
        if not closes and (yield from source.take(",")):
            yield from source.space()
            key = yield from source.take_run(_IDENTIFIER)
            yield from source.space()
            closes = bool(key) and (yield from source.take("="))
        elif not closes and (yield from source.take(")")):
            yield from source.space()
            closes = (yield from source.over()) or bool((yield from source.take_any(("]", ","))))
            closes = closes or not words_of(self.close)
        source.back(place)
        return closes


def _expression(source: Source) -> Reading[str]:
    """The text of a value up to the comma or the bracket behind it."""
    start = source.place
    depth = 0
    quote = ""
    marks = Words((*_QUOTES, "\\", ",", *_OPENING, *_CLOSING))
    while True:
        portion, word = yield from source.take_until(marks)
        if not portion and not word:
            break
        if not word:
            continue
        if depth == 0 and not quote and word in (",", *_CLOSING):
            break
        yield from source.take(word)
        if word == "\\":
            if not (yield from source.over()):
                source.take_scanned(1)
        elif quote:
            if word == quote:
                quote = ""
        elif word in _QUOTES:
            quote = word
        elif word in _OPENING:
            depth += 1
        elif word in _CLOSING:
            depth -= 1
    return source.since(start)
