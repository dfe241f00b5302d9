"""Windows while it works: performance counters for graphics and paging, NVML for NVIDIA's heat."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import psutil

from desktop.hardware import windows_counters
from desktop.hardware.dxgi import Adapter
from desktop.hardware.live import CpuLive, GpuLive, MemoryLive, PowerLive
from desktop.hardware.live_system import SystemLive
from desktop.hardware.nvidia_live import NvidiaLive
from desktop.hardware.own_processes import OwnUse
from desktop.hardware.windows_counters import Counters, Values

_log = logging.getLogger(__name__)


class WindowsLive(SystemLive):
    """One query of all counters a reading; `gpus` is asked last and uses the same values."""

    def __init__(
        self,
        counters: Counters | None = None,
        adapters: Sequence[Adapter] | None = None,
        saver: Callable[[], bool | None] | None = None,
        nvidia: NvidiaLive | None = None,
    ) -> None:
        self._counters = counters or _native_counters()
        self._adapters = _native_adapters() if adapters is None else tuple(adapters)
        self._saver = saver or _native_saver
        has_nvidia = any("nvidia" in adapter.name.lower() for adapter in self._adapters)
        self._nvidia = (nvidia or NvidiaLive()) if has_nvidia else None
        self._values: Values = {}

    def cpu(self, at: float) -> CpuLive:  # noqa: ARG002
        self._values = {} if self._counters is None else self._counters.collect()
        return CpuLive(throttled=windows_counters.throttled(self._values))

    def memory(self, at: float) -> MemoryLive:  # noqa: ARG002
        into, out = windows_counters.swap_rates(self._values)
        found = MemoryLive(swap_in_bytes_per_s=into, swap_out_bytes_per_s=out)
        try:
            swap = psutil.swap_memory()
        except (OSError, psutil.Error, RuntimeError):
            return found
        return replace(found, swap_total_bytes=int(swap.total), swap_used_bytes=int(swap.used))

    def gpus(self, own: OwnUse, at: float) -> tuple[GpuLive, ...]:  # noqa: ARG002
        found = windows_counters.gpus(self._values, self._adapters, own.pids)
        nvidia = () if self._nvidia is None else self._nvidia.sample(own.pids)
        return _merged(found, nvidia)

    def power(self) -> PowerLive:
        return PowerLive(saving=self._saver())

    def close(self) -> None:
        if self._nvidia is not None:
            self._nvidia.pause()
        if self._counters is not None:
            self._counters.close()
            self._counters = None


def _merged(found: tuple[GpuLive, ...], nvidia: tuple[GpuLive, ...]) -> tuple[GpuLive, ...]:
    """Windows knows whose memory it is, NVML heat and power; cards of one name go in order."""
    left = list(nvidia)
    merged: list[GpuLive] = []
    for gpu in found:
        other = next((card for card in left if card.name == gpu.name), None)
        if other is not None:
            left.remove(other)
            gpu = replace(
                gpu,
                total_bytes=other.total_bytes or gpu.total_bytes,
                used_bytes=gpu.used_bytes if other.used_bytes is None else other.used_bytes,
                load=gpu.load if other.load is None else other.load,
                temperature_c=other.temperature_c,
                power_w=other.power_w,
                power_limit_w=other.power_limit_w,
                throttled=other.throttled,
            )
        merged.append(gpu)
    return (*merged, *left)


if sys.platform == "win32":

    def _native_counters() -> Counters | None:
        from desktop.hardware.win32 import NativeCounters  # can be imported on Windows only

        try:
            return cast("Counters", NativeCounters())
        except OSError as error:
            _log.warning("no performance counters: %s", error)
            return None

    def _native_adapters() -> tuple[Adapter, ...]:
        from desktop.hardware.win32 import NativeWindows

        try:
            return NativeWindows().adapters()
        except OSError as error:
            _log.warning("no adapters: %s", error)
            return ()

    def _native_saver() -> bool | None:
        from desktop.hardware.win32 import battery_saver

        return battery_saver()

else:

    def _native_counters() -> Counters | None:
        return None

    def _native_adapters() -> tuple[Adapter, ...]:
        return ()

    def _native_saver() -> bool | None:
        return None
