"""What every platform answers about the machine it runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from desktop.hardware.machine import Cpu, Gpu, Memory, Note


@dataclass(frozen=True, slots=True)
class GpuScan:
    """The usable GPUs, and what is to be said about those that are not."""

    gpus: tuple[Gpu, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class MemoryScan:
    """Main memory, and a note where something allows this process less than is built in."""

    memory: Memory
    notes: tuple[Note, ...] = ()


class Platform(ABC):
    """One operating system's own ways to describe its hardware.

    The answers come from the system's files and calls, without starting other programs. A
    missing part is an empty answer; OSError and ValueError are the caller's to catch. `gpus`
    may hang in a driver, so the caller runs it in a thread that it can give up on.
    """

    @abstractmethod
    def cpu(self) -> Cpu:
        """The processor, without its memory bandwidth, which is measured elsewhere."""

    @abstractmethod
    def memory(self) -> MemoryScan:
        """Main memory; raises MachineError("memory_unknown") where nothing tells it."""

    @abstractmethod
    def nvidia_cards(self) -> tuple[str, ...] | None:
        """NVIDIA cards by name, as far as the system sees them; None: no trace of NVIDIA at all.

        An empty tuple means that there are signs (a driver's files) but no card is listed.
        """

    @abstractmethod
    def gpus(self, memory: Memory) -> GpuScan:
        """All GPUs but NVIDIA's, which NVML describes best on every system."""

    @abstractmethod
    def npus(self) -> tuple[str, ...]:
        """Neural processors by name. No backend uses them yet."""

    @abstractmethod
    def on_battery(self) -> bool | None:
        """Whether a battery feeds the machine; None where there is none."""
