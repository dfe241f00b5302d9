"""How long a recommendation takes for the whole catalogue; prints one JSON line (milliseconds)."""

from __future__ import annotations

import json
import statistics
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


def median_ms(machine: Machine) -> float:
    """Over all tasks, the slowest of each round."""
    rounds = []
    for _ in range(REPEAT):
        taken = []
        for task in TASKS:
            started = time.perf_counter()
            recommend(machine, task, "de")
            taken.append(time.perf_counter() - started)
        rounds.append(max(taken) * 1000)
    return round(statistics.median(rounds), 1)


def main() -> None:
    started = time.perf_counter()
    models = shipped_catalog().models
    read_ms = round((time.perf_counter() - started) * 1000, 1)
    found = {name: median_ms(machine) for name, machine in MACHINES.items()}
    print(json.dumps({"models": len(models), "read_ms": read_ms, "recommend_ms": found}))


if __name__ == "__main__":
    main()
