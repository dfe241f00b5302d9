"""Everything that can be read of this computer once a second, on each platform."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import psutil

from desktop.common.errors import HausgeistError
from desktop.common.storage import free_bytes
from desktop.hardware.bounded import Pending
from desktop.hardware.linux_live import LinuxLive
from desktop.hardware.live import CpuLive, DiskLive, LiveSample, MemoryLive, PowerLive
from desktop.hardware.live_system import OtherLive, SystemLive
from desktop.hardware.machine import Memory
from desktop.hardware.own_processes import OwnProcesses, OwnUse
from desktop.hardware.rates import Rate
from desktop.hardware.windows_live import WindowsLive

_SELDOM = 10
"""What changes slowly or costs much (battery, free disk) is read at each tenth reading."""
_DISK_WAIT_S = 0.2


class Processor(Protocol):
    """Times of all cores so far: (busy, total) seconds; and of the disk: bytes read, or None."""

    def times(self) -> tuple[float, float] | None: ...

    def read_bytes(self) -> int | None: ...

    def battery(self) -> tuple[float, bool | None, int | None] | None:
        """Charge (0 to 1), whether it feeds the computer, seconds left."""
        ...


class NativeSensors:
    """The sensors of the computer that this runs on. Not thread-safe: one thread reads."""

    def __init__(
        self,
        disk_path: Path,
        read_memory: Callable[[], Memory],
        *,
        system: SystemLive | None = None,
        own: OwnProcesses | None = None,
        processor: Processor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._disk_path = disk_path
        self._read_memory = read_memory
        self._system = system or native_system(read_memory)
        self._own = own or OwnProcesses()
        self._processor = processor or PsutilProcessor()
        self._clock = clock
        self._times: tuple[float, float] | None = None
        self._own_cpu = Rate()
        self._disk = Rate()
        self._own_disk = Rate()
        self._readings = 0
        self._free: int | None = None
        self._power = PowerLive()

    def sample(self) -> LiveSample:
        """Everything now; the first sample has no speeds yet. Raises nothing."""
        at = self._clock()
        own = self._own.read()
        seldom = self._readings % _SELDOM == 0
        self._readings += 1
        if seldom:
            self._free = self._free_bytes()
            self._power = self._read_power()
        return LiveSample(
            at=at,
            cpu=self._cpu(own, at),
            memory=self._memory(own, at),
            gpus=self._system.gpus(own, at),
            disk=DiskLive(
                self._free,
                self._disk.per_s(self._processor.read_bytes(), at),
                self._own_disk.per_s(own.read_bytes, at),
            ),
            power=self._power,
        )

    def close(self) -> None:
        """End what the sensors have started."""
        self._system.close()

    def _cpu(self, own: OwnUse, at: float) -> CpuLive:
        load, cores = self._load()
        ours = self._own_cpu.per_s(own.cpu_s, at)
        if ours is not None:
            ours = min(ours / cores, 1.0)
            load = ours if load is None else max(load, ours)
        return replace(self._system.cpu(at), load=load, ours=ours)

    def _load(self) -> tuple[float | None, int]:
        cores = psutil.cpu_count() or 1
        now = self._processor.times()
        before, self._times = self._times, now
        if now is None or before is None or now[1] <= before[1]:
            return None, cores
        return min(max((now[0] - before[0]) / (now[1] - before[1]), 0.0), 1.0), cores

    def _memory(self, own: OwnUse, at: float) -> MemoryLive:
        found = self._system.memory(at)
        try:
            memory = self._read_memory()
        except HausgeistError:
            return replace(found, ours_bytes=own.bytes, ours_mapped_bytes=own.mapped_bytes)
        return replace(
            found,
            total_bytes=memory.total_bytes,
            available_bytes=memory.available_bytes,
            ours_bytes=own.bytes,
            ours_mapped_bytes=own.mapped_bytes,
        )

    def _read_power(self) -> PowerLive:
        power = self._system.power()
        battery = self._processor.battery()
        if battery is None:
            return power
        charge, feeds, left = battery
        return replace(power, battery=charge, on_battery=feeds, seconds_left=left)

    def _free_bytes(self) -> int | None:
        """A file server that hangs must not stop the other sensors."""
        asked = Pending(lambda: free_bytes(self._disk_path), "live-disk")
        try:
            return asked.result(time.monotonic() + _DISK_WAIT_S)
        except (TimeoutError, HausgeistError, OSError):
            return self._free


class PsutilProcessor:
    """What psutil knows on every system."""

    def times(self) -> tuple[float, float] | None:
        try:
            times = psutil.cpu_times()
        except (OSError, psutil.Error, RuntimeError):
            return None
        values = times._asdict()
        # The kernel counts a guest's time in `user` as well.
        total = sum(values.values()) - values.get("guest", 0.0) - values.get("guest_nice", 0.0)
        return total - values.get("idle", 0.0) - values.get("iowait", 0.0), total

    def read_bytes(self) -> int | None:
        try:
            counters = psutil.disk_io_counters()
        except (OSError, psutil.Error, RuntimeError, NotImplementedError, ValueError):
            return None  # shown as not known; a line in the log once a second would help nobody
        return None if counters is None else int(counters.read_bytes)

    def battery(self) -> tuple[float, bool | None, int | None] | None:
        read = getattr(psutil, "sensors_battery", None)
        try:
            found = None if read is None else read()
        except (OSError, ValueError, RuntimeError, psutil.Error):
            return None
        if found is None:
            return None
        plugged = found.power_plugged
        left = int(found.secsleft) if 0 < (found.secsleft or 0) < 1 << 20 else None
        charge = min(max(found.percent / 100, 0.0), 1.0)
        return charge, None if plugged is None else not plugged, left


def native_system(read_memory: Callable[[], Memory]) -> SystemLive:
    """The platform that this process runs on."""
    system: str = sys.platform
    if system.startswith("linux"):
        try:
            memory = read_memory()
        except HausgeistError:
            memory = Memory(0)
        return LinuxLive(memory=memory)
    if system == "win32":
        return WindowsLive()
    return OtherLive()
