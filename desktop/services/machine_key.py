"""One short name for this very computer, to know again what was learned on it."""

from __future__ import annotations

import hashlib
import json

from desktop.hardware.machine import Gpu, Machine

_GIB = 1 << 30


def machine_key(machine: Machine) -> str:
    """The same as long as processor, memory and graphics are; driver and engine may change."""
    facts = [
        machine.cpu.name,
        machine.cpu.logical_cores,
        round(machine.memory.total_bytes / _GIB),
        [[gpu.name, round(gpu.total_bytes / _GIB)] for gpu in machine.gpus],
    ]
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()


def driver_key(machine: Machine) -> str:
    """The engine and the graphics drivers: what may make the same computer behave otherwise."""
    version = machine.engine.version if machine.engine is not None else ""
    return " ".join([version, *(_driver(gpu) for gpu in machine.gpus)]).strip()


def _driver(gpu: Gpu) -> str:
    return f"{gpu.device or gpu.backend}:{gpu.driver}"
