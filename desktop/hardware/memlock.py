"""How much memory this process may keep from being swapped out."""

from __future__ import annotations

import sys


def lockable_bytes() -> int | None:
    """The limit (RLIMIT_MEMLOCK); None where there is none, or nobody tells."""
    if sys.platform == "win32":
        return None  # the working set grows with what is locked
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY else soft
