"""Regular expressions of JSON schemas as GBNF for the inside of a JSON string.

What a grammar can say: characters, classes, groups, alternatives, repetition, and the anchors at
both ends. Look-around, references to groups and word boundaries are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktop.common.errors import RequestError
from desktop.engine.grammar.gbnf import Ranges, complement, joined

MAX_CHARACTERS = 10_000
_MAX_NESTED = 25
_MAX_TIMES = 100_000
_LAST = 0x10FFFF

_DIGITS: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE: Ranges = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
_ANY_BUT_LINES = complement(((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)))
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE} | {
    "D": complement(_DIGITS),
    "W": complement(_WORD),
    "S": complement(_SPACE),
}
_NAMED = {"n": 0x0A, "r": 0x0D, "t": 0x09, "f": 0x0C, "v": 0x0B, "0": 0x00}
_JSON_NAMES = {0x08: "b", 0x09: "t", 0x0A: "n", 0x0C: "f", 0x0D: "r", 0x22: '\\"', 0x5C: "\\\\"}
_RAW = complement(((0x00, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0x7F), (0xD800, 0xDFFF)))

ANY_CHARACTER = "json-char"
"""The rule of one character inside of a JSON string, which whoever uses a pattern must have."""

_HEX = "[0-9a-fA-F]"


def character() -> str:
    """What that rule says: any character, escaped where JSON wants it; surrogates in pairs."""
    return (
        f'[^"\\\\\\x00-\\x1f\\x7f] | "\\\\" (["\\\\/bfnrt] | "u" '
        f"([0-9abcefABCEF] {_HEX}{{3}} | [dD] [0-7] {_HEX}{{2}} "
        f'| [dD] [89abAB] {_HEX}{{2}} "\\\\u" [dD] [c-fC-F] {_HEX}{{2}}))'
    )


@dataclass(frozen=True, slots=True)
class Pattern:
    """GBNF, and how many characters it matches; `most` None for no end.

    `unit` is what is repeated, where it is one thing of one character: then any count can be had.
    """

    text: str
    least: int
    most: int | None
    unit: str = ""


def pattern_rule(source: str, path: str) -> Pattern:
    """What a string matches in which `source` is found. Raises RequestError("bad_schema")."""
    if len(source) > MAX_CHARACTERS:
        raise RequestError("bad_schema", reason="pattern_too_long", path=path)
    return _Reader(source, path).whole()


def ranges_text(ranges: Ranges) -> str:
    """One character of `ranges` as it stands in a JSON string: itself, or its escape."""
    ways: list[str] = []
    raw = [
        (max(low, first), min(high, last))
        for low, high in ranges
        for first, last in _RAW
        if max(low, first) <= min(high, last)
    ]
    if raw:
        ways.append("[" + "".join(_span(low, high) for low, high in raw) + "]")
    for code in (*range(0x20), 0x22, 0x5C, 0x7F):
        if any(low <= code <= high for low, high in ranges):
            name = _JSON_NAMES.get(code)
            if name is not None:
                ways.append(f'"\\\\{name}"')
            else:
                ways.append(f'"\\\\u{code:04x}"')
    return ways[0] if len(ways) == 1 else "(" + " | ".join(ways) + ")" if ways else ""


def _span(low: int, high: int) -> str:
    return _sign(low) if low == high else f"{_sign(low)}-{_sign(high)}"


def _sign(code: int) -> str:
    plain = 0x20 < code < 0x7F and chr(code) not in '\\]["^-'
    return chr(code) if plain else f"\\U{code:08x}"


class _Reader:
    def __init__(self, source: str, path: str) -> None:
        self._source = source
        self._path = path
        self._at = 0

    def whole(self) -> Pattern:
        """Each alternative may be anchored at its ends; where it is not, anything may stand."""
        ways: list[Pattern] = []
        while True:
            anchored = self._take("^")
            inner = self._sequence(0, top=True)
            closed = self._source[self._at - 1 : self._at] == "$" and self._dollar
            ways.append(_framed(inner, free_start=not anchored, free_end=not closed))
            if not self._take("|"):
                break
        if self._at < len(self._source):
            raise self._wrong("pattern")
        return _either(ways)

    def _alternatives(self, nested: int) -> Pattern:
        if nested > _MAX_NESTED:
            raise self._wrong("pattern_too_deep")
        ways = [self._sequence(nested)]
        while self._take("|"):
            ways.append(self._sequence(nested))
        return _either(ways)

    def _sequence(self, nested: int, *, top: bool = False) -> Pattern:
        parts: list[Pattern] = []
        self._dollar = False
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            if top and self._source[self._at] == "$":
                self._at += 1
                self._dollar = True
                if self._at < len(self._source) and self._source[self._at] != "|":
                    raise self._wrong("pattern_anchor")
                break
            parts.append(self._repeated(self._atom(nested)))
        return _joined(parts)

    def _atom(self, nested: int) -> Pattern:
        sign = self._source[self._at]
        self._at += 1
        if sign == "(":
            if self._take("?") and not self._take(":"):
                self._name_of_group()
            inner = self._alternatives(nested + 1)
            self._dollar = False
            if not self._take(")"):
                raise self._wrong("pattern")
            return Pattern(f"({inner.text})", inner.least, inner.most)
        if sign == "[":
            return self._one(self._class())
        if sign == ".":
            return self._one(_ANY_BUT_LINES)
        if sign == "\\":
            return self._one(self._escape(in_class=False))
        if sign in "^$":
            raise self._wrong("pattern_anchor")
        if sign in "*+?":
            raise self._wrong("pattern")
        return self._one(((ord(sign), ord(sign)),))

    def _name_of_group(self) -> None:
        """(?<name>...) is a group like any other; all else behind (? looks around."""
        if not self._take("<") or self._peek() in "=!":
            raise self._wrong("pattern_look_around")
        end = self._source.find(">", self._at)
        if end < 0:
            raise self._wrong("pattern")
        self._at = end + 1

    def _repeated(self, atom: Pattern) -> Pattern:
        sign = self._peek()
        least, limit = 1, 1  # type: int, int | None
        if sign in ("*", "+", "?"):
            self._at += 1
            least = 1 if sign == "+" else 0
            limit = 1 if sign == "?" else None
        elif sign == "{" and (times := self._times()) is not None:
            least, limit = times
        else:
            return atom
        self._take("?")  # lazy: the same strings
        if self._peek() in ("*", "+", "?"):
            raise self._wrong("pattern")
        high = None if limit is None or atom.most is None else atom.most * limit
        mark = f"{{{least},{'' if limit is None else limit}}}"
        unit = f"({atom.text})" if atom.least == atom.most == 1 else ""
        most = 0 if atom.most == 0 else high
        return Pattern(f"({atom.text}){mark}", atom.least * least, most, unit)

    def _times(self) -> tuple[int, int | None] | None:
        """{2}, {2,} or {2,5}; a brace of another kind stands for itself, and is refused."""
        end = self._source.find("}", self._at)
        inner = self._source[self._at + 1 : end] if end >= 0 else ""
        first, comma, second = inner.partition(",")
        if not (first.isascii() and first.isdigit() and len(first) < 8):
            raise self._wrong("pattern")
        if second and not (second.isascii() and second.isdigit() and len(second) < 8):
            raise self._wrong("pattern")
        self._at = end + 1
        least = int(first)
        most = (int(second) if second else None) if comma else least
        if (most is not None and most < least) or max(least, most or 0) > _MAX_TIMES:
            raise self._wrong("pattern_repetition")
        return least, most

    def _class(self) -> Ranges:
        negated = self._take("^")
        found: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._class_part()
            single = len(low) == 1 and low[0][0] == low[0][1]
            if single and self._peek() == "-" and self._source[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = self._class_part()
                if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise self._wrong("pattern")
                found.append((low[0][0], high[0][0]))
            else:
                found += low
        ranges = joined(found)
        return complement(ranges) if negated else ranges

    def _class_part(self) -> Ranges:
        sign = self._peek()
        if not sign:
            raise self._wrong("pattern")
        self._at += 1
        return self._escape(in_class=True) if sign == "\\" else ((ord(sign), ord(sign)),)

    def _escape(self, *, in_class: bool) -> Ranges:
        sign = self._peek()
        self._at += 1
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign in _NAMED and not (sign == "0" and self._peek().isdigit()):
            return ((_NAMED[sign], _NAMED[sign]),)
        if sign == "b" and in_class:
            return ((0x08, 0x08),)
        if sign in ("x", "u"):
            return self._code(2 if sign == "x" else 4)
        if not sign or sign.isalnum():
            # Word boundaries, references, properties of Unicode.
            raise self._wrong("pattern_escape")
        return ((ord(sign), ord(sign)),)

    def _code(self, digits: int) -> Ranges:
        text = self._source[self._at : self._at + digits]
        self._at += digits
        if self._source[self._at - digits : self._at - digits + 1] == "{" and digits == 4:
            end = self._source.find("}", self._at - digits)
            text, self._at = self._source[self._at - digits + 1 : end], end + 1
            if end < 0 or not 0 < len(text) <= 6:
                raise self._wrong("pattern_escape")
        try:
            code = int(text, 16)
        except ValueError as error:
            raise self._wrong("pattern_escape") from error
        if code > _LAST or 0xD800 <= code <= 0xDFFF:
            raise self._wrong("pattern_escape")
        return ((code, code),)

    def _one(self, ranges: Ranges) -> Pattern:
        text = ranges_text(ranges)
        if not text:
            raise self._wrong("pattern_empty")
        return Pattern(text, 1, 1)

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _take(self, sign: str) -> bool:
        found = self._source.startswith(sign, self._at)
        if found:
            self._at += len(sign)
        return found

    def _wrong(self, reason: str) -> RequestError:
        return RequestError("bad_schema", reason=reason, path=self._path)


def _joined(parts: list[Pattern]) -> Pattern:
    if len(parts) == 1:
        return parts[0]
    most: int | None = 0
    for part in parts:
        most = None if most is None or part.most is None else most + part.most
    text = " ".join(part.text for part in parts) or '""'
    return Pattern(text, sum(part.least for part in parts), most)


def _either(ways: list[Pattern]) -> Pattern:
    if len(ways) == 1:
        return ways[0]
    most: int | None = 0
    for way in ways:
        most = None if most is None or way.most is None else max(most, way.most)
    text = " | ".join(way.text for way in ways)
    return Pattern(f"({text})", min(way.least for way in ways), most)


def _framed(inner: Pattern, *, free_start: bool, free_end: bool) -> Pattern:
    if not (free_start or free_end):
        return inner
    parts = [f"{ANY_CHARACTER}*"] * free_start + [inner.text] + [f"{ANY_CHARACTER}*"] * free_end
    return Pattern(" ".join(parts), inner.least, None)
