"""JSON schemas (draft 2020-12, as far as a grammar can say them) as rules of GBNF.

Properties come in the order in which the schema names them; others only where it allows them in
so many words. oneOf is read as anyOf. What a grammar cannot say is refused, never left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from desktop.common.errors import RequestError
from desktop.engine.grammar.gbnf_text import literal
from desktop.engine.grammar.schema_bodies import MAX_PROPERTIES, array_body, bounds_of, object_body
from desktop.engine.grammar.schema_merge import CHOICES, merged, plain
from desktop.engine.grammar.schema_numbers import decimal_number, multiples, whole_number
from desktop.engine.grammar.schema_patterns import ANY_CHARACTER, character
from desktop.engine.grammar.schema_strings import length_of, string_inside

MAX_NESTED = 60
MAX_SCHEMAS = 5_000
MAX_MERGES = 1_000
MAX_VALUES = 10_000
MAX_VALUE_CHARACTERS = 1 << 18
_MAX_MULTIPLES = 2_000

_UNSAID = frozenset(
    [
        "not",
        "if",
        "then",
        "else",
        "contains",
        "minContains",
        "maxContains",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "$dynamicRef",
        "$recursiveRef",
    ]
)
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_OWN = {
    "object": "properties required additionalProperties patternProperties minProperties "
    "maxProperties propertyNames",
    "array": "items prefixItems minItems maxItems uniqueItems additionalItems",
    "string": "minLength maxLength pattern format",
    "number": "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
}
_TYPE_OF = {key: kind for kind, keys in _OWN.items() for key in keys.split()}
_LISTABLE = frozenset(key for key, kind in _TYPE_OF.items() if kind in ("string", "number")) - {
    "pattern",
    "multipleOf",
}
"""What values of an enum are tried against; a format is a remark there."""

_COMMON = {
    "ws": '(" " | "\\n" [ \\t]{0,20})?',
    ANY_CHARACTER: character(),
    "json-string": f'"\\"" {ANY_CHARACTER}* "\\""',
    "json-number": '"-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?',
    "json-value": 'json-object | json-array | json-string | json-number | "true" | "false" '
    '| "null"',
    "json-member": 'json-string ":" ws json-value',
    "json-object": '"{" ws (json-member ("," ws json-member)* ws)? "}"',
    "json-array": '"[" ws (json-value ("," ws json-value)* ws)? "]"',
}


class SchemaRules:
    """Rules for any number of schemas in one grammar; those that they share stand there once."""

    def __init__(self) -> None:
        self._rules: dict[str, str] = dict(_COMMON)
        self._known: dict[tuple[int, str], str] = {}
        self._roots: list[Any] = []
        self._root: Any = True
        self._schemas = 0
        self._merges = 0
        self._value_characters = 0

    def add(self, schema: Mapping[str, Any] | bool, hint: str = "value") -> str:
        """The name of a rule that matches what `schema` allows; `hint` goes into the name.

        Raises RequestError("bad_schema", reason, path) for what is wrong or cannot be said,
        ("grammar_too_large", limit) for what is too much.
        """
        self._roots.append(schema)  # kept, so that its id stays its own
        before, self._root = self._root, schema
        try:
            return self._reference("#", hint, 0)
        finally:
            self._root = before

    def any_object(self) -> str:
        """The name of a rule that matches any JSON object."""
        return "json-object"

    def text(self) -> str:
        """All rules so far, one a line."""
        return "\n".join(f"{name} ::= {body}" for name, body in self._rules.items())

    # -- for the bodies of objects and arrays --------------------------------------------------

    def rule(self, schema: Any, hint: str, path: str, nested: int) -> str:
        """The name of a rule for a schema inside of another; "" where it allows nothing."""
        if schema is True or schema == {}:
            return "json-value"
        if isinstance(schema, dict) and set(plain(schema)) == {"$ref"}:
            return self._reference(schema["$ref"], hint, nested, path)
        body = self.body(schema, hint, path, nested + 1)
        return self.named(hint, body) if body else ""

    def named(self, hint: str, body: str) -> str:
        """A new rule's name."""
        name = self._name(hint)
        self._rules[name] = body
        return name

    def values(self, values: list[Any], path: str) -> str:
        """These values, written as JSON."""
        if len(values) > MAX_VALUES:
            raise RequestError("grammar_too_large", limit=MAX_VALUES)
        try:
            texts = [json.dumps(value, ensure_ascii=False, allow_nan=False) for value in values]
        except (ValueError, RecursionError) as error:
            raise RequestError("bad_schema", reason="enum", path=path) from error
        self._value_characters += sum(map(len, texts))
        if self._value_characters > MAX_VALUE_CHARACTERS:
            raise RequestError("grammar_too_large", limit=MAX_VALUE_CHARACTERS)
        return " | ".join(literal(text) for text in dict.fromkeys(texts))

    def body(self, schema: Any, hint: str, path: str, nested: int) -> str:
        """What `schema` allows; "" for nothing."""
        self._schemas += 1
        if self._schemas > MAX_SCHEMAS:
            raise RequestError("grammar_too_large", limit=MAX_SCHEMAS)
        if nested > MAX_NESTED:
            raise RequestError("bad_schema", reason="too_deep", path=path[:200])
        if schema is False:
            return ""
        if schema is True:
            return "json-value"
        if not isinstance(schema, dict):
            raise RequestError("bad_schema", reason="no_schema", path=path)
        said = plain(schema)
        unsaid = _UNSAID.intersection(said)
        if unsaid:
            raise RequestError("bad_schema", reason=min(unsaid), path=path)
        if said.pop("nullable", False) is True:
            inner = self.body(said, hint, path, nested + 1)
            return f'{inner} | "null"' if inner else '"null"'
        if "$ref" in said:
            target = self._find(said.pop("$ref"), path)
            return self.body(self._merged(target, said, path), hint, path, nested + 1)
        if "allOf" in said:
            return self.body(self._all_of(said, path), hint, path, nested + 1)
        if CHOICES in said:
            return self._one_of(said, hint, path, nested)
        return self._value(said, hint, path, nested)

    # -- one schema ----------------------------------------------------------------------------

    def _all_of(self, said: dict[str, Any], path: str) -> Any:
        parts = said.pop("allOf")
        if not isinstance(parts, list):
            raise RequestError("bad_schema", reason="allOf", path=path)
        whole: Any = said
        for part in parts:
            while isinstance(part, dict) and "$ref" in part:
                rest = {key: value for key, value in part.items() if key != "$ref"}
                part = self._merged(self._find(part["$ref"], path), rest, path)
            if not isinstance(part, dict | bool):
                raise RequestError("bad_schema", reason="allOf", path=path)
            whole = self._merged(whole, part, path)
        return whole

    def _one_of(self, said: dict[str, Any], hint: str, path: str, nested: int) -> str:
        first, *others = said.pop(CHOICES)
        if not isinstance(first, list) or not first:
            raise RequestError("bad_schema", reason="anyOf", path=path)
        if others:
            said[CHOICES] = others
        ways: list[str] = []
        for place, option in enumerate(first):
            here = f"{path}/anyOf/{place}"
            if not isinstance(option, dict | bool):
                raise RequestError("bad_schema", reason="anyOf", path=here)
            if said and isinstance(option, dict) and "$ref" in option:
                rest = {key: value for key, value in option.items() if key != "$ref"}
                option = self._merged(self._find(option["$ref"], here), rest, here)
            whole = self._merged(said, option, here) if said else option
            name = self.rule(whole, hint, here, nested)
            if name:
                ways.append(name)
        return " | ".join(dict.fromkeys(ways))

    def _value(self, said: dict[str, Any], hint: str, path: str, nested: int) -> str:
        kinds = _kinds(said, path)
        if "const" in said or "enum" in said:
            return self._listed(said, kinds, path)
        ways = [self._of_kind(kind, said, hint, path, nested) for kind in kinds]
        return " | ".join(way for way in ways if way)

    def _listed(self, said: dict[str, Any], kinds: list[str], path: str) -> str:
        values = said.get("enum", [said.get("const")])
        if not isinstance(values, list):
            raise RequestError("bad_schema", reason="enum", path=path)
        if "const" in said:
            values = [value for value in values if value == said["const"]]
        values = [value for value in values if _kind_of(value) & set(kinds)]
        spoken_of = {kind for value in values for kind in _kind_of(value)}
        left = {key for key in said if _TYPE_OF.get(key) in spoken_of} - _LISTABLE
        if left:
            # Which of the values keep to these is more than we look at.
            raise RequestError("bad_schema", reason=f"enum_with_{min(left)}", path=path)
        least, most = length_of(said, "minLength", path) or 0, length_of(said, "maxLength", path)
        bounds, _ = bounds_of(said, path)

        def keeps(value: Any) -> bool:
            if isinstance(value, str):
                return least <= len(value) and (most is None or len(value) <= most)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return bounds.hold(Decimal(repr(value)))
            return True

        return self.values([value for value in values if keeps(value)], path)

    def _of_kind(self, kind: str, said: dict[str, Any], hint: str, path: str, nested: int) -> str:
        if kind == "object":
            return object_body(self, said, hint, path, nested)
        if kind == "array":
            return array_body(self, said, hint, path, nested)
        if kind == "string":
            inside = string_inside(said, path)
            whole = f"{ANY_CHARACTER}{{0,}}"
            return "json-string" if inside == whole else f'"\\"" ({inside}) "\\""'
        if kind in ("number", "integer"):
            return self._number(kind, said, path)
        return '"null"' if kind == "null" else '("true" | "false")'

    def _number(self, kind: str, said: dict[str, Any], path: str) -> str:
        bounds, step = bounds_of(said, path)
        if step is None:
            if kind == "number" and not bounds.bounded:
                return "json-number"
            text = whole_number(bounds) if kind == "integer" else decimal_number(bounds)
            return f"({text})" if text else ""
        if step == 1:
            text = whole_number(bounds)
            return f"({text})" if text else ""
        places = -int(step.as_tuple().exponent) if step < 1 else 0
        if kind == "number" and step < 1 and step == step.__class__(10) ** -places:
            text = decimal_number(bounds, places)
            return f"({text})" if text else ""
        if step == step.to_integral_value():
            values = multiples(bounds, int(step), _MAX_MULTIPLES)
            if values is not None:
                return f"({self.values(values, path)})" if values else ""
        raise RequestError("bad_schema", reason="multipleOf", path=path)

    def _merged(self, one: Any, two: Any, path: str) -> Any:
        self._merges += 1
        if self._merges > MAX_MERGES:
            raise RequestError("grammar_too_large", limit=MAX_MERGES)
        whole = merged(one, two, path)
        named = whole.get("properties") if isinstance(whole, dict) else None
        if isinstance(named, dict) and len(named) > MAX_PROPERTIES:
            raise RequestError("grammar_too_large", limit=MAX_PROPERTIES)
        return whole

    # -- references ----------------------------------------------------------------------------

    def _reference(self, target: Any, hint: str, nested: int, path: str = "#") -> str:
        """The name of the rule of another part of the schema; it may stand inside of itself."""
        key = (id(self._root), str(target))
        name = self._known.get(key)
        if name is None:
            schema = self._root if target == "#" else self._find(target, path)
            name = self._known[key] = self._name(hint if target == "#" else str(target))
            body = self.body(schema, hint, str(target), nested + 1)
            if not body:
                raise RequestError("bad_schema", reason="nothing_allowed", path=str(target))
            self._rules[name] = body
        return name

    def _find(self, target: Any, path: str) -> Any:
        """The schema that a reference inside of this document points to."""
        self._count(path)
        if not isinstance(target, str) or not target.startswith("#"):
            raise RequestError("bad_schema", reason="reference_elsewhere", path=path)
        if target == "#":
            return self._root
        if not target.startswith("#/"):
            found = _anchored(self._root, target[1:])
            if found is None:
                raise RequestError("bad_schema", reason="no_such_reference", path=path)
            return found
        here = self._root
        for part in target[2:].split("/"):
            key = _unquoted(part).replace("~1", "/").replace("~0", "~")
            if isinstance(here, dict) and key in here:
                here = here[key]
            elif isinstance(here, list) and key.isdigit() and int(key) < len(here):
                here = here[int(key)]
            else:
                raise RequestError("bad_schema", reason="no_such_reference", path=path)
        return here

    def _count(self, path: str) -> None:
        """References that only lead to each other end here too."""
        self._schemas += 1
        if self._schemas > MAX_SCHEMAS:
            raise RequestError("bad_schema", reason="endless_reference", path=path)

    def _name(self, hint: str) -> str:
        base = re.sub(r"[^A-Za-z0-9]+", "-", hint).strip("-")[-40:] or "value"
        return f"{base}-{len(self._known) + len(self._rules)}"


def _kinds(said: dict[str, Any], path: str) -> list[str]:
    """The types that are allowed; where none is named, those that the keywords speak of."""
    named = said.get("type")
    if named is None:
        spoken = {kind for key, kind in _TYPE_OF.items() if key in said}
        if "enum" in said or "const" in said:
            return list(_TYPES)
        return [kind for kind in _TYPES if kind in spoken] or [
            kind for kind in _TYPES if kind != "integer"
        ]
    kinds = [named] if isinstance(named, str) else named
    if not isinstance(kinds, list) or not all(kind in _TYPES for kind in kinds):
        raise RequestError("bad_schema", reason="type", path=path)
    return [kind for kind in kinds if kind != "integer" or "number" not in kinds]


def _kind_of(value: Any) -> set[str]:
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return {"integer", "number"}
    kinds = {float: "number", str: "string", list: "array", dict: "object", type(None): "null"}
    return {kinds.get(type(value), "")}


def _anchored(schema: Any, name: str) -> Any:
    """The part of a document with that $anchor."""
    todo = [schema]
    while todo:
        here = todo.pop()
        if isinstance(here, dict):
            if here.get("$anchor") == name:
                return here
            todo += here.values()
        elif isinstance(here, list):
            todo += here
    return None


def _unquoted(text: str) -> str:
    """%41 and the like, as a reference may write characters."""
    if "%" not in text:
        return text
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes((int(m[1], 16),)), text.encode())
    return raw.decode("utf-8", "replace")
