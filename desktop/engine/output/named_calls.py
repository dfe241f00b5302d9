"""Calls as a name between fixed words, and the arguments as JSON behind them.

Mistral's second form, DeepSeek R1 to V3.1, Kimi K2, functionary, Hermes' `<function=...>` ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.output.frame import Frame, Hole, is_tag, triggers_of, words_of
from desktop.engine.output.head import read_head
from desktop.engine.output.instructions import EXAMPLE, tool_instructions
from desktop.engine.output.json_text import pass_value
from desktop.engine.output.source import Reading, Source
from desktop.engine.output.telling import CallTeller


@dataclass(frozen=True)
class NamedCalls:
    """`frame.core` ends with the arguments; name and id stand before them."""

    frame: Frame
    primer: str = ""
    family: str = "named"

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        return triggers_of(self.frame.before)

    @cached_property
    def only_first(self) -> bool:
        return not any(is_tag(word) for word in self.triggers)

    @cached_property
    def framing(self) -> tuple[str, ...]:
        return self.frame.literals

    def read(self, source: Source, calls: CallTeller) -> Reading[bool]:
        before = words_of(self.frame.before)
        if not (yield from _opened(source, before)):
            return False
        if not (yield from self._call(source, calls)):
            return False
        while True:
            source.cut()
            place = source.place
            yield from source.take_words(words_of(self.frame.between))
            if not (yield from self._call(source, calls)):
                source.back(place)
                break
        yield from source.take_words(words_of(self.frame.after))
        source.cut()
        return True

    def _call(self, source: Source, calls: CallTeller) -> Reading[bool]:
        """From the name to the end of the arguments; nothing is told before their brace."""
        yield from source.space()
        place = self.frame.core.index(Hole.NAME)
        first_id = yield from read_head(source, self.frame.core[:place], source.place)
        yield from source.space()
        start = source.place
        name = yield from source.take_any(calls.names)
        if not name or first_id is None:
            return False
        call_id = yield from read_head(source, self.frame.core[place + 1 : -1], start)
        if call_id is None:
            return False
        yield from source.space()
        if (yield from source.peek()) != "{":
            return False
        yield calls.begin(name, call_id or first_id)
        yield from pass_value(source, calls.go_on)
        yield calls.end()
        return True

    def write(self, calls: Sequence[ToolCall]) -> str:
        return self.frame.write(calls, lambda call: call.arguments.strip() or "{}")

    def instructions(self, tools: Sequence[Tool]) -> str:
        return tool_instructions(tools, self.write([EXAMPLE]))


def _opened(source: Source, before: Sequence[str]) -> Reading[bool]:
    """Read the words before a name: the last tag among them must be there."""
    tags = [word for word in before if is_tag(word)]
    place = source.place
    yield from source.take_words(before)
    text = source.since(place)
    return (tags[-1] if tags else "".join(before[-1:])) in text
