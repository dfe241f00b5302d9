"""What this app itself takes: this process with all its children."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

_LISTED_ANEW = 5
"""Listing children reads every process of the machine: each fifth reading is often enough."""


@dataclass(frozen=True, slots=True)
class OwnUse:
    """Processor seconds so far, memory now, bytes that came from the disk so far.

    `mapped_bytes` are files in memory (a mapped model), `bytes` everything else.
    """

    pids: tuple[int, ...]
    cpu_s: float
    bytes: int
    mapped_bytes: int
    read_bytes: int | None


class OwnProcesses:
    """Reads them again and again. Children that ended keep what they have used."""

    def __init__(
        self,
        this: psutil.Process | None = None,
        platform: str = sys.platform,
        listing: Callable[[psutil.Process], Sequence[psutil.Process]] | None = None,
    ) -> None:
        self._this = this or psutil.Process()
        self._platform = platform
        self._listing = listing or _children
        self._children: dict[int, psutil.Process] = {}
        self._used: dict[int, tuple[float, int]] = {}  # of those that live: cpu_s, read_bytes
        self._ended_cpu_s = 0.0
        self._ended_read_bytes = 0
        self._readings = 0

    def read(self) -> OwnUse:
        """The sum over all of them now."""
        if self._readings % _LISTED_ANEW == 0:
            self._children = {child.pid: child for child in self._listing(self._this)}
        self._readings += 1
        own, mapped = 0, 0
        reads = False
        for process in (self._this, *self._children.values()):
            found = self._read_one(process)
            if found is None:
                continue
            cpu_s, read_bytes, process_bytes, process_mapped = found
            reads = reads or read_bytes is not None
            self._used[process.pid] = (cpu_s, read_bytes or 0)
            own += process_bytes
            mapped += process_mapped
        self._bury()
        cpu_s = self._ended_cpu_s + sum(used[0] for used in self._used.values())
        read = self._ended_read_bytes + sum(used[1] for used in self._used.values())
        return OwnUse(tuple(self._used), cpu_s, own, mapped, read if reads else None)

    def _read_one(self, process: psutil.Process) -> tuple[float, int | None, int, int] | None:
        try:
            with process.oneshot():
                times = process.cpu_times()
                own, mapped = _memory(process.memory_info(), self._platform)
                return times.user + times.system, _read_bytes(process), own, mapped
        except (psutil.Error, OSError):
            self._children.pop(process.pid, None)
            return None

    def _bury(self) -> None:
        """What has ended counts on, or the sums would fall."""
        living = {self._this.pid, *self._children}
        for pid in [pid for pid in self._used if pid not in living]:
            cpu_s, read_bytes = self._used.pop(pid)
            self._ended_cpu_s += cpu_s
            self._ended_read_bytes += read_bytes


def _children(process: psutil.Process) -> Sequence[psutil.Process]:
    try:
        return process.children(recursive=True)
    except (psutil.Error, OSError):
        return ()


def _memory(info: Any, platform: str) -> tuple[int, int]:
    """Bytes of its own and bytes of mapped files; the fields differ by system."""
    resident = int(info.rss)
    if platform == "win32":
        own = min(int(getattr(info, "private", resident)), resident)
        return own, resident - own
    mapped = min(int(getattr(info, "shared", 0)), resident)
    return resident - mapped, mapped


def _read_bytes(process: psutil.Process) -> int | None:
    """On Linux what really came from the disk, page faults of mapped files included."""
    counters = getattr(process, "io_counters", None)  # not on macOS
    if counters is None:
        return None
    try:
        return int(counters().read_bytes)
    except (psutil.Error, OSError, AttributeError, NotImplementedError, RuntimeError):
        return None  # it ended meanwhile, or this system does not tell: shown as not known
