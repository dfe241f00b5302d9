"""How much memory a child may take that works on strangers' data."""

from __future__ import annotations

import sys

TEMPLATE_BYTES = 1 << 30
"""What a chat template may take of memory."""


def limit_memory(most_bytes: int) -> None:
    """For the whole process, from now on; nothing where the system has no such limit."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
