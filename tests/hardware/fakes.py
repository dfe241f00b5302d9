"""A platform that answers what a test wants, for everything above the platforms."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from desktop.hardware.abc import GpuScan, MemoryScan, Platform
from desktop.hardware.machine import Cpu, Gpu, Memory
from desktop.hardware.nvidia import NvidiaProbe

GIB = 1 << 30
CARD = Gpu("AMD Radeon RX 7900 XTX", "amd", "vulkan", 24 * GIB, 23 * GIB)
RTX = Gpu("NVIDIA GeForce RTX 4090", "nvidia", "cuda", 24 * GIB, 23 * GIB, driver="560")


class FakePlatform(Platform):
    """`scan` answers for the GPUs and may hang or raise."""

    def __init__(
        self,
        scan: Callable[[], GpuScan] = GpuScan,
        *,
        memory: MemoryScan | None = None,
        nvidia: tuple[str, ...] | None = None,
        npus: tuple[str, ...] = (),
        on_battery: bool | None = None,
    ) -> None:
        self._scan = scan
        self._memory = memory or MemoryScan(Memory(16 * GIB, 10 * GIB))
        self._nvidia = nvidia
        self._npus = npus
        self._on_battery = on_battery

    def cpu(self) -> Cpu:
        return Cpu("Test CPU", 4, 8, ("avx2",), usable_cores=8, l3_bytes=1 << 20)

    def memory(self) -> MemoryScan:
        return self._memory

    def nvidia_cards(self) -> tuple[str, ...] | None:
        return self._nvidia

    def gpus(self, memory: Memory) -> GpuScan:
        assert memory == self._memory.memory
        return self._scan()

    def npus(self) -> tuple[str, ...]:
        return self._npus

    def on_battery(self) -> bool | None:
        return self._on_battery


class FakeNvidia(NvidiaProbe):
    """NVML's answer without a child process."""

    def __init__(self, scan: GpuScan = GpuScan(gpus=(RTX,))) -> None:  # noqa: B008  (frozen)
        super().__init__([])
        self._scan = scan
        self.asked_for: list[tuple[str, ...]] = []

    def scan(self, cards: tuple[str, ...], memory: Memory, deadline: float) -> GpuScan:
        assert memory.total_bytes > 0
        assert deadline > time.monotonic() - 5
        self.asked_for.append(cards)
        return self._scan


class Hang:
    """A driver's call that does not return before `release`."""

    def __init__(self) -> None:
        self._released = threading.Event()

    def __call__(self) -> GpuScan:
        self._released.wait()
        return GpuScan()

    def release(self) -> None:
        self._released.set()
