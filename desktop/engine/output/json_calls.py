"""Calls as JSON objects, alone or in a list, with or without tags around them.

Hermes and Qwen, Llama 3, Mistral's first form, Nemotron, Command-R, Granite, Apertus, GigaChat ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.output.frame import Frame, is_tag, triggers_of, words_of
from desktop.engine.output.instructions import EXAMPLE, tool_instructions
from desktop.engine.output.json_text import parsed, pass_value, read_string, read_value
from desktop.engine.output.source import Reading, Source
from desktop.engine.output.telling import CallTeller

_NAMES = frozenset({"name", "tool_name", "function_name", "function", "tool", "action"})
_ARGUMENTS = frozenset({"arguments", "parameters", "args", "input", "action_input"})
_IDS = frozenset({"id", "call_id", "tool_call_id"})
_OTHERS = frozenset({"type", "index"})


@dataclass(slots=True)
class _Found:
    """What is known of a call while its object is read; `early` tells the name at once."""

    name: str = ""
    call_id: str = ""
    arguments: str = ""
    begun: bool = False
    early: bool = True


@dataclass(frozen=True)
class JsonCalls:
    """`python_tag` is another word that may stand before an object without tags."""

    frame: Frame
    python_tag: str = ""
    family: str = "json"
    primer: str = ""

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        words = triggers_of(self.frame.before)
        return words or tuple(word for word in ("{", self.python_tag) if word)

    @cached_property
    def only_first(self) -> bool:
        return len(words_of(self.frame.before)) < 2 and not self._tagged

    @cached_property
    def _tagged(self) -> bool:
        return any(is_tag(word) for word in triggers_of(self.frame.before))

    @cached_property
    def framing(self) -> tuple[str, ...]:
        return (*self.frame.literals, *((self.python_tag,) if self.python_tag else ()))

    def read(self, source: Source, calls: CallTeller) -> Reading[bool]:
        before = words_of(self.frame.before)
        if self.python_tag:
            yield from source.take(self.python_tag)
        found = yield from source.take_words(before)
        if not self._tagged and found < len(before):
            return False
        yield from source.space()
        listed = yield from source.take("[")
        yield from source.space()
        if not (yield from self._object(source, calls)):
            return False
        between = (*words_of(self.frame.between), *((",",) if listed else ()), ";")
        while True:
            source.cut()
            place = source.place
            yield from source.take_words(between)
            yield from source.space()
            following = yield from source.peek()
            if following != "{" or not (yield from self._object(source, calls)):
                source.back(place)
                break
        yield from source.take_words((*(("]",) if listed else ()), *self._ends))
        source.cut()
        return True

    @cached_property
    def _ends(self) -> tuple[str, ...]:
        return words_of(self.frame.after)

    def write(self, calls: Sequence[ToolCall]) -> str:
        return self.frame.write(calls, lambda call: call.arguments.strip() or "{}")

    def instructions(self, tools: Sequence[Tool]) -> str:
        return tool_instructions(tools, self.write([EXAMPLE]))

    def _object(self, source: Source, calls: CallTeller) -> Reading[bool]:
        """One object from its brace on; False (and nothing told) where it is no call."""
        found = _Found(early=not self.only_first)
        whole = yield from _members(source, calls, found)
        if not found.begun and (not whole or found.name not in calls.names):
            return False
        if not found.begun:
            yield from _begin(calls, found)
        yield calls.end()
        return True


def _members(
    source: Source, calls: CallTeller, found: _Found, *, nested: bool = False
) -> Reading[bool]:
    """The members of an object; whether it came to its end and may be a call."""
    if not (yield from source.take("{")):
        return False
    while True:
        yield from source.space()
        if (yield from source.take("}")):
            return True
        key = yield from read_string(source)
        yield from source.space()
        if key is None or not (yield from source.take(":")):
            return False
        yield from source.space()
        first = yield from source.peek()
        if first == "{" and key == "function" and not nested and not found.name:
            fits = yield from _members(source, calls, found, nested=True)
        else:
            fits = yield from _member(key, source, calls, found)
        if not fits:
            return False
        yield from source.space()
        if not (yield from source.take(",")):
            return (yield from source.take("}"))


def _member(key: str, source: Source, calls: CallTeller, found: _Found) -> Reading[bool]:
    """The value behind `key`; False where a call has no such member."""
    first = yield from source.peek()
    if first == '"' and key in _NAMES and not found.name:
        found.name = (yield from read_string(source)) or ""
        if found.name not in calls.names:
            return False
        if found.early or found.arguments:
            yield from _begin(calls, found)
        return True
    if first == "{" and key in calls.names and key not in _ARGUMENTS and not found.name:
        found.name = key
        return (yield from _arguments(source, calls, found))
    if key in _ARGUMENTS and not found.arguments:
        return (yield from _arguments(source, calls, found))
    value = yield from read_value(source)
    if key in _IDS:
        found.call_id = str(parsed(value)[1])
    return bool(value) and (found.begun or key in _IDS or key in _OTHERS)


def _begin(calls: CallTeller, found: _Found) -> Reading[None]:
    found.begun = True
    yield calls.begin(found.name, found.call_id)
    if found.arguments:
        yield calls.go_on(found.arguments)


def _arguments(source: Source, calls: CallTeller, found: _Found) -> Reading[bool]:
    """An object is handed on as it comes; a string holds the object's text."""
    if (yield from source.peek()) == "{" and found.name:
        if not found.begun:
            yield from _begin(calls, found)
        found.arguments = "{"
        return (yield from pass_value(source, calls.go_on))
    text = yield from read_value(source)
    whole, value = parsed(text)
    if value is not None:
        found.arguments = value if isinstance(value, str) else text
        if found.begun:
            yield calls.go_on(found.arguments)
    return whole
