"""Calls whose arguments stand one by one between tags, their values as plain words.

Qwen3-Coder, GLM, MiniMax, DeepSeek V3.2 and later, Kimi K3, Ling, Hunyuan, Step, Seed ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.output.frame import Frame, is_tag, triggers_of, words_of
from desktop.engine.output.head import read_head
from desktop.engine.output.instructions import EXAMPLE, tool_instructions
from desktop.engine.output.json_text import inner_of_string, parsed, written
from desktop.engine.output.nested_values import nested_value
from desktop.engine.output.source import Reading, Source, Words
from desktop.engine.output.tagged_value import value_of
from desktop.engine.output.telling import CallTeller
from desktop.engine.output.value_types import ALL_TYPES, argument_types, json_type, known_keys

KEY = "\0"
_LONGEST_KEY = 512
_CDATA, _CDATA_END = "<![CDATA[", "]]>"


@dataclass(frozen=True, slots=True)
class ArgumentWords:
    """How arguments are written: `lead` behind the name, then for each `key_open`, the key,
    `value_open`, the value, `value_close`, with `gap` between two.

    Where the type of a value is named, `value_open` ends before its name, `types` tells the
    name for each of JSON's types and `type_close` follows it. `none` stands behind the name
    where there are no arguments. `cdata`: words with markup in them are wrapped. `KEY` in
    `value_close` stands for the key. `nested` is the sign before each tag where the members of
    objects and lists have tags, too.
    """

    lead: str
    key_open: str
    value_open: str
    value_close: str
    gap: str = ""
    none: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    type_close: str = ""
    cdata: bool = False
    nested: str = ""

    @property
    def literals(self) -> tuple[str, ...]:
        opening = (self.lead, self.key_open, self.value_open, self.type_close)
        return (*opening, *self.value_close.split(KEY), self.none)

    def closing(self, key: str) -> str:
        return self.value_close.replace(KEY, key)

    def opening(self, json_type_name: str) -> str:
        """What stands between a key and a value of that type."""
        if not self.types:
            return self.value_open
        return self.value_open + self.types[json_type_name] + self.type_close

    def write(self, arguments: Mapping[str, Any]) -> str:
        if not arguments:
            return self.none
        parts: list[str] = []
        for key, value in arguments.items():
            text = value if isinstance(value, str) else written(value)
            if self.cdata and isinstance(value, str) and any(sign in value for sign in "<&\n"):
                text = _CDATA + text + _CDATA_END
            opening = self.key_open + key + self.opening(json_type(value))
            parts.append(opening + text + self.closing(key))
        return self.lead + self.gap.join(parts)


@dataclass(frozen=True)
class TaggedCalls:
    """`frame.core` is the name, what numbers the call, and the arguments."""

    frame: Frame
    words: ArgumentWords
    primer: str = ""
    family: str = "tagged"

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        return triggers_of(self.frame.before)

    @cached_property
    def only_first(self) -> bool:
        return not any(is_tag(word) for word in self.triggers)

    @cached_property
    def framing(self) -> tuple[str, ...]:
        return tuple(text for text in (*self.frame.literals, *self.words.literals) if text)

    def write(self, calls: Sequence[ToolCall]) -> str:
        def arguments(call: ToolCall) -> str:
            value = parsed(call.arguments)[1]
            return self.words.write(value if isinstance(value, Mapping) else {})

        return self.frame.write(calls, arguments)

    def instructions(self, tools: Sequence[Tool]) -> str:
        return tool_instructions(tools, self.write([EXAMPLE]))

    def read(self, source: Source, calls: CallTeller) -> Reading[bool]:
        before = words_of(self.frame.before)
        yield from source.take_words(before[:-1])
        if not (yield from self._take(source, before[-1:])):
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
        """From the name to the end of the last argument."""
        yield from source.space()
        start = source.place
        name = yield from source.take_any(calls.names)
        if not name or (yield from read_head(source, self.frame.core[1:-1], start)) is None:
            return False
        if not (yield from self._may_follow(source, words_of(self.words.lead))):
            return False
        yield calls.begin(name)
        source.cut()
        yield from source.take_words(words_of(self.words.lead))
        reader = _Arguments(self, source, calls, calls.schema(name))
        yield from reader.read()
        yield calls.end()
        return True

    def _may_follow(self, source: Source, lead: Sequence[str]) -> Reading[bool]:
        """Whether an argument or the call's end comes next, behind `lead`; unread."""
        place = source.place
        found = yield from source.take_words(lead)
        ends = [words_of(text)[:1] for text in (self.frame.between, self.frame.after)]
        fits = bool(self.frame.core[1:-1]) or (bool(lead) and found == len(lead))
        for words in (words_of(self.words.key_open), *ends):
            fits = fits or (bool(words) and (yield from self._take(source, words)))
        source.back(place)
        return fits

    def _take(self, source: Source, words: Sequence[str]) -> Reading[bool]:
        """Read all of `words`, or nothing."""
        place = source.place
        if (yield from source.take_words(words)) == len(words):
            return True
        source.back(place)
        return False


class _Arguments:
    """Reads the arguments of one call, and tells them as one JSON object."""

    def __init__(
        self, form: TaggedCalls, source: Source, calls: CallTeller, schema: Mapping[str, Any]
    ) -> None:
        self._form = form
        self._words = form.words
        self._source = source
        self._calls = calls
        self._schema = schema
        self._known = known_keys(schema)
        self._keys: list[str] = []

    def read(self) -> Reading[None]:
        source = self._source
        while True:
            place = source.place
            key = yield from self._key()
            if key is None:
                source.back(place)
                break
            yield self._calls.go_on(("," if self._keys else "{") + written(key[0]) + ":")
            self._keys.append(key[0])
            source.cut()
            yield from self._value(key[0], key[1])
            source.cut()
        if self._keys:
            yield self._calls.go_on("}")

    def _key(self) -> Reading[tuple[str, str] | None]:
        """The key that comes next, and the type that is named with it; None for no argument."""
        source, words = self._source, self._words
        if not (yield from self._form._take(source, words_of(words.key_open))):
            return None
        opening = words_of(words.value_open)
        key = yield from _up_to(source, opening[0])
        if not key or (yield from source.take_words(opening)) < len(opening):
            return None
        named = ""
        if words.types:
            closing = words_of(words.type_close)
            named = yield from _up_to(source, closing[0])
            yield from source.take_words(closing)
        return (key.strip(), named) if not key.startswith("/") else None

    def _value(self, key: str, named: str) -> Reading[None]:
        types = argument_types(self._schema, key)
        if self._words.types:
            types = frozenset(name for name, word in self._words.types.items() if word == named)
        opening = self._words.type_close or self._words.value_open
        if opening.endswith("\n"):
            yield from self._source.take("\n")
        if types == {"string"}:
            yield self._calls.go_on('"')
            yield from self._text(tell=True)
            yield self._calls.go_on('"')
        else:
            text = yield from self._text(tell=False)
            yield self._calls.go_on(self._json(text, types or ALL_TYPES))

    def _json(self, text: str, types: frozenset[str]) -> str:
        sign = self._words.nested
        if sign and types & {"object", "array"}:
            value = nested_value(text, sign)
            if not isinstance(value, str):
                return written(value)
            if not text.strip() and types in ({"object"}, {"array"}):
                return "{}" if "object" in types else "[]"
        return value_of(text, types)

    def _text(self, *, tell: bool) -> Reading[str]:
        """A value's words up to what closes it; told as they come, as the inside of a string."""
        source = self._source
        wrapped = self._words.cdata and (yield from source.take(_CDATA))
        closing = self._words.closing(self._keys[-1])
        core = closing.strip()
        tail = closing[: len(closing) - len(closing.lstrip())]
        closers = Words((_CDATA_END,)) if wrapped else Words((tail + core, core))
        parts: list[str] = []
        while True:
            portion, word = yield from source.take_until(closers)
            if not portion and not word:
                break
            if word:
                if (yield from self._closes(word)):
                    word = ""
                    done = True
                else:
                    yield from source.take(word)
                    done = False
            else:
                done = False
            portion += word
            if tell and portion:
                yield self._calls.go_on(inner_of_string(portion))
                source.cut()
            elif portion:
                parts.append(portion)
            if done:
                break
        return "".join(parts)

    def _closes(self, word: str) -> Reading[bool]:
        """Whether `word`, which comes next, ends the value; read only then.

        It does where what follows is another argument, the call's end or the answer's.
        """
        source = self._source
        place = source.place
        yield from source.take(word)
        if word == _CDATA_END:
            core = words_of(self._words.closing(self._keys[-1]))
            if not (yield from self._form._take(source, core)):
                source.back(place)
                return False
        behind = source.place
        closes = yield from self._follows()
        source.back(behind if closes else place)
        return closes

    def _follows(self) -> Reading[bool]:
        source = self._source
        yield from source.space()
        if (yield from source.over()):
            return True
        place = source.place
        key = yield from self._key()
        if key is not None:
            known = self._known is None or key[0] in self._known
            return known and key[0] not in self._keys
        source.back(place)
        for text in (self._form.frame.after, self._form.frame.between):
            words = words_of(text)
            # A sign that stands before every tag says nothing without the tag.
            count = 1 if text.lstrip().startswith("<") else 2
            if words and (yield from self._form._take(source, words[:count])):
                return True
        return not words_of(self._form.frame.after)


def _up_to(source: Source, word: str) -> Reading[str]:
    """What stands before `word`, on one line; empty where that is too long for a name."""
    words = Words((word, "\n"))
    parts: list[str] = []
    length = 0
    while True:
        portion, found = yield from source.take_until(words)
        parts.append(portion)
        length += len(portion)
        if length > _LONGEST_KEY or not (portion or found):
            return ""
        if found:
            return "".join(parts) if found == word else ""
