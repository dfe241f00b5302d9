"""What one operating system tells beside what all of them do."""

from __future__ import annotations

from abc import ABC, abstractmethod

import psutil

from desktop.hardware.live import CpuLive, GpuLive, MemoryLive, PowerLive
from desktop.hardware.own_processes import OwnUse
from desktop.hardware.rates import Rate


class SystemLive(ABC):
    """What only one operating system tells, added to what all of them do."""

    @abstractmethod
    def cpu(self, at: float) -> CpuLive:
        """Temperature, power, throttling; the load is added by the caller."""

    @abstractmethod
    def memory(self, at: float) -> MemoryLive:
        """Swapping and stalls; sizes are added by the caller."""

    @abstractmethod
    def gpus(self, own: OwnUse, at: float) -> tuple[GpuLive, ...]: ...

    @abstractmethod
    def power(self) -> PowerLive:
        """The whole computer's power and the saving mode; the battery is added by the caller."""

    @abstractmethod
    def close(self) -> None:
        """Let go of drivers and children."""


class OtherLive(SystemLive):
    """A system without sensors that a program may read, macOS among them; NVIDIA's if any."""

    def __init__(self) -> None:
        self._swapped_in, self._swapped_out = Rate(), Rate()

    def cpu(self, at: float) -> CpuLive:  # noqa: ARG002
        return CpuLive()

    def memory(self, at: float) -> MemoryLive:
        try:
            swap = psutil.swap_memory()
        except (OSError, psutil.Error, RuntimeError):
            return MemoryLive()
        return MemoryLive(
            swap_total_bytes=int(swap.total),
            swap_used_bytes=int(swap.used),
            swap_in_bytes_per_s=self._swapped_in.per_s(int(swap.sin), at),
            swap_out_bytes_per_s=self._swapped_out.per_s(int(swap.sout), at),
        )

    def gpus(self, own: OwnUse, at: float) -> tuple[GpuLive, ...]:  # noqa: ARG002
        return ()

    def power(self) -> PowerLive:
        return PowerLive()

    def close(self) -> None:
        """Nothing is held."""
