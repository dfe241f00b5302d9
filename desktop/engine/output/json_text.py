"""JSON as it is written: where a value ends, and how far it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from desktop.engine.output.parser import Piece
from desktop.engine.output.source import Reading, Source

_OUTSIDE = re.compile(r'["{}\[\]<]')
_INSIDE = re.compile(r'["\\]')
_SCALAR = re.compile(r"[^\s,:{}\[\]<\"]*")
_CONTROL = re.compile(r"[\x00-\x1f]")
_CLOSERS = {"{": "}", "[": "]"}
_BEGINNINGS = ("{", "[", '"')


class JsonScan:
    """Follows the brackets and strings of one object, array or string."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._in_string = False
        self._escaped = False
        self._last = ""
        self.whole = False
        self.broken = False

    @property
    def missing(self) -> str:
        """The brackets that would end the value, where that is all it lacks."""
        if self._in_string or self._last in (",", ":"):
            return ""
        return "".join(_CLOSERS[bracket] for bracket in reversed(self._open))

    def advance(self, text: str) -> tuple[int, str]:
        """How much of `text` belongs to the value, and that with control characters escaped."""
        at = 0
        parts: list[str] = []
        if self._escaped and text:
            at, self._escaped = 1, False
            parts.append(text[0])
        while at < len(text) and not self.whole and not self.broken:
            in_string = self._in_string
            end = self._in(text, at) if in_string else self._out(text, at)
            part = text[at:end]
            parts.append(_CONTROL.sub(_escape, part) if in_string else part)
            at = end
        return at, "".join(parts)

    def _in(self, text: str, at: int) -> int:
        match = _INSIDE.search(text, at)
        if match is None:
            return len(text)
        if match.group() == "\\":
            self._escaped = match.end() == len(text)
            return min(match.end() + 1, len(text))
        self._in_string = False
        self._last = '"'
        self.whole = not self._open
        return match.end()

    def _out(self, text: str, at: int) -> int:
        match = _OUTSIDE.search(text, at)
        between = text[at : match.start() if match else len(text)].rstrip()
        self._last = between[-1] if between else self._last
        if match is None:
            return len(text)
        mark = match.group()
        if mark == "<":  # never in JSON outside strings: the format's own closing word
            self.broken = True
            return match.start()
        self._last = mark
        if mark == '"':
            self._in_string = True
        elif mark in _CLOSERS:
            self._open.append(mark)
        else:
            if self._open:
                self._open.pop()
            self.whole = not self._open
        return match.end()


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


def pass_value(source: Source, tell: Callable[[str], Piece]) -> Reading[bool]:
    """Hand a JSON value on as it is written; whether it came to its end.

    Brackets that are missing before a closing tag are added.
    """
    scan = JsonScan()
    first = yield from source.peek()
    if first not in _BEGINNINGS:
        scalar = yield from source.take_run(_SCALAR)
        yield tell(scalar)
        return bool(scalar)
    while not scan.whole and not scan.broken:
        if (yield from source.over()):
            return False
        used, text = scan.advance(source.unread)
        source.take_scanned(used)
        source.cut()
        yield tell(text)
    if scan.broken:
        yield tell(scan.missing)
    return True


def read_value(source: Source) -> Reading[str]:
    """The text of a JSON value; empty where it does not come to its end. Can be gone back on."""
    first = yield from source.peek()
    if first not in _BEGINNINGS:
        return (yield from source.take_run(_SCALAR))
    scan = JsonScan()
    start = source.place
    while not scan.whole:
        if scan.broken or (yield from source.over()):
            return ""
        source.take_scanned(scan.advance(source.unread)[0])
    return source.since(start)


def read_string(source: Source) -> Reading[str | None]:
    """A whole JSON string's words; None where there is none."""
    if (yield from source.peek()) != '"':
        return None
    value = parsed((yield from read_value(source)))[1]
    return value if isinstance(value, str) else None


def parsed(text: str, *, strict: bool = False) -> tuple[bool, Any]:
    """Whether `text` is one JSON value, and which; not `strict`: with bare control characters."""
    try:
        return True, json.loads(text, strict=strict, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False, None


def _no_constant(name: str) -> None:
    """Python would read NaN and Infinity, which nobody else does."""
    raise ValueError(name)


def written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def inner_of_string(text: str) -> str:
    """How `text` is written within a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
