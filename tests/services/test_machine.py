"""The friendly sentence, and looking at the computer once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import EngineError
from desktop.common.messages import Messages
from desktop.common.paths import Paths
from desktop.hardware.machine import Cpu, Device, EngineInfo, Gpu, Machine, Memory
from desktop.services.machine import MachineService, best_gpu, sold_size_gb, summary

GIB = 2**30


def machine(ram_gib: float, *gpus: Gpu, bandwidth: int | None = None) -> Machine:
    cpu = Cpu(name="cpu", logical_cores=8, memory_bandwidth_bytes_per_s=bandwidth)
    return Machine(Memory(int(ram_gib * GIB)), cpu, gpus)


def nvidia(gib: float) -> Gpu:
    return Gpu("RTX", "nvidia", "cuda", int(gib * GIB), None, device="CUDA0")


APPLE = Gpu(
    "Apple M3", "apple", "metal", 24 * GIB, None, unified=True, integrated=True, device="MTL0",
    wired_limit_bytes=16 * GIB,
)  # fmt: skip
IRIS = Gpu("Iris Xe", "intel", "vulkan", 8 * GIB, None, unified=True, integrated=True)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            machine(15.4),
            "16 GB RAM, no graphics card: models up to about 8 billion parameters run well.",
        ),
        (
            machine(7.7),
            "8 GB RAM, no graphics card: models up to about 4 billion parameters run well.",
        ),
        (
            machine(64, bandwidth=8_000_000_000),
            "64 GB RAM, no graphics card: models up to about 2 billion parameters run well,"
            " larger ones if they compute with only a part of themselves at a time (MoE).",
        ),
        (machine(2), "2 GB RAM: enough for the guide and for very small models."),
        (
            machine(32, nvidia(24)),
            "RTX with 24 GB, 32 GB RAM: models up to about 32 billion parameters run well and"
            " fast.",
        ),
        (
            machine(16, nvidia(2)),
            "16 GB RAM and RTX: models up to about 8 billion parameters run well.",
        ),
        (
            machine(24, APPLE),
            "Apple M3 with 24 GB of shared memory: models up to about 20 billion parameters run"
            " well and fast.",
        ),
        (
            machine(16, IRIS),
            "16 GB RAM and Iris Xe: models up to about 8 billion parameters run well.",
        ),
    ],
)
def test_summary(found: Machine, sentence: str) -> None:
    key, params = summary(found)
    assert Messages("en").text(key, **params) == sentence
    assert Messages("de").text(key, **params)


@pytest.mark.parametrize("gib", [3, 4, 6, 8, 12, 16, 24, 32, 64, 128])
def test_more_memory_never_promises_less(gib: int) -> None:
    def billions(found: Machine) -> object:
        return summary(found)[1].get("billions", 0)

    fast = 500_000_000_000
    assert billions(machine(gib * 2, bandwidth=fast)) >= billions(machine(gib, bandwidth=fast))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("total", "size"),
    [
        (16_500_000_000, 16),
        (8_200_000_000, 8),
        (25_250_000_000, 24),
        (8 * GIB, 8),
        (400 * GIB, 400),
    ],
)
def test_sold_size(total: int, size: int) -> None:
    assert sold_size_gb(total) == size


def test_a_card_that_the_engine_cannot_use_does_not_count() -> None:
    idle = Gpu("RX", "amd", "", 16 * GIB, None)
    found = machine(16, idle)
    assert best_gpu(found) == idle
    known = Machine(found.memory, found.cpu, found.gpus, engine=EngineInfo("1", ("CPU",)))
    assert best_gpu(known) is None


class Looks:
    def __init__(self) -> None:
        self.times = 0
        self.gpus: tuple[Gpu, ...] = ()

    def __call__(self, **_options: Any) -> Machine:
        self.times += 1
        return machine(16, *self.gpus)


def test_looks_once_until_asked_again(hausgeist_home: Path) -> None:
    looks = Looks()
    info = EngineInfo("0.3", ("CPU",), (Device("CPU", "cpu", "cpu", 1, 1),))
    service = MachineService(
        Paths.from_environment({"HAUSGEIST_HOME": str(hausgeist_home)}),
        look=looks,
        ask_engine=lambda _timeout_s: info,
    )
    assert service.quick().gpus == ()
    assert looks.times == 0
    first = service.machine()
    assert first.engine == info
    assert service.machine() is first
    assert service.quick() is first
    service.machine(refresh=True)
    assert looks.times == 2


def test_an_engine_that_does_not_answer_leaves_a_machine_and_a_note(hausgeist_home: Path) -> None:
    def broken(_timeout_s: float) -> EngineInfo:
        raise EngineError("backends_died", detail="Illegal instruction")

    paths = Paths.from_environment({"HAUSGEIST_HOME": str(hausgeist_home)})
    found = MachineService(paths, look=Looks(), ask_engine=broken).machine()
    assert found.memory.total_bytes == 16 * GIB
    assert found.engine == EngineInfo()
    (note,) = found.notes
    for language in ("de", "en"):
        assert Messages(language).text(f"notes.{note.kind}", **dict(note.params))


def test_what_is_free_now(hausgeist_home: Path) -> None:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(hausgeist_home)})
    looks = Looks()
    free = Memory(16 * GIB, 3 * GIB)
    service = MachineService(
        paths, look=looks, look_at_memory=lambda: free, ask_engine=lambda _s: EngineInfo("1")
    )
    assert service.machine().memory.available_bytes is None
    assert service.current().memory == free
    assert service.machine().memory == free
    assert looks.times == 1
    looks.gpus = (nvidia(8),)
    service.machine(refresh=True)
    service.current()
    assert looks.times == 3  # a card's free memory is known to the driver alone


def test_quick_knows_memory_and_cores(hausgeist_home: Path) -> None:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(hausgeist_home)})
    found = MachineService(paths, look=Looks()).quick()
    assert found.memory.total_bytes > 0
    assert found.cpu.logical_cores > 0
