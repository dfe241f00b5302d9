"""What a tool's schema says about the type of one argument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ALL_TYPES = frozenset({"string", "number", "boolean", "null", "object", "array"})
_MOST_STEPS = 64


def argument_types(schema: Mapping[str, Any], key: str) -> frozenset[str]:
    """Which of JSON's types the argument may have ("integer" is "number"); all where unsaid."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or key not in properties:
        return ALL_TYPES
    return _types(properties[key], schema, [_MOST_STEPS])


def known_keys(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """The names that an argument may have; None where any may."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return None
    if schema.get("additionalProperties") not in (None, False) or "patternProperties" in schema:
        return None
    return frozenset(properties)


def json_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def _types(schema: object, root: Mapping[str, Any], steps: list[int]) -> frozenset[str]:
    steps[0] -= 1
    if not isinstance(schema, Mapping) or steps[0] < 0:
        return ALL_TYPES
    if isinstance(reference := schema.get("$ref"), str):
        return _types(_resolve(root, reference), root, steps)
    found = _named(schema)
    for word in ("anyOf", "oneOf"):
        options = schema.get(word)
        if isinstance(options, list) and options:
            among = frozenset[str]().union(*(_types(one, root, steps) for one in options))
            found &= among
    parts = schema.get("allOf")
    for part in parts if isinstance(parts, list) else ():
        found &= _types(part, root, steps)
    return found


def _named(schema: Mapping[str, Any]) -> frozenset[str]:
    if "const" in schema:
        return frozenset({json_type(schema["const"])})
    if isinstance(values := schema.get("enum"), list) and values:
        return frozenset(json_type(value) for value in values)
    named = schema.get("type")
    names = named if isinstance(named, list) else [named]
    types = {"number" if name == "integer" else name for name in names if isinstance(name, str)}
    known = frozenset(types) & ALL_TYPES
    return known or ALL_TYPES


def _resolve(root: Mapping[str, Any], reference: str) -> object:
    """The part of the schema that ``#/a/b`` names; None for what is not there."""
    place: object = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(place, Mapping) or name not in place:
            return None
        place = place[name]
    return place
