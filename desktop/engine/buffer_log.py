"""Buffer sizes as llama.cpp writes them into its log."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MIB = 1 << 20
_LINE = re.compile(r"(\S+)\s+compute buffer size\s*=\s*([0-9.]+) MiB")


def compute_buffers(lines: Iterable[str]) -> dict[str, int]:
    """Bytes of the compute buffer by buffer type; the last reservation counts."""
    found = (_LINE.search(line) for line in lines)
    return {match[1]: round(float(match[2]) * _MIB) for match in found if match}
