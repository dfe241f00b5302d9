"""The machine as the planner sees it: what each device may hold, main memory counted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.memory import CPU, GPU, Share
from desktop.hardware.machine import Gpu, Machine

_MIB = 1 << 20
_BACKEND_NAMES = {"hip": "rocm", "mtl": "metal"}
_UNSEEN_GPU_SHARE = 0.9  # of a GPU's memory, where nobody says what is free
_UNIFIED_SHARE = 0.75  # of main memory, where the system does not say what a GPU may use of it


@dataclass(frozen=True, slots=True)
class Room:
    """One device: `available_bytes` is free now, `margin_bytes` of it stay free.

    Unloading our own models would free `ours_bytes` more, and a plan may count on it.
    """

    device: str
    total_bytes: int
    available_bytes: int
    margin_bytes: int
    gpu: Gpu | None = None
    in_main_memory: bool = False
    ours_bytes: int = 0

    @property
    def usable_bytes(self) -> int:
        return max(0, self.available_bytes + self.ours_bytes - self.margin_bytes)

    @property
    def others_bytes(self) -> int:
        """What neither is free nor ours."""
        return max(0, self.total_bytes - self.available_bytes - self.ours_bytes)

    @property
    def own_bytes(self) -> int:
        """What is no part of main memory."""
        if self.in_main_memory:
            return (self.gpu.dedicated_bytes or 0) if self.gpu else 0
        return self.total_bytes if self.gpu else 0


@dataclass(frozen=True, slots=True)
class Rooms:
    """Main memory and the graphics devices that take part; `guessed` where free is not known."""

    cpu: Room
    gpus: tuple[Room, ...]
    guessed: bool = False

    @property
    def shares(self) -> tuple[Share, ...]:
        """llama.cpp divides layers among several devices by their free memory."""
        return tuple(Share(room.device, max(1, room.available_bytes)) for room in self.gpus)

    @property
    def unified(self) -> bool:
        return any(room.in_main_memory for room in self.gpus)

    @property
    def usable_bytes(self) -> int:
        """On all devices together, main memory once."""
        return self.cpu.usable_bytes + self._graphics_bytes()

    @property
    def usable_when_quiet_bytes(self) -> int:
        """The same with few other programs open."""
        main = max(self.cpu.available_bytes, usually_free_bytes(self.cpu.total_bytes))
        return main - self.cpu.margin_bytes + self._graphics_bytes()

    def _graphics_bytes(self) -> int:
        if self.unified:
            return sum(room.own_bytes for room in self.gpus)
        return sum(room.usable_bytes for room in self.gpus)


def rooms(
    machine: Machine,
    corrections: Corrections = NO_CORRECTIONS,
    ours: Mapping[str, int] | None = None,
) -> Rooms:
    """What `machine` offers. Discrete GPUs come before integrated ones, never both together."""
    cpu = _main_memory(machine)
    usable = [gpu for gpu in machine.gpus if _is_usable(gpu, machine)]
    discrete = [gpu for gpu in usable if not (gpu.integrated or gpu.unified)]
    chosen = discrete or usable[:1]
    ours = ours or {}
    cpu = _learned(cpu, corrections, ours)
    rooms_ = tuple(
        _learned(_graphics(gpu, place, cpu), corrections, ours) for place, gpu in enumerate(chosen)
    )
    return Rooms(cpu, rooms_, guessed=machine.memory.available_bytes is None)


def _learned(room: Room, corrections: Corrections, ours: Mapping[str, int]) -> Room:
    """With the margin that failures have taught, and what our own models hold counted free."""
    held = min(max(0, ours.get(room.device, 0)), room.total_bytes - room.available_bytes)
    margin = room.margin_bytes + max(0, corrections.margin_bytes.get(room.device, 0))
    return replace(room, margin_bytes=margin, ours_bytes=held)


def usually_free_bytes(total_bytes: int) -> int:
    """What a desktop with a browser open leaves: all but a quarter, which is 1 to 4 GiB."""
    return max(0, total_bytes - min(4096 * _MIB, max(1024 * _MIB, total_bytes // 4)))


def _main_memory(machine: Machine) -> Room:
    total = machine.memory.total_bytes
    available = machine.memory.available_bytes
    if available is None:
        available = usually_free_bytes(total)
    available = max(0, min(available, total))
    margin = min(max(256 * _MIB, total // 20), 1024 * _MIB)
    return Room(CPU, total, available, min(margin, available // 4))


def _graphics(gpu: Gpu, place: int, cpu: Room) -> Room:
    shared = gpu.unified or gpu.integrated
    free = gpu.free_bytes
    if free is None:
        free = int(gpu.total_bytes * (_UNIFIED_SHARE if shared else _UNSEEN_GPU_SHARE))
    if gpu.wired_limit_bytes is not None:
        free = min(free, gpu.wired_limit_bytes)
    free = max(0, min(free, gpu.total_bytes))
    if shared:
        free = min(free, cpu.available_bytes + (gpu.dedicated_bytes or 0))
    margin = min(max(256 * _MIB, gpu.total_bytes // 20), 1024 * _MIB)
    name = gpu.device or f"{GPU}{place or ''}"
    return Room(name, gpu.total_bytes, free, min(margin, free // 4), gpu, in_main_memory=shared)


def _is_usable(gpu: Gpu, machine: Machine) -> bool:
    """Whether the engine that is built in can compute on it.

    Where a machine is described without its engine, its GPUs are believed.
    """
    if gpu.total_bytes <= 0:
        return False
    if machine.engine is None or not machine.engine.backends or gpu.device:
        return True
    built_in = {name.lower().rstrip("0123456789") for name in machine.engine.backends}
    names = {_BACKEND_NAMES.get(name, name) for name in built_in}
    return gpu.backend in names or ("vulkan" in names and gpu.vendor != "apple")
