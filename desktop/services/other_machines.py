"""Other computers: common ones by name, and what each step up from this one would bring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from desktop.common.errors import Param
from desktop.fit.types import Verdict
from desktop.hardware.machine import Cpu, Gpu, Machine, Memory
from desktop.hardware.macos import default_wired_limit
from desktop.services.machine import best_gpu, sold_size_gb

PresetGroup = Literal["laptop", "apple", "gpu"]
StepKind = Literal["now", "ram", "gpu", "mac"]

_GIB = 1 << 30

# Read by all cores at once, which is about 0.7 of what the memory's data sheet says: DDR4-3200,
# LPDDR5-6400 and DDR5-5600, each on two channels.
_BANDWIDTH_BYTES_PER_S = {8: 35_000_000_000, 16: 50_000_000_000, 32: 60_000_000_000}
_DESKTOP_BANDWIDTH = 60_000_000_000
_FEATURES = ("avx", "avx2", "f16c", "fma", "bmi2")

# What is sold: the makers' names with the size of their memory in GiB.
_CARDS: tuple[tuple[str, str, int], ...] = (
    ("nvidia", "NVIDIA GeForce RTX 4050 Laptop GPU", 6),
    ("nvidia", "NVIDIA GeForce RTX 4060", 8),
    ("nvidia", "NVIDIA GeForce RTX 5070", 12),
    ("nvidia", "NVIDIA GeForce RTX 5060 Ti", 16),
    ("amd", "AMD Radeon RX 7900 XTX", 24),
    ("nvidia", "NVIDIA GeForce RTX 5090", 32),
)
# Chip, its processor cores, memory in GiB.
_MACS: tuple[tuple[str, int, int], ...] = (
    ("Apple M4", 10, 16),
    ("Apple M4", 10, 24),
    ("Apple M4", 10, 32),
    ("Apple M4 Pro", 14, 48),
    ("Apple M4 Max", 16, 64),
)
_LAPTOPS_GIB = (8, 16, 32, 64)
_RAM_STEPS_GIB = (16, 32, 64, 128)
_MOST_RAM_STEPS = 2
_MOST_GPU_STEPS = 3
_BESIDE_CARD_GIB = 32
_CORES = 8


@dataclass(frozen=True, slots=True)
class Preset:
    """A computer that one can buy. ``machine.preset.<group>`` is its name, with `params`."""

    key: str
    group: PresetGroup
    machine: Machine
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model as some machine would run it; the speed is what the planner predicts."""

    name: str
    file_bytes: int
    parameters: int | None
    tokens_per_s: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One change, or the computer as it is ("now"): ``machine.step.<kind>``, with `params`.

    `best` is the most capable model that runs comfortably there, None where none does, `fast`
    one that answers much faster; `mine` are the models asked about, in their order.
    """

    kind: StepKind
    machine: Machine
    params: Mapping[str, Param]
    best: Suggestion | None = None
    fast: Suggestion | None = None
    mine: tuple[Suggestion, ...] = ()


Advise = Callable[[Machine], tuple[Suggestion | None, Suggestion | None]]
"""The best model to take on that machine, and a fast one."""

Judge = Callable[[Machine], Sequence[Suggestion]]
"""How models that one has already would run on that machine."""


def presets() -> tuple[Preset, ...]:
    """Common computers: laptops without a graphics card, Macs, computers with one."""
    return (*_laptops(), *_macs(), *_with_cards())


def preset(key: str) -> Preset | None:
    """The one of that key."""
    return next((one for one in presets() if one.key == key), None)


def steps_up(machine: Machine, advise: Advise, judge: Judge) -> Iterator[Step]:
    """The machine as it is, then what could be changed, each with what it brings.

    A change that brings neither a more capable model nor one that is twice as fast is left out.
    """
    now = last = _filled(Step("now", machine, {}), advise, judge)
    yield now
    for change in changes(machine):
        step = _filled(change, advise, judge)
        if _brings_more(step, now) and not _same_as(step, last):
            last = step
            yield step


def changes(machine: Machine) -> Iterator[Step]:
    """What one could buy instead, cheapest first: memory, a graphics card, a larger Mac."""
    if any(gpu.vendor == "apple" for gpu in machine.gpus):
        yield from _larger_macs(machine)
        return
    ram = sold_size_gb(machine.memory.total_bytes)
    larger = [size for size in _RAM_STEPS_GIB if size > ram * 1.2]
    for size in larger[:_MOST_RAM_STEPS]:
        yield Step("ram", with_memory(machine, size), {"ram_gb": size})
    gpu = best_gpu(machine)
    own = gpu.total_bytes if gpu is not None and not gpu.unified else 0
    cards = [card for card in _CARDS if card[2] * _GIB > own * 1.2 and card[2] >= 8]
    for vendor, name, size in cards[:_MOST_GPU_STEPS]:
        params: dict[str, Param] = {"gpu": name, "gpu_gb": size}
        yield Step("gpu", with_card(machine, _card(vendor, name, size)), params)


def with_memory(machine: Machine, size_gib: int) -> Machine:
    """The same computer with so much memory; what is measured of its processor still holds."""
    memory = Memory(size_gib * _GIB)
    return replace(machine, memory=memory, gpus=tuple(_regrown(machine, memory)), notes=())


def with_card(machine: Machine, card: Gpu) -> Machine:
    """The same computer with another graphics card instead of its own, and quiet programs."""
    integrated = tuple(gpu for gpu in machine.gpus if gpu.unified or gpu.integrated)
    memory = replace(machine.memory, available_bytes=None)
    # Which engine would be built in then is not known: the card is believed.
    return replace(machine, memory=memory, gpus=(card, *integrated), engine=None, notes=())


def _regrown(machine: Machine, memory: Memory) -> Iterator[Gpu]:
    """A GPU that shares main memory has more of it then."""
    for gpu in machine.gpus:
        if not gpu.unified:
            yield replace(gpu, free_bytes=None)
            continue
        own = gpu.dedicated_bytes or 0
        share = (gpu.total_bytes - own) / max(1, machine.memory.total_bytes)
        total = own + int(min(1.0, share) * memory.total_bytes)
        yield replace(gpu, total_bytes=total, free_bytes=None)


def _filled(step: Step, advise: Advise, judge: Judge) -> Step:
    best, fast = advise(step.machine)
    return replace(step, best=best, fast=fast, mine=tuple(judge(step.machine)))


def _brings_more(step: Step, now: Step) -> bool:
    if step.best is None:
        return False
    if now.best is None:
        return True
    larger = (step.best.parameters or 0) > 1.2 * (now.best.parameters or 0)
    faster = (step.best.tokens_per_s or 0.0) > 2 * (now.best.tokens_per_s or 0.0)
    return larger or faster or any(_gains(a, b) for a, b in zip(step.mine, now.mine, strict=False))


def _gains(then: Suggestion, now: Suggestion) -> bool:
    """Whether a model that one has becomes usable, or twice as fast."""
    if then.verdict == "too_large":
        return False
    return now.verdict == "too_large" or (then.tokens_per_s or 0) > 2 * (now.tokens_per_s or 0)


def _same_as(step: Step, before: Step) -> bool:
    """More of the same that brings nothing over the smaller step."""
    if step.kind != before.kind or step.best is None or before.best is None:
        return False
    return (
        step.best.name == before.best.name
        and (step.best.tokens_per_s or 0.0) < 1.2 * (before.best.tokens_per_s or 0.0)
        and not any(_gains(a, b) for a, b in zip(step.mine, before.mine, strict=False))
    )


def _larger_macs(machine: Machine) -> Iterator[Step]:
    ram = sold_size_gb(machine.memory.total_bytes)
    larger = [mac for mac in _MACS if mac[2] > ram * 1.2]
    for chip, cores, size in larger[:_MOST_GPU_STEPS]:
        yield Step("mac", _mac(chip, cores, size), {"chip": chip, "ram_gb": size})


def _laptops() -> Iterator[Preset]:
    for size in _LAPTOPS_GIB:
        machine = Machine(Memory(size * _GIB), _processor(size))
        yield Preset(f"laptop_{size}", "laptop", machine, {"ram_gb": size})


def _macs() -> Iterator[Preset]:
    for chip, cores, size in _MACS:
        key = f"{chip.lower().replace(' ', '_')}_{size}"
        yield Preset(key, "apple", _mac(chip, cores, size), {"chip": chip, "ram_gb": size})


def _with_cards() -> Iterator[Preset]:
    for vendor, name, size in _CARDS:
        gpu = _card(vendor, name, size)
        machine = Machine(
            Memory(_BESIDE_CARD_GIB * _GIB), _processor(_BESIDE_CARD_GIB), gpus=(gpu,)
        )
        params: dict[str, Param] = {"gpu": name, "gpu_gb": size, "ram_gb": _BESIDE_CARD_GIB}
        yield Preset(f"gpu_{size}", "gpu", machine, params)


def _processor(ram_gib: int) -> Cpu:
    bandwidth = _BANDWIDTH_BYTES_PER_S.get(ram_gib, _DESKTOP_BANDWIDTH)
    return Cpu("", _CORES, 2 * _CORES, _FEATURES, bandwidth, usable_cores=2 * _CORES)


def _card(vendor: str, name: str, size_gib: int) -> Gpu:
    total = size_gib * _GIB
    if vendor == "nvidia":
        return Gpu(name, "nvidia", "cuda", total, None, device="CUDA0")
    return Gpu(name, "amd", "vulkan", total, None, device="Vulkan0")


def _mac(chip: str, cores: int, size_gib: int) -> Machine:
    total = size_gib * _GIB
    gpu = Gpu(
        chip,
        "apple",
        "metal",
        total,
        None,
        unified=True,
        integrated=True,
        device="MTL0",
        wired_limit_bytes=default_wired_limit(total),
        dedicated_bytes=0,
    )
    cpu = Cpu(chip, cores, cores, ("neon", "dotprod", "fp16", "i8mm"))
    return Machine(Memory(total), cpu, gpus=(gpu,))
