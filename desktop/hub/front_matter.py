"""The lines between ``---`` at a model card's top, as far as anybody needs them.

A bounded part of YAML: keys at the margin with a scalar, a list of scalars or a block of text.
What is nested deeper is skipped; nothing can refer, expand or recurse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_CHARACTERS = 64 << 10
_MAX_ITEMS = 400
_KEY = re.compile(r"([A-Za-z_][\w-]{0,60})[ \t]*:(?:[ \t]+(.*)|)$")
_BLOCK = re.compile(r"[|>][+-]?[1-9]?(?:[ \t]+#.*)?$")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)$")

Value = str | tuple[str, ...]


def split_front_matter(text: str) -> tuple[str, str]:
    """The lines between the marks, and all behind them; ("", text) where there are none."""
    body = text.removeprefix("\ufeff")
    if not re.match(r"---[ \t]*\r?\n", body):
        return "", body
    end = re.compile(r"^---[ \t\r]*$", re.MULTILINE).search(body, 4, MAX_CHARACTERS)
    if end is None:
        return "", body
    return body[body.index("\n") + 1 : end.start()], body[end.end() :].lstrip("\r\n")


def read_front_matter(text: str) -> Mapping[str, Value]:
    """Each key's text or list; an empty text for what is nested or cannot be read."""
    lines = text[:MAX_CHARACTERS].splitlines()
    found: dict[str, Value] = {}
    at = 0
    while at < len(lines):
        match = _KEY.match(lines[at])
        at += 1
        if match is None:
            continue
        end = at
        while end < len(lines) and _belongs(lines[end]):
            end += 1
        found.setdefault(match[1], _value((match[2] or "").strip(), lines[at:end]))
        at = end
    return found


def texts(value: Value | None) -> tuple[str, ...]:
    """One text or many as many."""
    if value is None or value == "":
        return ()
    return (value,) if isinstance(value, str) else value


def _belongs(line: str) -> bool:
    """Whether a line continues the key above: indented, empty, a comment or an item of a list."""
    return not line.strip() or line[0] in " \t#" or line.startswith("- ") or line == "-"


def _value(first: str, rest: list[str]) -> Value:
    if _BLOCK.match(first):
        return _block(rest, folds=first[0] == ">")
    if first.startswith("["):
        inside = (first + " ".join(rest)).partition("]")[0][1:]
        parts = inside.split(",", _MAX_ITEMS)[:_MAX_ITEMS]
        return tuple(item for item in map(_scalar, parts) if item)
    if first and not first.startswith("#"):
        return "" if first[0] in "{&*!" else _scalar(first)
    items = []
    for line in rest[:_MAX_ITEMS]:
        match = _ITEM.match(line)
        if match is not None and not _KEY.match(match[1]):
            items.append(_scalar(match[1]))
    return tuple(item for item in items if item) or ""


def _scalar(text: str) -> str:
    text = text.strip()
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return re.split(r"[ \t]#", text, maxsplit=1)[0].strip()


def _block(lines: list[str], *, folds: bool) -> str:
    plain = [line.strip() for line in lines]
    if not folds:
        return "\n".join(plain).strip()
    paragraphs = "\n".join(plain).split("\n\n")
    return "\n\n".join(" ".join(part.split("\n")).strip() for part in paragraphs).strip()
