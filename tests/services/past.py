"""Records of loads and answers as a test needs them."""

from __future__ import annotations

from dataclasses import replace

from desktop.fit.types import Plan
from desktop.hardware.machine import Cpu, EngineInfo, Gpu, Machine, Memory
from desktop.services.history_records import (
    CloseRecord,
    Expected,
    HeldBytes,
    LoadRecord,
    ModelName,
    Rates,
    SpeedRecord,
)
from desktop.services.lessons import conditions_of
from tests.services.fake_engine import plan

GIB = 1 << 30
MIB = 1 << 20

GPU = Gpu("RTX 4060", "nvidia", "cuda", 8 * GIB, 7 * GIB, driver="580.1", device="CUDA0")
LAPTOP = Machine(
    Memory(16 * GIB, 10 * GIB),
    Cpu(name="A processor", logical_cores=8),
    engine=EngineInfo("0.3.36", ("CPU",)),
)
WITH_GPU = replace(LAPTOP, gpus=(GPU,), engine=EngineInfo("0.3.36", ("CPU", "CUDA")))


def held(
    device: str = "CPU", weights: int = 4 * GIB, context: int = 512 * MIB, compute: int = 128 * MIB
) -> HeldBytes:
    return HeldBytes(device, weights, context, compute, 1 * MIB)


def load_record(
    number: int = 1,
    *,
    machine: Machine = LAPTOP,
    model: str = "a model",
    file_bytes: int = 4 * GIB,
    plan: Plan | None = None,
    predicted: tuple[HeldBytes, ...] = (),
    actual: tuple[HeldBytes, ...] = (),
    grown: dict[str, int] | None = None,
    expected: Rates | Expected | None = None,
    told: Rates | None = None,
) -> LoadRecord:
    near = expected or Rates(100.0, 10.0)
    if isinstance(near, Rates):
        near = Expected(near, 512, near, 4096)
    return LoadRecord(
        id=f"load-{number}",
        at=1000.0 + number,
        model=ModelName(model, f"content of {model}", "llama", "Q4_K_M", file_bytes),
        conditions=conditions_of(machine),
        plan=plan or plan_of(),
        method="dry_run",
        predicted=predicted or (held(),),
        actual=actual,
        grown_bytes=grown or {},
        expected=near,
        told=told or near.rates,
        load_s=2.0,
    )


def plan_of(*, gpu_layers: int = 0, use_mmap: bool = False, device: str = "") -> Plan:
    return replace(plan(gpu_layers=gpu_layers, use_mmap=use_mmap), device=device)


def answer(
    number: int = 1, *, generation: float | None = 10.0, prompt: float | None = None
) -> SpeedRecord:
    return SpeedRecord(
        load=f"load-{number}",
        at=2000.0 + number,
        read_tokens=200,
        written_tokens=100,
        context_tokens=300,
        rates=Rates(prompt, generation),
    )


def end(
    number: int = 1, *, actual: tuple[HeldBytes, ...] = (), peak: dict[str, int] | None = None
) -> CloseRecord:
    return CloseRecord(f"load-{number}", 3000.0 + number, actual, peak or {}, 1)
