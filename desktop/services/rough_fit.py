"""Whether a model can fit this machine, told from its number of parameters alone.

For lists of what nobody has looked into: a real verdict needs the file's header.
"""

from __future__ import annotations

from typing import Literal

from desktop.hardware.machine import Machine
from desktop.hub.search import USUAL_BYTES_A_PARAMETER

RoughFit = Literal["fits", "tight", "too_large"]

_AROUND = 1.15  # context, working memory: a part of the weights for what is usual
_ROOM = 0.85  # beyond this share of what is free, little may come in between


def usable_bytes(machine: Machine) -> int:
    """What is free for a model, in main memory and on graphics cards of their own together."""
    memory = machine.memory
    main = memory.total_bytes if memory.available_bytes is None else memory.available_bytes
    cards = (gpu for gpu in machine.gpus if not gpu.unified)
    return main + sum(
        gpu.total_bytes if gpu.free_bytes is None else gpu.free_bytes for gpu in cards
    )


def largest_file_bytes(machine: Machine) -> int:
    """A file larger than this has no room beside what it needs to work."""
    return round(usable_bytes(machine) / _AROUND)


def rough_fit(parameters: int | None, machine: Machine) -> RoughFit | None:
    """None where the number of parameters is not known."""
    if not parameters:
        return None
    needed = parameters * USUAL_BYTES_A_PARAMETER * _AROUND
    usable = usable_bytes(machine)
    if needed > usable:
        return "too_large"
    return "fits" if needed <= usable * _ROOM else "tight"
