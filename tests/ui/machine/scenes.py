"""Computers in situations that the page has to tell about."""

from __future__ import annotations

import math
from dataclasses import replace

from desktop.hardware.live import (
    CpuLive,
    DiskLive,
    GpuLive,
    LiveSample,
    MemoryLive,
    PowerLive,
)
from desktop.hardware.machine import Gpu, Memory
from tests.ui.stand_ins import GB, MACHINE

GIB = 1 << 30
CARD = Gpu("NVIDIA GeForce RTX 4070 Laptop GPU", "nvidia", "cuda", 8 * GIB, 3 * GIB, device="CUDA0")
GAMING = replace(MACHINE, memory=Memory(32 * GIB, 18 * GIB), gpus=(CARD,))


def busy(second: int) -> LiveSample:
    """A laptop with a graphics card that answers, a moment after the other."""
    load = 0.4 + 0.3 * math.sin(second / 20)
    return LiveSample(
        at=float(second),
        cpu=CpuLive(load, load * 0.6, 60 + 10 * load, 14.0 + load),
        memory=MemoryLive(32 * GIB, 18 * GIB - second * 1_000_000, GIB, 4 * GIB, 0, 0),
        gpus=(
            GpuLive(
                CARD.name,
                "GPU-1",
                8 * GIB,
                7 * GIB + second * 1_000_000,
                5 * GIB,
                None,
                load,
                load,
                70 + 10 * load,
                80 + 20 * load,
                115.0,
                throttled=False,
            ),
        ),
        disk=DiskLive(212 * GB, 0.0, 3e7 if second % 5 == 0 else 0.0),
        power=PowerLive(on_battery=True, battery=0.63, seconds_left=7000, system_w=20 + load),
    )
