"""Which of llama.cpp's devices is which graphics processor of this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from desktop.hardware.machine import (
    POOL_BACKEND,
    Backend,
    Device,
    EngineInfo,
    Gpu,
    Machine,
    Note,
    Vendor,
)

# llama.cpp's device names by backend, the one to prefer where a card is reachable by several first.
_BACKENDS: tuple[tuple[str, Backend], ...] = (
    ("CUDA", "cuda"),
    ("ROCm", "rocm"),
    ("MTL", "metal"),
    ("Metal", "metal"),
    ("SYCL", "sycl"),
    ("Vulkan", "vulkan"),
)
_VENDOR_WORDS: tuple[tuple[str, Vendor], ...] = (
    ("nvidia", "nvidia"),
    ("geforce", "nvidia"),
    ("amd", "amd"),
    ("radeon", "amd"),
    ("intel", "intel"),
    ("apple", "apple"),
)
_POOL_DEVICE = "RPC"
_NAMELESS = re.compile(r"\([0-9a-f]{4}\)$")
_WORD = re.compile(r"[a-z0-9]+")
_COMMON_WORDS = {"amd", "intel", "nvidia", "graphics", "radeon", "geforce", "gpu", "r", "tm"}


def with_engine(machine: Machine, engine: EngineInfo) -> Machine:
    """`machine` with what the engine reports, and each GPU joined with its device there.

    A joined GPU knows its `device` and `backend`, and what the engine measured better than the
    system: free memory that nothing told before, a card's size, Metal's limit. A GPU that no
    device matches keeps `device` "" and gets a note: this build of the engine cannot use it.
    """
    free = [device for device in engine.devices if device.type in ("gpu", "igpu")]
    gpus: list[Gpu] = []
    notes: list[Note] = []
    for gpu in machine.gpus:
        device = _best(gpu, free)
        if device is None:
            gpus.append(gpu)
            notes.append(Note.of("gpu_no_backend", name=gpu.name))
            continue
        free = _without(free, device)
        gpus.append(_joined(gpu, device))
    return replace(machine, gpus=tuple(gpus), engine=engine, notes=(*machine.notes, *notes))


def _best(gpu: Gpu, devices: list[Device]) -> Device | None:
    """The device that is most like `gpu`: name, size and kind, then the fastest backend."""
    ranked = [
        (_likeness(gpu, device), -rank, -index, device)
        for index, device in enumerate(devices)
        if (rank := _rank(device)) is not None and _vendor(device) == gpu.vendor
    ]
    return max(ranked, key=lambda item: item[:3])[3] if ranked else None


def _rank(device: Device) -> int | None:
    for rank, (prefix, _) in enumerate(_BACKENDS):
        if device.name.startswith(prefix):
            return rank
    return None


def _vendor(device: Device) -> Vendor:
    text = device.description.casefold()
    for word, vendor in _VENDOR_WORDS:
        if re.search(rf"\b{word}\b", text):
            return vendor
    return "nvidia" if device.name.startswith("CUDA") else "other"


def _likeness(gpu: Gpu, device: Device) -> tuple[bool, int]:
    shared = _words(gpu.name) & _words(device.description)
    return (device.type == "igpu") == gpu.integrated or gpu.vendor == "apple", len(shared)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold())) - _COMMON_WORDS


def _without(devices: list[Device], taken: Device) -> list[Device]:
    """`devices` without `taken` and without its one entry in every other backend.

    Two equal cards are told apart by their number within a backend, never across backends.
    """
    gone = {taken.name}
    seen = {_rank(taken)}
    for device in devices:
        rank = _rank(device)
        if rank not in seen and _words(device.description) & _words(taken.description):
            seen.add(rank)
            gone.add(device.name)
    return [device for device in devices if device.name not in gone]


def _joined(gpu: Gpu, device: Device) -> Gpu:
    rank = _rank(device)
    backend = gpu.backend if rank is None else _BACKENDS[rank][1]
    name = device.description.partition(" (")[0] if _NAMELESS.search(gpu.name) else gpu.name
    gpu = replace(gpu, name=name or gpu.name, device=device.name, backend=backend)
    if device.total_bytes <= 0:
        return gpu
    if gpu.vendor == "apple":  # Metal itself says what it keeps resident
        gpu = replace(gpu, wired_limit_bytes=min(device.total_bytes, gpu.total_bytes))
    elif not gpu.unified:
        gpu = replace(gpu, total_bytes=device.total_bytes)
    # Drivers have reported more free memory than there is (Vulkan on Intel under Windows). Where
    # the system told it, the system saw other programs too; the smaller number is the safe one.
    free = max(0, device.free_bytes) if gpu.free_bytes is None else gpu.free_bytes
    if device.free_bytes > 0:
        free = min(free, device.free_bytes)
    return replace(gpu, free_bytes=min(free, gpu.total_bytes))


def with_pool(machine: Machine, servers: Sequence[tuple[str, Sequence[Device]]]) -> Machine:
    """`machine` with the devices of other machines behind its own, in the order in which the
    engine counts them when it connects to `servers` one after the other."""
    gpus = list(machine.gpus)
    count = 0
    for server, devices in servers:
        for device in devices:
            gpus.append(
                Gpu(
                    name=server,
                    vendor="other",
                    backend=POOL_BACKEND,
                    total_bytes=device.total_bytes,
                    free_bytes=device.free_bytes,
                    device=f"{_POOL_DEVICE}{count}",
                )
            )
            count += 1
    return replace(machine, gpus=tuple(gpus))


def is_pool_device(name: str) -> bool:
    """Whether llama.cpp calls another machine's device so."""
    return name.startswith(_POOL_DEVICE)
