"""From a value's words to JSON, by the types that it may have."""

from __future__ import annotations

import json
from typing import Any

from desktop.engine.output.json_text import parsed
from desktop.engine.output.python_text import NoValueError, python_value
from desktop.engine.output.value_types import json_type


def value_of(text: str, types: frozenset[str]) -> str:
    """JSON text: the value that `text` says if its type is allowed, else its words."""
    bare = text.strip()
    found, value = parsed(bare, strict=True)
    if found and _fits(value, types):
        return bare  # as it stands: no number loses a digit
    lenient = _lenient(bare)
    if lenient is not None and _fits(lenient[0], types):
        try:
            return json.dumps(lenient[0], ensure_ascii=False, allow_nan=False)
        except (ValueError, RecursionError):
            pass  # an infinite number: no JSON, so its words
    return json.dumps(text, ensure_ascii=False)


def _fits(value: object, types: frozenset[str]) -> bool:
    """Words that look like a JSON string are its words where any words are allowed."""
    kind = json_type(value)
    if kind == "string":
        return "string" not in types
    return kind in types


def _lenient(text: str) -> tuple[Any] | None:
    found, value = parsed(text)
    if found:
        return (value,)
    try:
        return (python_value(text),)
    except NoValueError:
        return None
