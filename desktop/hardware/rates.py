"""Counters that only grow, turned into speeds."""

from __future__ import annotations


class Rate:
    """The growth a second of one counter between two readings."""

    def __init__(self, wraps_at: float | None = None) -> None:
        self._wraps_at = wraps_at
        self._last: tuple[float, float] | None = None

    def per_s(self, value: float | None, at: float) -> float | None:
        """The rate since the last reading; None for the first, and where the counter is missing
        or began anew (a process of ours ended, the driver was loaded again)."""
        if value is None:
            self._last = None
            return None
        before, self._last = self._last, (value, at)
        if before is None or at <= before[1]:
            return None
        grown = value - before[0]
        if grown < 0 and self._wraps_at is not None:
            grown += self._wraps_at
        return None if grown < 0 else grown / (at - before[1])
