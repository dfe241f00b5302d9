"""Two JSON schemas that hold at once, as one: for allOf, and for keywords beside $ref or anyOf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop.common.errors import RequestError

Schema = Mapping[str, Any]

_REMARKS = frozenset(
    [
        "$schema",
        "$id",
        "$anchor",
        "$comment",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "discriminator",
        "xml",
        "externalDocs",
        "example",
    ]
)
_GREATEST = frozenset(["minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum"])
_LEAST = frozenset(["maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum"])
_MAX_NESTED = 40


CHOICES = "$choices"
"""Our own keyword: lists of schemas, of each of which one must hold (anyOf and oneOf)."""


def plain(schema: Schema) -> dict[str, Any]:
    """The keywords that say what is allowed, anyOf and oneOf as `CHOICES`."""
    found = {key: value for key, value in schema.items() if key not in _REMARKS}
    choices = [found.pop(key) for key in ("anyOf", "oneOf") if key in found]
    if choices:
        found[CHOICES] = [*found.get(CHOICES, ()), *choices]
    return found


def merged(one: Schema | bool, two: Schema | bool, path: str, nested: int = 0) -> Schema | bool:
    """What both allow. Raises RequestError("bad_schema", reason, path) where that cannot be said.

    The alternatives of both stand side by side in `CHOICES`.
    """
    if nested > _MAX_NESTED:
        raise RequestError("bad_schema", reason="too_deep", path=path)
    if one is False or two is False:
        return False
    if isinstance(one, bool):
        return two
    if isinstance(two, bool):
        return one
    both = plain(one)
    for key, value in plain(two).items():
        if key not in both:
            both[key] = value
        elif both[key] != value:
            both[key] = _both_values(key, both[key], value, path, nested)
    _close_objects(one, two, both)
    return both


def _both_values(key: str, one: Any, two: Any, path: str, nested: int) -> Any:
    try:
        if key in _GREATEST:
            return max(one, two)
        if key in _LEAST:
            return min(one, two)
        if key == "type":
            return _types(one, two)
        if key == "enum":
            return [value for value in one if value in two]
        if key == "required":
            return [*one, *(name for name in two if name not in one)]
        if key in ("properties", "patternProperties"):
            names = {**one, **two}
            return {
                name: merged(one.get(name, True), two.get(name, True), path, nested + 1)
                for name in names
            }
        if key in ("items", "additionalProperties", "propertyNames"):
            return merged(one, two, path, nested + 1)
        if key == "prefixItems":
            return [merged(a, b, path, nested + 1) for a, b in zip(one, two, strict=True)]
        if key in ("allOf", CHOICES):
            return [*one, *two]
    except (TypeError, ValueError, AttributeError) as error:
        raise RequestError("bad_schema", reason=key, path=path) from error
    raise RequestError("bad_schema", reason=f"two_{key}"[:40], path=path)


def _types(one: Any, two: Any) -> Any:
    """A whole number is a number too."""
    first = [one] if isinstance(one, str) else list(one)
    second = [two] if isinstance(two, str) else list(two)
    found = [name for name in first if name in second]
    if "integer" not in found and {"number", "integer"} <= {*first, *second}:
        found.append("integer")
    return found


def _close_objects(one: Schema, two: Schema, both: dict[str, Any]) -> None:
    """Where one of them forbids other properties, those that only the other names go."""
    if "properties" not in both:
        return
    for closed, other in ((one, two), (two, one)):
        if closed.get("additionalProperties") is not False or "patternProperties" in closed:
            continue
        own = closed.get("properties") or {}
        for name in other.get("properties") or {}:
            if name not in own:
                both["properties"] = {**both["properties"], name: False}
