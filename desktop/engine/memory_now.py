"""How much memory this process and the graphics use at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.engine.llama import llama
from desktop.engine.peak import peak_bytes, resident_bytes
from desktop.engine.usage import device_free_bytes


@dataclass(frozen=True, slots=True)
class MemoryNow:
    """`peak_bytes`: the most this process ever held. `free_bytes` by graphics device."""

    process_bytes: int
    peak_bytes: int
    free_bytes: Mapping[str, int]


def memory_now(*, graphics: bool) -> MemoryNow:
    """`graphics`: ask the drivers too; not needed where the processor does all of the work."""
    free = device_free_bytes(llama()) if graphics else {}
    return MemoryNow(resident_bytes(), peak_bytes(), free)
