"""The machine as the planner sees it: what each device may hold, main memory counted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.gpu_speed import gpu_bandwidth_bytes_per_s
from desktop.fit.memory import CPU, GPU, Share
from desktop.fit.types import Plan
from desktop.hardware.machine import Gpu, Machine

_MIB = 1 << 20
_GIB = 1 << 30
_BACKEND_NAMES = {"hip": "rocm", "mtl": "metal"}
_UNSEEN_GPU_SHARE = 0.9  # of a GPU's memory, where nobody says what is free
_UNIFIED_SHARE = 0.75  # of main memory, where the system does not say what a GPU may use of it
_SAME_SPEED = 1.15
_SMALL_MAC_BYTES = 36 * _GIB  # up to here Metal keeps two thirds resident, above three quarters


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


Party = tuple[Room, ...]
"""Graphics devices that take part together, the slowest first: the fastest takes the output."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Main memory and all graphics devices that can compute; `guessed` where free is not known."""

    cpu: Room
    gpus: tuple[Room, ...]
    guessed: bool = False

    def parties(self) -> tuple[Party, ...]:
        """What is worth trying: the fastest card, with the next one, ...; integrated ones alone."""
        cards = [room for room in self.gpus if not room.in_main_memory]
        places = {room.device: place for place, room in enumerate(cards)}
        cards.sort(key=lambda room: (-_reads_per_s(room), -room.usable_bytes))
        together = [
            tuple(sorted(cards[:count], key=lambda room: (_reads_per_s(room), places[room.device])))
            for count in range(1, len(cards) + 1)
        ]
        return (*together, *((room,) for room in self.gpus if room.in_main_memory))

    def taking_part(self, plan: Plan) -> Party:
        """The devices that `plan` names; one that is gone has no memory at all."""
        if plan.gpu_layers == 0:
            return ()
        if plan.split:
            return tuple(self._named(name) for name, layers in plan.split if layers > 0)
        if plan.device:
            return (self._named(plan.device),)
        # llama.cpp's own choice: all cards, or the first of those that share main memory.
        cards = tuple(room for room in self.gpus if not room.in_main_memory)
        return cards or self.gpus[:1] or (self._named(GPU),)

    def shares(self, plan: Plan) -> tuple[Share, ...]:
        """By layers where the plan says so, else by free memory as llama.cpp divides them."""
        if plan.split and plan.gpu_layers > 0:
            return tuple(Share(name, layers) for name, layers in plan.split if layers > 0)
        party = self.taking_part(plan)
        return tuple(Share(room.device, max(1, room.available_bytes)) for room in party)

    def usable_bytes(self, party: Party) -> int:
        """On these devices and in main memory together, which counts once."""
        return self.cpu.usable_bytes + self._graphics_bytes(party)

    def usable_when_quiet_bytes(self, party: Party) -> int:
        """The same with few other programs open."""
        main = max(self.cpu.available_bytes, usually_free_bytes(self.cpu.total_bytes))
        return main + self.cpu.ours_bytes - self.cpu.margin_bytes + self._graphics_bytes(party)

    @staticmethod
    def equally_fast(party: Party) -> bool:
        """Whether it matters little which of them holds a layer."""
        speeds = [_reads_per_s(room) for room in party]
        return min(speeds) * _SAME_SPEED >= max(speeds)

    def _graphics_bytes(self, party: Party) -> int:
        return sum(
            self._carved_out_bytes(room) if room.in_main_memory else room.usable_bytes
            for room in party
        )

    def _carved_out_bytes(self, room: Room) -> int:
        """What is free of the part that the firmware has taken out of main memory."""
        main = min(self.cpu.available_bytes, room.total_bytes - room.own_bytes)
        return min(max(0, room.available_bytes - main), room.own_bytes)

    def _named(self, device: str) -> Room:
        for room in self.gpus:
            if room.device == device:
                return room
        return Room(device, 0, 0, 0)


def rooms(
    machine: Machine,
    corrections: Corrections = NO_CORRECTIONS,
    ours: Mapping[str, int] | None = None,
) -> Rooms:
    """What `machine` offers, with margins learned from failures and what `ours` would free."""
    held = ours or {}
    cpu = _main_memory(machine)
    usable = [gpu for gpu in machine.gpus if _is_usable(gpu, machine)]
    graphics = [
        _graphics(gpu, name, cpu, machine) for gpu, name in zip(usable, _names(usable), strict=True)
    ]
    found = tuple(_learned(room, corrections, held.get(room.device, 0)) for room in graphics)
    in_main = sum(room.ours_bytes for room in found if room.in_main_memory)
    cpu = _learned(cpu, corrections, held.get(CPU, 0) + in_main)
    return Rooms(cpu, found, guessed=machine.memory.available_bytes is None)


def usually_free_bytes(total_bytes: int) -> int:
    """What a desktop with a browser open leaves: all but a quarter, which is 1 to 4 GiB."""
    return max(0, total_bytes - min(4096 * _MIB, max(1024 * _MIB, total_bytes // 4)))


def _names(gpus: list[Gpu]) -> list[str]:
    """llama.cpp's names; GPU, GPU1, ... where they are not known, or given twice by a file."""
    names: list[str] = []
    for place, gpu in enumerate(gpus):
        known = gpu.device and gpu.device != CPU and gpu.device not in names
        names.append(gpu.device if known else f"{GPU}{place or ''}")
    return names


def _learned(room: Room, corrections: Corrections, ours_bytes: int) -> Room:
    held = min(max(0, ours_bytes), room.total_bytes - room.available_bytes)
    margin = room.margin_bytes + max(0, corrections.margin_bytes.get(room.device, 0))
    return replace(room, margin_bytes=margin, ours_bytes=held)


def _main_memory(machine: Machine) -> Room:
    total = machine.memory.total_bytes
    available = machine.memory.available_bytes
    if available is None:
        available = usually_free_bytes(total)
    available = max(0, min(available, total))
    margin = min(max(256 * _MIB, total // 20), 1024 * _MIB)
    if any(gpu.vendor == "apple" for gpu in machine.gpus):
        # What Metal holds cannot be swapped out: a full Mac stands still, its screen included.
        margin = min(max(512 * _MIB, total // 12), 3072 * _MIB)
    return Room(CPU, total, available, min(margin, available // 4))


def _graphics(gpu: Gpu, name: str, cpu: Room, machine: Machine) -> Room:
    shared = gpu.unified or gpu.integrated
    free = gpu.free_bytes
    if free is None:
        free = int(gpu.total_bytes * _unseen_share(gpu, shared=shared))
    if gpu.wired_limit_bytes is not None:
        free = min(free, gpu.wired_limit_bytes)
    free = max(0, min(free, gpu.total_bytes))
    if shared:
        free = min(free, cpu.available_bytes + (gpu.dedicated_bytes or 0))
    margin = min(_graphics_margin(gpu, machine, shared=shared), free // 4)
    return Room(name, gpu.total_bytes, free, margin, gpu, in_main_memory=shared)


def _unseen_share(gpu: Gpu, *, shared: bool) -> float:
    if not shared:
        return _UNSEEN_GPU_SHARE
    if gpu.vendor == "apple" and gpu.total_bytes <= _SMALL_MAC_BYTES:
        return 2 / 3
    return _UNIFIED_SHARE


def _graphics_margin(gpu: Gpu, machine: Machine, *, shared: bool) -> int:
    if machine.system == "windows" and not shared:
        # Beyond a card's own memory Windows moves buffers into main memory without a word,
        # where they are read at a tenth of the speed; its desktop grows and shrinks meanwhile.
        return min(max(512 * _MIB, gpu.total_bytes // 12), 1536 * _MIB)
    return min(max(256 * _MIB, gpu.total_bytes // 20), 1024 * _MIB)


def _reads_per_s(room: Room) -> float:
    return gpu_bandwidth_bytes_per_s(room.gpu) if room.gpu is not None else 0.0


def _is_usable(gpu: Gpu, machine: Machine) -> bool:
    """Whether the engine that is built in can compute on it.

    Where a machine is described without its engine, its GPUs are believed.
    """
    if gpu.total_bytes <= 0:
        return False
    if machine.engine is None or not machine.engine.backends or gpu.device:
        return True
    if machine.engine.devices:
        return False  # it has looked for devices, and this is none of them
    built_in = {name.lower().rstrip("0123456789") for name in machine.engine.backends}
    names = {_BACKEND_NAMES.get(name, name) for name in built_in}
    return gpu.backend in names or ("vulkan" in names and gpu.vendor != "apple")
