"""Main memory: what is built in, and what of it this process may use."""

from __future__ import annotations

import os
from collections.abc import Callable

import psutil

from desktop.common.errors import MachineError
from desktop.hardware.abc import MemoryScan
from desktop.hardware.cgroup import MemoryLimit
from desktop.hardware.machine import Memory, Note

SystemMemory = Callable[[], Memory]


def system_memory() -> Memory:
    """The whole system's memory; raises MachineError("memory_unknown")."""
    try:
        found = psutil.virtual_memory()
        return Memory(int(found.total), min(int(found.available), int(found.total)))
    except (OSError, psutil.Error, KeyError, ValueError, RuntimeError) as error:
        return _from_sysconf(error)  # psutil reads /proc/meminfo, which a container may lack


def _from_sysconf(reason: Exception) -> Memory:
    ask: Callable[[str], int] | None = getattr(os, "sysconf", None)  # not on Windows
    if ask is None:
        raise MachineError("memory_unknown", detail=repr(reason)) from reason
    try:
        page = ask("SC_PAGE_SIZE")
        total, free = ask("SC_PHYS_PAGES") * page, ask("SC_AVPHYS_PAGES") * page
    except (OSError, ValueError) as error:
        raise MachineError("memory_unknown", detail=f"{reason!r}, {error!r}") from error
    if page <= 0 or total <= 0:
        raise MachineError("memory_unknown", detail=repr(reason)) from reason
    return Memory(total, min(max(free, 0), total))


def within_limit(memory: Memory, limit: MemoryLimit | None) -> MemoryScan:
    """`memory` as far as a control group leaves it to this process, and a note if it is less."""
    if limit is None or limit.limit_bytes >= memory.total_bytes:
        return MemoryScan(memory)
    left = limit.limit_bytes - min(limit.used_bytes or 0, limit.limit_bytes)
    available = left if memory.available_bytes is None else min(left, memory.available_bytes)
    note = Note.of("memory_limited", limit_bytes=limit.limit_bytes, total_bytes=memory.total_bytes)
    return MemoryScan(Memory(limit.limit_bytes, available), (note,))
