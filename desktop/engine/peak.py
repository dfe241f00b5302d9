"""How much memory this process holds, and the most it has ever held."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")
_HIGH_WATER = "VmHWM:"


def resident_bytes() -> int:
    """What of this process lies in main memory now; mapped files count as far as they are read."""
    return int(psutil.Process().memory_info().rss)


def peak_bytes() -> int:
    """Peak resident set in bytes.

    On Linux by proc(5): getrusage(2) gives a child its parent's size from before the exec, so
    that a probe started by a large window would look as large. Elsewhere the system's own figure.
    """
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    else:  # noqa: RET505 - mypy follows the platform only so
        own = _high_water_bytes() if sys.platform == "linux" else 0
        if own:
            return own
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _high_water_bytes() -> int:
    """Correct to some pages: the kernel counts them by processor. 0 where it tells nothing."""
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(_HIGH_WATER):
            return int(line.split()[1]) * 1024
    return 0
