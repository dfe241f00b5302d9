"""Joules from a power that is looked at now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_GAP_S = 30.0
"""Between looks further apart than this nobody knows what the power was."""


class Integral:
    """Sums power over time by the trapezoid rule; `add` watts at each look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[float, float] | None = None
        self._joules = 0.0

    def add(self, watts: float | None) -> float:
        """Joules so far; None (nothing drains the battery now) breaks the line."""
        now = self._clock()
        if watts is None:
            self._last = None
            return self._joules
        if self._last is not None and now - self._last[0] <= LONGEST_GAP_S:
            self._joules += (now - self._last[0]) * (self._last[1] + watts) / 2
        self._last = (now, watts)
        return self._joules
