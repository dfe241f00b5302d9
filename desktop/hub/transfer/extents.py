"""Which bytes of a file are there: a set of ranges that grow together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Extent = tuple[int, int]
"""From the first byte to the one behind the last."""


class Extents:
    """Not for several threads at once."""

    def __init__(self, extents: Iterable[Extent] = ()) -> None:
        self._all: list[Extent] = []
        for start, end in extents:
            self.add(start, end)

    def __iter__(self) -> Iterator[Extent]:
        return iter(self._all)

    @property
    def total_bytes(self) -> int:
        return sum(end - start for start, end in self._all)

    @property
    def front(self) -> int:
        """How much is there without a gap from the beginning."""
        return self._all[0][1] if self._all and self._all[0][0] == 0 else 0

    def add(self, start: int, end: int) -> None:
        if start >= end:
            return
        first = bisect_right(self._all, (start, -1))
        if first and self._all[first - 1][1] >= start:
            first -= 1
        last = first
        while last < len(self._all) and self._all[last][0] <= end:
            start = min(start, self._all[last][0])
            end = max(end, self._all[last][1])
            last += 1
        self._all[first:last] = [(start, end)]

    def remove(self, start: int, end: int) -> None:
        if start >= end:
            return
        kept: list[Extent] = []
        for low, high in self._all:
            kept += [piece for piece in ((low, min(high, start)), (max(low, end), high))
                     if piece[0] < piece[1]]  # fmt: skip
        self._all = kept

    def holds(self, start: int, end: int) -> bool:
        """Whether all of the range is there."""
        return start >= end or any(low <= start and end <= high for low, high in self._all)

    def gaps(self, size_bytes: int) -> Iterator[Extent]:
        """What is missing of a file, in order."""
        at = 0
        for start, end in self._all:
            if at < start:
                yield at, min(start, size_bytes)
            at = end
        if at < size_bytes:
            yield at, size_bytes
