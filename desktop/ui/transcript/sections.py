"""Cuts a very long message into sections that are parsed and laid out on their own when seen.

A section ends where a new top-level block begins for certain; a block that never ends is cut at a
line, and what its rest needs to be understood (fence line, table head) is carried over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

# A row costs by its letters and, more, by its lines: each may be a block of its own.
SOFT_LIMIT = 6_000
HARD_LIMIT = 12_000
LINE_WEIGHT = 40

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^`\n]*$")
_TABLE_RULE = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_NOT_A_START = " \t>-*+|0123456789"


@dataclass(frozen=True, slots=True)
class Carry:
    """What the start of a source owes to what stood before it: the rest of a fence, table, list.

    `opening` stands before the source when it is parsed, `number` is where an ordered list goes
    on (0: where its own number says), `weights` the column widths of the table.
    """

    kind: Literal["", "fence", "table", "list", "text"] = ""
    opening: str = ""
    number: int = 0
    weights: tuple[int, ...] = ()


NOTHING = Carry()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a message and what it carries over from the part before."""

    text: str
    carry: Carry = NOTHING


def weight(text: str) -> int:
    """What a text costs to lay out, in letters."""
    return len(text) + LINE_WEIGHT * text.count("\n")


def sections(text: str, soft: int = SOFT_LIMIT, hard: int = HARD_LIMIT) -> list[Section]:
    """The parts of a Markdown message, in order; joined they are the message. Linear in time."""
    if weight(text) <= hard:
        return [Section(text)]
    found: list[Section] = []
    scan = _Scan()
    begin = size = 0
    carry = NOTHING
    for start, end in _lines(text, hard):
        line = text[start:end]
        step = end - start + LINE_WEIGHT
        if size >= soft and (size + step > hard or scan.at_block_start(line)):
            found.append(Section(text[begin:start], carry))
            begin, size, carry = start, 0, scan.carry(line)
        size += step
        scan.step(line)
    found.append(Section(text[begin:], carry))
    return found


def plain_sections(text: str, soft: int = SOFT_LIMIT) -> list[Section]:
    """The parts of a text that is shown as it is, cut at line ends where there are any."""
    if weight(text) <= 2 * soft:
        return [Section(text)]
    found: list[Section] = []
    begin = size = 0
    for start, end in _lines(text, soft):
        if size >= soft:
            found.append(Section(text[begin:start], Carry("text") if begin else NOTHING))
            begin, size = start, 0
        size += end - start + LINE_WEIGHT
    found.append(Section(text[begin:], Carry("text") if begin else NOTHING))
    return found


def _lines(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Start and end of each line, line break included; a line over `longest` in several parts."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        while end - start > longest:
            cut = text.rfind(" ", start + longest // 2, start + longest) + 1 or start + longest
            yield start, cut
            start = cut
        yield start, end
        start = end


class _Scan:
    """Follows the lines far enough to know whether a fence or a table is open."""

    def __init__(self) -> None:
        self._fence = ""
        self._fence_line = ""
        self._blank = True
        self._previous = ""
        self._table = ""

    def at_block_start(self, line: str) -> bool:
        """Whether this line surely begins a new block at the top level."""
        if self._fence or not self._blank:
            return False
        return bool(line.strip()) and line[0] not in _NOT_A_START

    def carry(self, line: str) -> Carry:
        """What a section that begins with this line takes along."""
        if self._fence:
            return Carry("fence", self._fence_line)
        if self._table and "|" in line:
            return Carry("table", self._table)
        return NOTHING if self._blank else Carry("text")

    def step(self, line: str) -> None:
        bare = line.rstrip("\n")
        fence = _FENCE.match(bare) if "```" in bare or "~~~" in bare else None
        if self._fence:
            if fence and fence[1].startswith(self._fence) and bare.strip() == fence[1]:
                self._fence = ""
        elif fence:
            self._fence, self._fence_line = fence[1], bare + "\n"
        if "|" not in bare:
            self._table = ""
        elif "-" in bare and "|" in self._previous and _TABLE_RULE.match(bare):
            self._table = self._previous + "\n" + bare + "\n"
        self._blank = not bare.strip()
        self._previous = bare
