"""A load that went well, written down: what was predicted for it and what it took."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Protocol

from desktop.common.logs import get_logger
from desktop.engine.memory_now import MemoryNow
from desktop.fit.memory import CPU
from desktop.fit.planner import judge
from desktop.fit.speed import TYPICAL_TOKENS
from desktop.fit.types import FitReport, Plan
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine
from desktop.services.fingerprint import fingerprint_of
from desktop.services.history_records import (
    Expected,
    HeldBytes,
    LoadRecord,
    ModelName,
    Rates,
)
from desktop.services.lessons import conditions_of
from desktop.services.open_load import LoadedModel
from desktop.services.recording import RecordedEngine, Recorder

_log = get_logger("services")


class Meter(Protocol):
    def __call__(self, *, graphics: bool) -> MemoryNow: ...


def recorded(
    recorder: Recorder,
    name: str,
    header: ModelHeader,
    loaded: LoadedModel,
    report: FitReport,
    meter: Meter,
) -> RecordedEngine:
    """The loaded engine, which from now on writes down what it does; its load is written.

    `report` is what was told of the plan that was loaded.
    """
    plan, machine = loaded.planned.plan, loaded.planned.machine
    now = meter(graphics=plan.gpu_layers > 0)
    usage = loaded.engine.memory_usage()
    record = LoadRecord(
        id=uuid.uuid4().hex[:12],
        at=recorder.history.now,
        model=_model(name, header),
        conditions=conditions_of(machine),
        plan=plan,
        method=report.method,
        predicted=tuple(map(HeldBytes.predicted, report.memory)),
        actual=tuple(map(HeldBytes.actual, usage or ())),
        grown_bytes=_grown(loaded.before, now),
        expected=_expected(machine, header, plan),
        told=Rates.of(report.speed),
        load_s=round(loaded.load_s, 3),
    )
    _log.info("loaded %s in %.1f s: %s", name, loaded.load_s, _compared(record))
    return RecordedEngine(
        loaded.engine, recorder, record, loaded.before, lambda: meter(graphics=False)
    )


def _model(name: str, header: ModelHeader) -> ModelName:
    return ModelName(
        name, fingerprint_of(header), header.architecture, header.quantization, header.file_bytes
    )


def _expected(machine: Machine, header: ModelHeader, plan: Plan) -> Expected:
    """Predicted as if nothing had been learned."""
    whole = plan.context // max(1, plan.parallel)
    near = judge(machine, header, plan)
    far = judge(machine, header, plan, filled_tokens=whole)
    return Expected(Rates.of(near.speed), min(TYPICAL_TOKENS, whole), Rates.of(far.speed), whole)


def _grown(before: MemoryNow, now: MemoryNow) -> Mapping[str, int]:
    grown = {CPU: max(0, now.process_bytes - before.process_bytes)}
    for device, free_bytes in now.free_bytes.items():
        if device in before.free_bytes and device != CPU:
            grown[device] = max(0, before.free_bytes[device] - free_bytes)
    return grown


def _compared(record: LoadRecord) -> str:
    """For the log: "CPU 812 MiB, predicted 809"."""
    predicted = {row.device: row.total_bytes for row in record.predicted}
    return ", ".join(
        f"{row.device} {row.total_bytes >> 20} MiB, predicted {predicted.get(row.device, 0) >> 20}"
        for row in record.actual
    )
