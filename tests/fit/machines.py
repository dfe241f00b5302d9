"""Machines that fit is asked about in tests."""

from __future__ import annotations

from desktop.hardware.machine import Cpu, Gpu, Machine, Memory, Vendor

GIB = 1 << 30
LAPTOP_CPU = Cpu(
    "A laptop's processor",
    physical_cores=4,
    logical_cores=8,
    features=("avx2", "fma", "f16c"),
    memory_bandwidth_bytes_per_s=40_000_000_000,
)


def laptop(total: float = 16, free: float | None = 11) -> Machine:
    """Gibibytes of main memory, no graphics."""
    available = None if free is None else int(free * GIB)
    return Machine(Memory(int(total * GIB), available), LAPTOP_CPU)


def desktop(vram: float, *more: float, total: float = 32, free: float = 26) -> Machine:
    """With NVIDIA cards of so many gibibytes, nine tenths of them free."""
    gpus = tuple(
        Gpu(
            "A graphics card",
            "nvidia",
            "cuda",
            int(size * GIB),
            int(size * GIB * 0.9),
            device=f"CUDA{place}",
        )
        for place, size in enumerate((vram, *more))
    )
    return Machine(Memory(int(total * GIB), int(free * GIB)), LAPTOP_CPU, gpus)


def unified(
    total: float = 16, free: float = 10, *, vendor: Vendor = "apple", wired: float | None = 10.5
) -> Machine:
    """Graphics that share main memory."""
    gpu = Gpu(
        "Apple M2" if vendor == "apple" else "Integrated graphics",
        vendor,
        "metal" if vendor == "apple" else "vulkan",
        int(total * GIB),
        None,
        unified=True,
        integrated=vendor != "apple",
        device="MTL0" if vendor == "apple" else "Vulkan0",
        wired_limit_bytes=None if wired is None else int(wired * GIB),
    )
    return Machine(Memory(int(total * GIB), int(free * GIB)), LAPTOP_CPU, (gpu,))
