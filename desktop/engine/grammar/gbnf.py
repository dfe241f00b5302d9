"""Reads GBNF, llama.cpp's notation for grammars, within bounds: from text to plain elements."""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktop.common.errors import RequestError

MAX_CHARACTERS = 1 << 19
MAX_ELEMENTS = 25_000
MAX_NESTED = 100
MAX_TIMES = 1 << 30

_TOKENS = re.compile(
    r"""(?P<blank>[ \t]+|\#[^\r\n]*)
    |(?P<line>\r\n|\r|\n)
    |(?P<literal>"[^"\\]*(?:\\.[^"\\]*)*")
    |(?P<set>\[[^\]\\]*(?:\\.[^\]\\]*)*\])
    |(?P<is>::=)
    |(?P<name>[A-Za-z0-9_-]+)
    |(?P<times>\{\s*[0-9]{1,12}\s*(?:,\s*(?:[0-9]{1,12})?\s*)?\})
    |(?P<token>!?<(?:\[[0-9]{1,9}\]|[^>\r\n]{1,256})>)
    |(?P<sign>[|()*+?.])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SIGNS = {"t": "\t", "r": "\r", "n": "\n"} | {sign: sign for sign in '\\"[]-'}
_LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """These bytes, one after the other; never empty."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of these ranges of code points, both ends included."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class TokenMark:
    """One token of the vocabulary, by number or by its text, or any other one (`negated`)."""

    number: int
    text: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Reference:
    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """One of the alternatives."""

    alternatives: tuple[tuple[Element, ...], ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """`element` from `least` to `most` times; None for no end."""

    element: Element
    least: int
    most: int | None


Element = Literal | Characters | TokenMark | Reference | Group | Repeated


def parse(text: str) -> dict[str, Group]:
    """The rules by name. Raises RequestError("bad_grammar", reason, line, name) or
    ("grammar_too_large", limit)."""
    if len(text) > MAX_CHARACTERS:
        raise RequestError("grammar_too_large", limit=MAX_CHARACTERS)
    return _Reader(text).rules()


class _Reader:
    """One pass over the tokens; recursive for parentheses only, up to MAX_NESTED of them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kind, self._word = "", ""
        self._elements = 0
        self._next()

    def rules(self) -> dict[str, Group]:
        found: dict[str, Group] = {}
        self._skip_lines()
        while self._kind:
            name = self._word
            if self._kind != "name":
                raise self._wrong("rule_expected")
            self._next()
            if self._kind != "is":
                raise self._wrong("is_expected")
            self._next()
            self._skip_lines()
            found[name] = self._alternatives(0)
            if self._kind not in ("line", ""):
                raise self._wrong("unexpected")
            self._skip_lines()
        return found

    def _alternatives(self, nested: int) -> Group:
        if nested > MAX_NESTED:
            raise RequestError("grammar_too_large", limit=MAX_NESTED)
        sequences = [self._sequence(nested)]
        while True:
            if self._kind == "line" and not nested:
                # A line that begins with | belongs to the rule before it.
                here = self._at, self._kind, self._word
                self._skip_lines()
                if self._word != "|":
                    self._at, self._kind, self._word = here
                    break
            if self._kind != "sign" or self._word != "|":
                break
            self._next()
            self._skip_lines()
            sequences.append(self._sequence(nested))
        return Group(tuple(sequences))

    def _sequence(self, nested: int) -> tuple[Element, ...]:
        found: list[Element] = []
        while True:
            if nested:
                self._skip_lines()
            kind, word = self._kind, self._word
            if kind == "times" or (kind == "sign" and word in "*+?"):
                if not found:
                    raise self._wrong("nothing_to_repeat")
                self._next()
                found[-1] = self._repeated(found[-1], word)
                continue
            if kind in ("line", "", "is") or (kind == "sign" and word in "|)"):
                return tuple(found)
            element = self._element(kind, word, nested)
            if element is not None:
                found.append(element)
            self._elements += 1
            if self._elements > MAX_ELEMENTS:
                raise RequestError("grammar_too_large", limit=MAX_ELEMENTS)

    def _element(self, kind: str, word: str, nested: int) -> Element | None:
        if kind == "sign" and word == "(":
            self._next()
            group = self._alternatives(nested + 1)
            if self._word != ")":
                raise self._wrong("unclosed")
            self._next()
            return group
        self._next()
        if kind == "literal":
            raw = self._unescaped(word[1:-1]).encode()
            return Literal(raw) if raw else Group(((),))
        if kind == "set":
            return Characters(self._ranges(word[1:-1]))
        if kind == "name":
            return Reference(word)
        if kind == "token":
            return _token_mark(word)
        return Characters(((0, _LAST),))  # the dot

    def _repeated(self, element: Element, word: str) -> Element:
        least, most = 0, 1 if word == "?" else None
        if word == "+":
            least = 1
        elif word.startswith("{"):
            first, comma, second = word[1:-1].partition(",")
            least = int(first)
            most = (int(second) if second.strip() else None) if comma else least
        if max(least, most or 0) > MAX_TIMES:
            raise RequestError("grammar_too_large", limit=MAX_TIMES)
        if most is not None and most < least:
            raise self._wrong("repetition_upside_down")
        return Repeated(element, least, most)

    def _unescaped(self, text: str) -> str:
        if "\\" in text:
            text = _ESCAPED.sub(self._sign, text)
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            raise self._wrong("bad_character")
        return text

    def _sign(self, match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code is not None:
            number = int(code, 16)
            if number > _LAST:
                raise self._wrong("bad_character")
            return chr(number)
        sign = _SIGNS.get(match[4])
        if sign is None:
            raise self._wrong("unknown_escape")
        return sign

    def _ranges(self, text: str) -> Ranges:
        """The ranges inside of brackets, in order and without overlaps."""
        negated = text.startswith("^")
        signs: list[tuple[str, bool]] = []  # the character, and whether it was escaped
        at = 1 if negated else 0
        while at < len(text):
            match = _ESCAPED.match(text, at) if text[at] == "\\" else None
            if match is not None:
                signs.append((self._sign(match), True))
                at = match.end()
            elif text[at] == "\\":
                raise self._wrong("unknown_escape")
            else:
                signs.append((text[at], False))
                at += 1
        found: list[tuple[int, int]] = []
        place = 0
        while place < len(signs):
            low = ord(signs[place][0])
            if place + 2 < len(signs) and signs[place + 1] == ("-", False):
                found.append((low, ord(signs[place + 2][0])))
                place += 3
            else:
                found.append((low, low))
                place += 1
        ranges = joined(found)
        return complement(ranges) if negated else ranges

    # -- tokens ------------------------------------------------------------------------------

    def _next(self) -> None:
        while True:
            if self._at >= len(self._text):
                self._kind, self._word = "", ""
                return
            match = _TOKENS.match(self._text, self._at)
            if match is None:
                raise self._wrong("unexpected")
            self._at = match.end()
            if match.lastgroup != "blank":
                self._kind, self._word = match.lastgroup or "", match[0]
                return

    def _skip_lines(self) -> None:
        while self._kind == "line":
            self._next()

    def _wrong(self, reason: str) -> RequestError:
        before = self._text[: self._at]
        line = before.count("\n") + 1
        return RequestError("bad_grammar", reason=reason, line=line, name=self._word[:64])


def joined(ranges: list[tuple[int, int]]) -> Ranges:
    """The same characters as ranges in order that neither touch nor overlap."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(pair for pair in ranges if pair[0] <= pair[1]):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def complement(ranges: Ranges) -> Ranges:
    """All other characters."""
    found, start = [], 0
    for low, high in ranges:
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        found.append((start, _LAST))
    return tuple(found)


def _token_mark(word: str) -> TokenMark:
    negated = word.startswith("!")
    text = word.removeprefix("!")
    number = int(text[2:-2]) if text.startswith("<[") and text.endswith("]>") else -1
    return TokenMark(number, text if number < 0 else "", negated)
