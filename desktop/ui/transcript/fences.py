"""Code fences at the top level, read line by line and never parsed.

So an open fence of any length costs nothing but its new lines while it is streamed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPEN = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)$")


@dataclass(frozen=True, slots=True)
class FencePart:
    """The code of a fence, or of a part of one, without fence lines and final line break."""

    end: int
    code: str
    info: str
    closed: bool


class Fence:
    """A fence that `tail` begins with, or, with `continued`, lies within."""

    def __init__(self, opening: str, tail: str, *, continued: bool) -> None:
        found = _OPEN.match(opening.rstrip("\n"))
        if found is None:
            raise ValueError(f"not a fence: {opening!r}")
        self.opening = opening
        self._indent = len(found[1])
        self._info = found[3].strip()
        mark = found[2]
        self._closing = re.compile(rf" {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*$")
        self._closing_begun = re.compile(rf" {{0,3}}{mark[0]}+[ \t]*$")
        self._tail = tail
        self._begin = 0 if continued else len(opening)

    def finished(self, longest: int, most_lines: int) -> FencePart | None:
        """The first part that will not change: up to the closing line, or as much as may be."""
        position, lines = self._begin, 0
        while True:
            newline = self._tail.find("\n", position)
            end = newline + 1 or len(self._tail)
            if end - self._begin > longest:
                cut = position if position > self._begin else self._begin + longest
                return self._part(cut, cut, closed=False)
            if newline < 0:
                return None
            if self._closing.match(self._tail, position, newline):
                return self._part(position, end, closed=True)
            lines += 1
            if lines == most_lines:
                return self._part(end, end, closed=False)
            position = end

    def rest(self, *, final: bool) -> FencePart:
        """All that is there by now; a closing line that has only begun is left out until final."""
        end = len(self._tail)
        last = max(self._begin, self._tail.rfind("\n") + 1)
        closing = self._closing if final else self._closing_begun
        closed = last < end and closing.match(self._tail, last) is not None
        return self._part(last if closed else end, end, closed=closed)

    def _part(self, code_end: int, end: int, *, closed: bool) -> FencePart:
        code = self._tail[self._begin : code_end]
        if self._indent:
            code = re.sub(rf"^ {{1,{self._indent}}}", "", code, flags=re.MULTILINE)
        return FencePart(end, code.removesuffix("\n"), self._info, closed)


def fence_at(tail: str) -> Fence | None:
    """The fence that the text begins with, once its first line is whole."""
    end = tail.find("\n", 0, 200)
    if end < 0 or not _OPEN.match(tail[:end]):
        return None
    return Fence(tail[: end + 1], tail, continued=False)
