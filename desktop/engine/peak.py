"""How much memory this process holds, and the most it has ever held."""

from __future__ import annotations

import sys

import psutil


def resident_bytes() -> int:
    """What of this process lies in main memory now; mapped files count as far as they are read."""
    return int(psutil.Process().memory_info().rss)


def peak_bytes() -> int:
    """Peak resident set in bytes; getrusage(2) counts kilobytes on Linux, bytes on macOS."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
