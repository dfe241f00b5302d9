"""Linux while it works: /proc for memory, /sys for sensors and GPUs, NVML for NVIDIA's."""

from __future__ import annotations

from dataclasses import replace

from desktop.hardware.files import Files
from desktop.hardware.hwmon import Hwmon
from desktop.hardware.linux import LinuxPlatform
from desktop.hardware.live import CpuLive, GpuLive, MemoryLive, PowerLive
from desktop.hardware.live_system import SystemLive
from desktop.hardware.machine import Memory
from desktop.hardware.nvidia_live import NvidiaLive
from desktop.hardware.own_processes import OwnUse
from desktop.hardware.rates import Rate
from desktop.hardware.sysfs_live import SysfsLive, nvidia_sleeps

_PAGE_BYTES = 4096


class LinuxLive(SystemLive):
    """Its files below `files.root`."""

    def __init__(
        self,
        files: Files | None = None,
        memory: Memory | None = None,
        nvidia: NvidiaLive | None = None,
    ) -> None:
        self._files = files or Files()
        self._hwmon = Hwmon(self._files)
        self._cards = SysfsLive(self._files, memory or Memory(0))
        has_nvidia = LinuxPlatform(self._files).nvidia_cards() is not None
        self._nvidia = (nvidia or NvidiaLive()) if has_nvidia else None
        self._swapped_in, self._swapped_out = Rate(), Rate()

    def cpu(self, at: float) -> CpuLive:
        return CpuLive(
            temperature_c=self._hwmon.temperature_c(),
            power_w=self._hwmon.cpu_power_w(at),
            throttled=self._hwmon.throttled(at),
        )

    def memory(self, at: float) -> MemoryLive:
        """Swap and stalls; swapping is counted in pages since the start (proc(5), vmstat)."""
        sizes = _numbers(self._files.text_or("/proc/meminfo"), ":", 1024)
        counts = _numbers(self._files.text_or("/proc/vmstat"), " ", _PAGE_BYTES)
        total, free = sizes.get("SwapTotal"), sizes.get("SwapFree")
        return MemoryLive(
            swap_total_bytes=total,
            swap_used_bytes=None if total is None or free is None else max(0, total - free),
            swap_in_bytes_per_s=self._swapped_in.per_s(counts.get("pswpin"), at),
            swap_out_bytes_per_s=self._swapped_out.per_s(counts.get("pswpout"), at),
            stalled=_stalled(self._files.text_or("/proc/pressure/memory")),
        )

    def gpus(self, own: OwnUse, at: float) -> tuple[GpuLive, ...]:
        found: tuple[GpuLive, ...] = ()
        if self._nvidia is not None:
            if nvidia_sleeps(self._files):
                self._nvidia.pause()
            else:
                found = self._nvidia.sample(own.pids)
        return (*found, *self._cards.sample(own.pids, at))

    def power(self) -> PowerLive:
        return replace(
            PowerLive(), system_w=self._hwmon.system_power_w(), saving=self._hwmon.saving()
        )

    def close(self) -> None:
        if self._nvidia is not None:
            self._nvidia.pause()


def _numbers(text: str, mark: str, unit: int) -> dict[str, int]:
    """``SwapTotal:  8 kB`` or ``pswpin 12`` in bytes."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(mark)
        number = value.split()[:1]
        if number and number[0].isascii() and number[0].isdigit():
            found[name] = int(number[0]) * unit
    return found


def _stalled(text: str) -> float | None:
    """``some avg10=1.23 ...`` is percent of the last ten seconds (the kernel's PSI)."""
    for line in text.splitlines():
        if not line.startswith("some "):
            continue
        for part in line.split():
            name, _, value = part.partition("=")
            if name == "avg10":
                try:
                    return min(max(float(value) / 100, 0.0), 1.0)
                except ValueError:
                    return None
    return None
