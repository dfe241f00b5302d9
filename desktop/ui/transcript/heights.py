"""Heights of all rows with running sums: where a row lies and which row lies at a height."""

from __future__ import annotations

from collections.abc import Iterable


class Heights:
    """A Fenwick tree over row heights in pixels: change, sum and search in O(log n)."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights: list[int] = []
        self._sums: list[int] = [0]
        self.reset(heights)

    def reset(self, heights: Iterable[int]) -> None:
        """Start over with these heights, in O(n)."""
        self._heights = list(heights)
        sums = [0, *self._heights]
        count = len(self._heights)
        for index in range(1, count + 1):
            parent = index + (index & -index)
            if parent <= count:
                sums[parent] += sums[index]
        self._sums = sums

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, row: int) -> int:
        return self._heights[row]

    def __setitem__(self, row: int, height: int) -> None:
        change = height - self._heights[row]
        if not change:
            return
        self._heights[row] = height
        index = row + 1
        while index < len(self._sums):
            self._sums[index] += change
            index += index & -index

    def append(self, height: int) -> None:
        """Add one row at the end."""
        self._heights.append(height)
        index = len(self._heights)
        lowest = index - (index & -index)
        self._sums.append(height + self.above(index - 1) - self.above(lowest))

    def truncate(self, count: int) -> None:
        """Keep the first `count` rows."""
        del self._heights[count:]
        del self._sums[count + 1 :]

    def above(self, row: int) -> int:
        """Height of all rows before `row`."""
        total = 0
        while row > 0:
            total += self._sums[row]
            row -= row & -row
        return total

    @property
    def total(self) -> int:
        return self.above(len(self._heights))

    def find(self, y: int) -> tuple[int, int]:
        """The row at height `y` and how far into it; the nearest row for a `y` outside.

        IndexError when there are no rows.
        """
        count = len(self._heights)
        if not count:
            raise IndexError("no rows")
        if y < 0:
            return 0, 0
        row = 0
        step = 1 << (count.bit_length() - 1)
        while step:
            ahead = row + step
            if ahead <= count and self._sums[ahead] <= y:
                row = ahead
                y -= self._sums[ahead]
            step >>= 1
        if row >= count:
            return count - 1, self._heights[count - 1]
        return row, y
