"""Values as Python writes them, which some templates and models do: `True`, `None`, `'words'`."""

from __future__ import annotations

import re
from typing import Any

DEEPEST = 64
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "0": "\0"}
_CONSTANTS = {"True": True, "False": False, "None": None, "true": True, "false": False}
_CONSTANTS["null"] = None


class NoValueError(ValueError):
    """The text is not one of Python's or JSON's values."""


def python_value(text: str) -> Any:
    """The value of a literal. Raises NoValueError, for too deep ones as well."""
    value, at = _value(text, _skip(text, 0), 0)
    if _skip(text, at) != len(text):
        raise NoValueError
    return value


def unescaped(inner: str) -> str:
    """The words of a string with its escapes read."""
    text = _ESCAPE.sub(_sign, inner)
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        # JSON writes one character as two halves; a half alone is none.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _sign(match: re.Match[str]) -> str:
    code = match.group(1)
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else match.group()
    return _SIGNS.get(code, "" if code == "\n" else code if code in "'\"\\/" else match.group())


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    if depth > DEEPEST or at >= len(text):
        raise NoValueError
    sign = text[at]
    if sign == "{":
        return _mapping(text, at + 1, depth + 1)
    if sign in "[(":
        return _list(text, at + 1, depth + 1, "]" if sign == "[" else ")")
    if (string := _STRING.match(text, at)) is not None:
        return unescaped(string.group()[1:-1]), string.end()
    if (number := _NUMBER.match(text, at)) is not None:
        return _number(number.group()), number.end()
    word = _WORD.match(text, at)
    if word is None or word.group() not in _CONSTANTS:
        raise NoValueError
    return _CONSTANTS[word.group()], word.end()


def _number(text: str) -> int | float:
    if text.lstrip("+-").isdigit():
        if len(text) > 4000:  # Python refuses longer ones with an error of its own
            raise NoValueError
        return int(text)
    return float(text)


def _mapping(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return found, at + 1
        key, at = _value(text, at, depth)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise NoValueError
        value, at = _value(text, _skip(text, at + 1), depth)
        found[key if isinstance(key, str) else str(key)] = value
        at = _comma(text, at, "}")


def _list(text: str, at: int, depth: int, end: str) -> tuple[list[Any], int]:
    found: list[Any] = []
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == end:
            return found, at + 1
        value, at = _value(text, at, depth)
        found.append(value)
        at = _comma(text, at, end)


def _comma(text: str, at: int, end: str) -> int:
    """Behind the comma; before `end` where that follows."""
    at = _skip(text, at)
    if text[at : at + 1] == ",":
        return at + 1
    if text[at : at + 1] != end:
        raise NoValueError
    return at
