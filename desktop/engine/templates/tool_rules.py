"""Rules of GBNF for the arguments of calls, in each way that formats write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from desktop.engine.grammar.grammar import literal
from desktop.engine.grammar.json_schema import SchemaRules
from desktop.engine.output.tagged_calls import KEY, ArgumentWords
from desktop.engine.output.value_types import ALL_TYPES, argument_types

_SHARED = ("$defs", "definitions")
_NUMBER = '"-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})?'
_DEEPEST = 4

Value = Callable[[str, Mapping[str, Any]], str]
"""From an argument's name and its tool's schema to the rule of key and value."""


class ToolRules:
    """Collects the rules of one grammar."""

    def __init__(self, marks: Collection[str] = ()) -> None:
        self._schemas = SchemaRules()
        self._rules: dict[str, str] = {}  # bodies with their names
        words = sorted((re.escape(mark) for mark in marks if mark), key=len, reverse=True)
        self._marks = re.compile(f"({'|'.join(words)})") if words else None

    def text(self, root: str) -> str:
        own = "\n".join(f"{name} ::= {body}" for body, name in self._rules.items())
        return "\n".join(part for part in (f"root ::= {root}", own, self._schemas.text()) if part)

    def literal(self, text: str) -> str:
        """`text` as literals: a control token's text must stand in one of its own."""
        pieces = self._marks.split(text) if self._marks is not None else [text]
        return " ".join(literal(piece) for piece in pieces if piece)

    def rule(self, hint: str, body: str) -> str:
        """A new rule's name; the same body twice is one rule."""
        return self._rules.setdefault(body, f"{hint}-x{len(self._rules)}")

    def either(self, hint: str, names: Sequence[str]) -> str:
        return names[0] if len(names) == 1 else self.rule(hint, " | ".join(names))

    # -- JSON --------------------------------------------------------------------------------

    def json(self, parameters: Mapping[str, Any]) -> str:
        """An object that fits the schema; any object where that says nothing."""
        if not parameters.get("properties") and set(parameters) <= {"type", "properties"}:
            return self._schemas.any_object()
        return self._schemas.add(parameters, "arguments")

    def _value(self, key: str, parameters: Mapping[str, Any]) -> str:
        shared = {name: parameters[name] for name in _SHARED if name in parameters}
        schema = parameters["properties"][key]
        if shared and isinstance(schema, Mapping):
            schema = {**shared, **schema}
        return self._schemas.add(schema, "value")

    # -- one argument after the other --------------------------------------------------------

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raise RequestError("bad_schema") for what no grammar can say."""
        SchemaRules().add(parameters, "checked")

    def tagged(self, words: ArgumentWords, parameters: Mapping[str, Any]) -> str:
        """The words behind a call's name, with arguments between tags."""
        core = words.value_close.strip().partition(KEY)[0]
        free = self.rule("words", text_without(core)) if core else '""'

        def argument(key: str, schema: Mapping[str, Any]) -> str:
            opening = self.literal(words.key_open + key)
            options: list[str] = []
            types = argument_types(schema, key)
            if "string" in types:
                allowed = self._fixed_words(schema["properties"][key]) or free
                options.append(f"{self.literal(words.opening('string'))} {allowed}")
            others = sorted(types - {"string"})
            if others and types != ALL_TYPES:
                value = self._value(key, _without_strings(schema, key))
                options += [
                    f"{self.literal(words.opening(kind))} {value}"
                    for kind in (others if words.types else others[:1])
                ]
            return f"{opening} ({' | '.join(options)}) {self.literal(words.closing(key))}"

        rows = self._arguments(parameters, argument, self.literal(words.gap))
        none = self.literal(words.none) or '""'
        if rows is None:
            return none
        row, may_be_empty = rows
        with_words = f"{self.literal(words.lead)} {row}"
        return f"({with_words} | {none})" if may_be_empty else with_words

    def _fixed_words(self, schema: object) -> str:
        """The words of an enumeration, as they stand; empty where any words will do."""
        if not isinstance(schema, Mapping):
            return ""
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if not isinstance(values, list):
            return ""
        texts = [value for value in values if isinstance(value, str)]
        return "(" + " | ".join(literal(text) for text in texts) + ")" if texts else ""

    def pythonic(self, parameters: Mapping[str, Any]) -> str:
        def argument(key: str, schema: Mapping[str, Any]) -> str:
            return f"{self.literal(key + '=')} {self._value(key, schema)}"

        return self._optional(self._arguments(parameters, argument, '", "'))

    def gemma(self, quote: str, parameters: Mapping[str, Any]) -> str:
        """An object with bare keys, and words between `quote`s."""
        words = (
            f"{self.literal(quote)} {self.rule('words', text_without(quote))} {self.literal(quote)}"
        )
        inner = self.rule("quoted", words)

        def argument(key: str, schema: Mapping[str, Any]) -> str:
            value = self._gemma_value(inner, quote, schema["properties"][key], schema, 0)
            if argument_types(schema, key) <= {"number", "boolean", "null"}:
                value = self._value(key, schema)  # written as in JSON
            return f"{self.literal(key + ':')} {value}"

        return (
            f'"{{" {self._optional(self._arguments(parameters, argument, self.literal(",")))} "}}"'
        )

    def _gemma_value(
        self, quoted: str, quote: str, schema: object, root: Mapping[str, Any], depth: int
    ) -> str:
        """A value of the schema's types; what is inside of objects and lists is free."""
        holder = {**root, "properties": {"value": schema}}
        types = argument_types(holder, "value")
        if fixed := self._fixed_words(schema):
            return f"{self.literal(quote)} {fixed} {self.literal(quote)}"
        scalars = {
            "string": quoted,
            "number": self.rule("number", _NUMBER),
            "boolean": '("true" | "false")',
            "null": '"null"',
        }
        options = [scalars[kind] for kind in sorted(types) if kind in scalars]
        if depth < _DEEPEST and types & {"object", "array"}:
            free = self._gemma_value(quoted, quote, {}, {}, depth + 1)
            key = '[A-Za-z_] [A-Za-z0-9_]{0,63} ":"'
            if "object" in types:
                options.append(f'("{{" ({key} {free} ("," {key} {free}){{0,63}})? "}}")')
            if "array" in types:
                options.append(f'("[" ({free} ("," {free}){{0,63}})? "]")')
        return self.rule("value", " | ".join(options) or '"null"')

    def _optional(self, rows: tuple[str, bool] | None) -> str:
        if rows is None:
            return '""'
        row, may_be_empty = rows
        return f"({row})?" if may_be_empty else row

    def _arguments(
        self, parameters: Mapping[str, Any], argument: Value, gap: str
    ) -> tuple[str, bool] | None:
        """The arguments in the schema's order, and whether there may be none of them.

        None where the schema names none at all. Each rule is "this argument and what may follow
        it" or "this or a later one", so the grammar does not grow with their combinations.
        """
        properties = parameters.get("properties")
        if not isinstance(properties, Mapping) or not properties:
            return None
        required = set(parameters.get("required") or ())
        first = later = ""  # the next argument or one behind it: without and with the gap before
        must_follow = False
        for key in reversed(list(properties)):
            body = argument(key, parameters)
            if later:
                body += f" {later}" if must_follow else f" {later}?"
            name = self.rule("argument", body)
            gapped = f"{gap} {name}".strip()
            if key in required or not later:
                first, later = name, self.rule("later", gapped)
            else:
                first = self.rule("first", f"{name} | {first}")
                later = self.rule("later", f"{gapped} | {later}")
            must_follow = must_follow or key in required
        return first, not must_follow


def text_without(word: str) -> str:
    """Any text in which `word` does not stand, up to where `word` itself follows.

    Only its beginning counts up to where its first sign comes again, so that after a sign that
    breaks a beginning off nothing of it can have begun: a loop says it, without recursion.
    """
    again = word.find(word[0], 1)
    word = word if again < 0 else word[:again]
    first = _in_class(word[0])
    if len(word) == 1:
        return f"[^{first}]*"
    begun, broken = "", ""
    for place in range(len(word) - 1, 0, -1):
        sign = literal(word[place])
        off = f"[^{first}{_in_class(word[place])}]"
        broken = f"({off} | {sign} {broken})" if broken else off
        if place < len(word) - 1:
            begun = f"({sign} {begun})?" if begun else f"({sign})?"
    start = literal(word[0])
    beginning = f"{start} {begun}".strip()
    return f"([^{first}] | ({beginning})* {start} {broken})* ({beginning})*"


def _in_class(sign: str) -> str:
    return "\\" + sign if sign in "]\\^-[" else {"\n": "\\n"}.get(sign, sign)


def _without_strings(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The schema with an argument that is no string."""
    one = schema["properties"][key]
    if isinstance(one, Mapping) and isinstance(one.get("type"), list):
        kinds = [kind for kind in one["type"] if kind != "string"]
        one = {**one, "type": kinds}
    return {**schema, "properties": {key: one}}
