"""Windows' record of cores and caches (GetLogicalProcessorInformationEx), read from its bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("<II")  # relationship, size of the record
_CORE, _CACHE = 0, 2  # LOGICAL_PROCESSOR_RELATIONSHIP
_GROUP_AFFINITY_BYTES = 16  # u64 mask of processors, u16 group, padding
_UNIFIED, _DATA = 0, 2  # PROCESSOR_CACHE_TYPE


@dataclass(frozen=True, slots=True)
class Cores:
    """`performance` is 0 where all cores are of one kind."""

    physical: int
    logical: int
    performance: int
    l3_bytes: int | None


def parse_cores(raw: bytes) -> Cores:
    """Counts from SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX records; raises ValueError."""
    classes: list[int] = []
    logical = l3 = offset = 0
    while offset < len(raw):
        try:
            relationship, size = _HEADER.unpack_from(raw, offset)
            if size < _HEADER.size or offset + size > len(raw):
                raise ValueError(f"record of {size} bytes at {offset}")
            if relationship == _CORE:
                efficiency_class, threads = _core(raw, offset + _HEADER.size)
                classes.append(efficiency_class)
                logical += threads
            elif relationship == _CACHE:
                l3 += _l3_bytes(raw, offset + _HEADER.size)
        except struct.error as error:
            raise ValueError(f"cut short at {offset}") from error
        offset += size
    fastest = max(classes, default=0)
    mixed = len(set(classes)) > 1
    return Cores(
        physical=len(classes),
        logical=logical,
        performance=classes.count(fastest) if mixed else 0,
        l3_bytes=l3 or None,
    )


def _core(raw: bytes, offset: int) -> tuple[int, int]:
    """PROCESSOR_RELATIONSHIP: flags, class (higher is faster), 20 reserved, groups, their masks."""
    _, efficiency_class, groups = struct.unpack_from("<BB20xH", raw, offset)
    threads = 0
    for group in range(groups):
        (mask,) = struct.unpack_from("<Q", raw, offset + 24 + group * _GROUP_AFFINITY_BYTES)
        threads += mask.bit_count()
    return efficiency_class, threads


def _l3_bytes(raw: bytes, offset: int) -> int:
    """CACHE_RELATIONSHIP: level, associativity, line size, size, type."""
    level, _, _, size, kind = struct.unpack_from("<BBHII", raw, offset)
    return int(size) if level == 3 and kind in (_UNIFIED, _DATA) else 0
