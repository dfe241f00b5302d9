"""How long a recommendation takes for the whole catalogue; prints one JSON line (milliseconds)."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.hardware.machine import Machine
from desktop.library.catalog import TASKS, shipped_catalog
from desktop.services.recommend import recommend
from tests.fit.machines import desktop, laptop, unified

MACHINES = {
    "laptop_16": laptop(),
    "laptop_32": laptop(32, 24),
    "gpu_12": desktop(12),
    "gpu_24": desktop(24, total=64, free=56),
    "two_gpus": desktop(12, 8, total=64, free=56),
    "apple_16": unified(),
}
REPEAT = 5


def slowest_ms(machine: Machine) -> float:
    """Of all tasks."""
    taken = []
    for task in TASKS:
        started = time.perf_counter()
        recommend(machine, task, "de")
        taken.append(time.perf_counter() - started)
    return max(taken) * 1000


def first_ms(name: str) -> float:
    """In a process of its own, where nothing has been computed before."""
    done = subprocess.run(
        [sys.executable, __file__, name], check=True, capture_output=True, text=True
    )
    return round(float(done.stdout), 1)


def main() -> None:
    if len(sys.argv) > 1:
        shipped_catalog()
        print(slowest_ms(MACHINES[sys.argv[1]]))
        return
    started = time.perf_counter()
    models = shipped_catalog().models
    read_ms = round((time.perf_counter() - started) * 1000, 1)
    first = {name: first_ms(name) for name in MACHINES}
    again = {
        name: round(statistics.median(slowest_ms(machine) for _ in range(REPEAT)), 1)
        for name, machine in MACHINES.items()
    }
    found = {"models": len(models), "read_ms": read_ms, "first_ms": first, "again_ms": again}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
