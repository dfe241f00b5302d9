"""How much of the processor other programs take while this one measures."""

from __future__ import annotations

import os
import time

import psutil


class OthersLoad:
    """Looks at its making and at `share`; what lies between is judged."""

    def __init__(self) -> None:
        self._began = self._now()

    def share(self) -> float:
        """0 to 1 of all cores: what was busy beside this process; 0 where nobody tells."""
        before, now = self._began, self._now()
        if before is None or now is None:
            return 0.0
        elapsed_s = (now[0] - before[0]) * (os.cpu_count() or 1)
        others_s = (now[1] - before[1]) - (now[2] - before[2])
        return min(1.0, max(0.0, others_s / elapsed_s)) if elapsed_s > 0 else 0.0

    def _now(self) -> tuple[float, float, float] | None:
        """The clock, all cores' busy seconds, this process's own; None in a closed-off place."""
        try:
            times = psutil.cpu_times()
        except (OSError, psutil.Error):
            return None
        waiting = getattr(times, "iowait", 0.0)
        busy = sum(times) - times.idle - waiting - getattr(times, "guest", 0.0)
        return time.monotonic(), busy, time.process_time()
