"""The energy counters of the computer that this runs on."""

from __future__ import annotations

import sys

from desktop.hardware.energy import Counter, EnergySource, NativeEnergy
from desktop.hardware.energy_linux import linux_counters
from desktop.hardware.energy_nvidia import NvidiaCounter
from desktop.hardware.energy_windows import WindowsBattery


def native_energy(*, with_gpu: bool) -> NativeEnergy:
    """The meter for this computer; `with_gpu` asks the graphics driver too (in a child)."""
    counters: dict[EnergySource, Counter] = {}
    if sys.platform == "linux":
        counters.update(linux_counters(with_gpu=with_gpu))
    elif sys.platform == "win32":
        counters["battery"] = WindowsBattery()
    if with_gpu and "gpu" not in counters:
        counters["gpu"] = NvidiaCounter()
    return NativeEnergy(counters)
