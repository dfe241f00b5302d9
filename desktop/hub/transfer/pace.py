"""How fast it goes, and how fast it may go."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_BURST_S = 0.2


class RateLimit:
    """What several connections may take together; change it at any time."""

    def __init__(
        self, bytes_per_s: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """0: as fast as the line is."""
        self._lock = threading.Lock()
        self._clock = clock
        self._free_at = clock()
        self.bytes_per_s = bytes_per_s

    def wait_s(self, n: int) -> float:
        """Take `n` bytes, and pause that long afterwards."""
        rate = self.bytes_per_s
        if rate <= 0:
            return 0.0
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now - _BURST_S) + n / rate
            return max(0.0, self._free_at - now)


class Speed:
    """Bytes a second over the last few seconds, from a count that grows."""

    def __init__(self, window_s: float = 3.0) -> None:
        self._window_s = window_s
        self._marks: deque[tuple[float, int]] = deque()

    def mark(self, now: float, total_bytes: int) -> None:
        self._marks.append((now, total_bytes))
        while len(self._marks) > 2 and self._marks[1][0] <= now - self._window_s:
            self._marks.popleft()

    @property
    def seconds(self) -> float:
        """How long a time the figure is about."""
        return self._marks[-1][0] - self._marks[0][0] if self._marks else 0.0

    @property
    def bytes_per_s(self) -> float:
        if self.seconds <= 0:
            return 0.0
        return (self._marks[-1][1] - self._marks[0][1]) / self.seconds

    def forget(self) -> None:
        self._marks.clear()
