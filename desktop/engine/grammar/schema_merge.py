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


def merged(one: Any, two: Any, path: str, nested: int = 0) -> Any:
    """What both schemas allow. Raises RequestError("bad_schema", reason, path) where that cannot
    be said, or where one of them is no schema.

    The alternatives of both stand side by side in `CHOICES`.
    """
    if nested > _MAX_NESTED:
        raise RequestError("bad_schema", reason="too_deep", path=path)
    if not isinstance(one, dict | bool) or not isinstance(two, dict | bool):
        raise RequestError("bad_schema", reason="no_schema", path=path)
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
    _bind_others(one, two, both, path, nested)
    _bind_items(one, two, both, path, nested)
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
            return one  # _bind_items knows better
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


def _bind_others(one: Schema, two: Schema, both: dict[str, Any], path: str, nested: int) -> None:
    """What only one of them names is one of the others' "additionalProperties" too."""
    names = both.get("properties")
    if not isinstance(names, dict):
        return
    for closed, other in ((one, two), (two, one)):
        if "additionalProperties" not in closed and "patternProperties" not in closed:
            continue
        own, new = closed.get("properties", {}), other.get("properties", {})
        if not isinstance(own, dict) or not isinstance(new, dict):
            raise RequestError("bad_schema", reason="properties", path=path)
        only = [name for name in new if name not in own]
        if only and "patternProperties" in closed:
            raise RequestError("bad_schema", reason="two_patternProperties", path=path)
        for name in only:
            bound = merged(
                both["properties"][name], closed["additionalProperties"], path, nested + 1
            )
            both["properties"] = {**both["properties"], name: bound}


def _bind_items(one: Schema, two: Schema, both: dict[str, Any], path: str, nested: int) -> None:
    """Behind its own "prefixItems", what a schema says of "items" holds for the other's too."""
    if "prefixItems" not in both:
        return
    first, second = one.get("prefixItems", []), two.get("prefixItems", [])
    if not isinstance(first, list) or not isinstance(second, list):
        raise RequestError("bad_schema", reason="prefixItems", path=path)
    both["prefixItems"] = [
        merged(
            first[place] if place < len(first) else one.get("items", True),
            second[place] if place < len(second) else two.get("items", True),
            path,
            nested + 1,
        )
        for place in range(max(len(first), len(second)))
    ]
