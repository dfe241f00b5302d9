"""Objects and lists whose members stand between tags of their own, as MiniMax M3 writes them."""

from __future__ import annotations

import re
from typing import Any

from desktop.engine.output.json_text import parsed

_DEEPEST = 64
_ITEM = "item"


def nested_value(text: str, sign: str, depth: int = 0) -> Any:
    """The value of ``sign<key>..sign</key>`` in a row, `sign` before each tag; items are a list.

    What holds no such tag is a number, a truth value or words.
    """
    members = _members(text, sign) if depth < _DEEPEST else []
    if not members:
        found, value = parsed(text, strict=True)
        return value if found and isinstance(value, bool | int | float) else text
    values = [(key, nested_value(inner, sign, depth + 1)) for key, inner in members]
    if all(key == _ITEM for key, _ in values):
        return [value for _, value in values]
    return dict(values)


def _members(text: str, sign: str) -> list[tuple[str, str]]:
    """The outermost tags and what they hold; nothing where they do not close."""
    tag = re.compile(re.escape(sign) + r"<(/?)([^<>]+)>")
    found: list[tuple[str, str]] = []
    key, start, depth = "", 0, 0
    for match in tag.finditer(text):
        closes, name = match.groups()
        if depth == 0 and not closes:
            key, start, depth = name, match.end(), 1
        elif depth and name == key:
            depth += -1 if closes else 1
            if depth == 0:
                found.append((key, text[start : match.start()]))
    return found if depth == 0 else []
