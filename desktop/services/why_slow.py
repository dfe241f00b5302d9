"""Why is it slow? What the last minutes' readings say, as the keys of sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from desktop.common.errors import Param
from desktop.common.reading import COMFORTABLE_TOKENS_PER_S
from desktop.engine.events import Stats
from desktop.fit.types import FitReport
from desktop.hardware.live import GpuLive, LiveSample
from desktop.hardware.machine import POOL_BACKEND, Gpu, Machine
from desktop.services.live import LiveReading

Kind = Literal[
    "swapping",
    "memory_full",
    "disk",
    "gpu_spill",
    "few_layers",
    "few_experts",
    "gpu_unused",
    "others_gpu",
    "others_cpu",
    "battery",
    "saving",
    "heat",
    "gpu_heat",
    "long_chat",
    "large_model",
    "unexplained",
]

RECENT_S = 60.0
_LEAST_READINGS = 3
_SWAP_BYTES_PER_S = 2e6
_STALLED = 0.1
_DISK_BYTES_PER_S = 2e7
_FULL = 0.06
_FULL_CARD = 0.9
_SPILLED_BYTES = 500_000_000
_OTHERS_LOAD = 0.3
_OTHERS_GPU = 0.2
_CPU_HOT_C = 95.0
_GPU_HOT_C = 83.0
_THROTTLED = 0.1
_READING_S = 5.0
_AS_PREDICTED = 0.7
_UNEXPECTED = 0.6
_LARGE_CARD_BYTES = 3 << 30


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason: ``slow.<kind>`` is its sentence, ``slow.<kind>.do`` what helps.

    `weight` is how much of the speed it costs, roughly, 0 to 1: the list is ordered by it.
    """

    kind: Kind
    weight: float
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known: readings (oldest first), the machine, the open model's report, and what
    its last answer took."""

    readings: Sequence[LiveReading]
    machine: Machine | None = None
    report: FitReport | None = None
    last: Stats | None = None


def why_slow(evidence: Evidence) -> tuple[Cause, ...]:
    """The reasons, the weightiest first; empty where nothing is in the way of the speed."""
    readings = relevant(evidence.readings)
    found: list[Cause] = []
    if len(readings) >= _LEAST_READINGS:
        found += _memory(readings)
        found += _graphics(readings, evidence)
        found += _processor(readings, evidence)
    if readings:
        # What can be changed by a plug is true of this moment, not of the last answer.
        found += _power(evidence.readings[-1].sample)
    found += _placement(evidence)
    found += _chat(evidence)
    found += _expected(evidence, found)
    return tuple(sorted(found, key=lambda cause: -cause.weight))


def relevant(readings: Sequence[LiveReading]) -> tuple[LiveReading, ...]:
    """Those of the last minute; of the last answer, where one was under way since then.

    What the computer does while it answers is what makes an answer slow.
    """
    if not readings:
        return ()
    newest = readings[-1].sample.at
    recent = [r for r in readings if r.sample.at >= newest - RECENT_S]
    answering = [r for r in recent if r.answering]
    return tuple(answering if len(answering) >= _LEAST_READINGS else recent)


def _memory(readings: Sequence[LiveReading]) -> Iterator[Cause]:
    last = readings[-1].sample.memory
    available, total = last.available_bytes, last.total_bytes
    scarce = available is not None and total > 0 and available < 0.15 * total
    swapped = _mean(readings, lambda s: s.memory.swap_in_bytes_per_s) or 0.0
    stalled = _mean(readings, lambda s: s.memory.stalled) or 0.0
    params: dict[str, Param] = {
        "ours": _box_gb(last.held_bytes),
        "others": _box_gb(last.others_bytes or 0),
    }
    if (swapped >= _SWAP_BYTES_PER_S or stalled >= _STALLED) and scarce:
        yield Cause("swapping", 0.9, {**params, "rate": round(swapped)})
    elif available is not None and total > 0 and available < _FULL * total:
        yield Cause("memory_full", 0.5, {**params, "free": _box_gb(available)})
    read = _mean(readings, lambda s: s.disk.ours_read_bytes_per_s) or 0.0
    if read >= _DISK_BYTES_PER_S and any(r.answering for r in readings):
        yield Cause("disk", 0.95, {"rate": round(read)})


def _graphics(readings: Sequence[LiveReading], evidence: Evidence) -> Iterator[Cause]:
    separate = {gpu.name for gpu in _own_memory(evidence.machine)}
    partly = evidence.report is not None and evidence.report.verdict == "partly_gpu"
    for gpu in readings[-1].sample.gpus:
        if gpu.name in separate:
            yield from _card(gpu, partly)
        hot = (gpu.temperature_c or 0) >= _GPU_HOT_C
        slowed = _share(readings, lambda s, g=gpu: _same(s, g).throttled)  # type: ignore[misc]
        if hot and slowed >= _THROTTLED:
            yield Cause(
                "gpu_heat", 0.3, {"gpu": gpu.name, "celsius": round(gpu.temperature_c or 0)}
            )


def _card(gpu: GpuLive, partly: bool) -> Iterator[Cause]:
    """What a card with memory of its own says: more than it has, or others in it."""
    total, used = gpu.total_bytes or 0, gpu.used_bytes
    if not total or used is None:
        return
    if used >= _FULL_CARD * total and (gpu.shared_bytes or 0) >= _SPILLED_BYTES:
        yield Cause("gpu_spill", 0.85, {"gpu": gpu.name, "shared": _box_gb(gpu.shared_bytes or 0)})
    others = used - gpu.ours_bytes if gpu.ours_bytes is not None else 0
    if partly and others >= _OTHERS_GPU * total:
        params: dict[str, Param] = {
            "gpu": gpu.name,
            "others": _box_gb(others),
            "total": _box_gb(total),
        }
        yield Cause("others_gpu", 0.7, params)


def _processor(readings: Sequence[LiveReading], evidence: Evidence) -> Iterator[Cause]:
    others = _mean(readings, _others_load) or 0.0
    on_gpu = evidence.report is not None and evidence.report.verdict == "gpu"
    if others >= _OTHERS_LOAD and not on_gpu:
        yield Cause("others_cpu", min(0.8, others), {"percent": round(others * 100)})
    last = readings[-1].sample
    celsius = last.cpu.temperature_c
    slowed = _share(readings, lambda s: s.cpu.throttled) >= _THROTTLED
    # Without a temperature a lowered clock may as well be the battery's doing.
    if (celsius or 0) >= _CPU_HOT_C or (slowed and celsius is not None and celsius >= 80):
        yield Cause("heat", 0.4, {"celsius": round(celsius or 0)})


def _power(sample: LiveSample) -> Iterator[Cause]:
    if sample.power.saving:
        yield Cause("saving", 0.45)
    elif sample.power.on_battery:
        yield Cause("battery", 0.35)


def _placement(evidence: Evidence) -> Iterator[Cause]:
    report, machine = evidence.report, evidence.machine
    if report is None:
        return
    plan, layers = report.plan, report.model.layers
    if report.verdict == "partly_gpu":
        if plan.expert_layers_on_cpu:
            params: dict[str, Param] = {"layers": plan.expert_layers_on_cpu, "all": layers}
            yield Cause("few_experts", 0.3, params)
        else:
            on_gpu = min(plan.gpu_layers, layers)
            share = 1 - on_gpu / layers if layers else 0.0
            yield Cause("few_layers", 0.3 + 0.5 * share, {"layers": on_gpu, "all": layers})
    known = machine is not None and machine.engine is not None and machine.engine.version != ""
    if known and report.verdict == "cpu":
        for gpu in _own_memory(machine):
            if not gpu.device and gpu.total_bytes >= _LARGE_CARD_BYTES:
                yield Cause("gpu_unused", 0.6, {"gpu": gpu.name})


def _chat(evidence: Evidence) -> Iterator[Cause]:
    """A long chat is read before each answer; the reading is what one waits for."""
    last = evidence.last
    if last is None or last.prompt_s < _READING_S:
        return
    share = last.prompt_s / (last.prompt_s + last.generation_s)
    read = last.prompt_tokens - last.cached_tokens
    yield Cause("long_chat", 0.6 * share, {"seconds": round(last.prompt_s), "tokens": read})


def _expected(evidence: Evidence, found: Sequence[Cause]) -> Iterator[Cause]:
    """Whether the speed is what this model does here anyway, or less, for no reason shown."""
    measured = evidence.last.tokens_per_s if evidence.last is not None else 0.0
    predicted = evidence.report.speed.tokens_per_s if evidence.report is not None else None
    if not predicted:
        return
    as_predicted = not measured or measured >= _AS_PREDICTED * predicted
    speed = measured or predicted
    if as_predicted and speed < COMFORTABLE_TOKENS_PER_S:
        yield Cause("large_model", 0.25, {"tokens_per_s": round(speed, 1)})
    if measured and measured < _UNEXPECTED * predicted and not any(c.weight >= 0.3 for c in found):
        params: dict[str, Param] = {
            "tokens_per_s": round(measured, 1),
            "predicted": round(predicted, 1),
        }
        yield Cause("unexplained", 0.2, params)


def _box_gb(size_bytes: int) -> float:
    """As the gauges say it: memory is sold in GB of 2^30 bytes."""
    return round(size_bytes / 2**30, 1)


def _own_memory(machine: Machine | None) -> tuple[Gpu, ...]:
    """The graphics cards that have memory of their own."""
    if machine is None:
        return ()
    return tuple(
        gpu
        for gpu in machine.gpus
        if not gpu.unified and not gpu.integrated and gpu.backend != POOL_BACKEND
    )


def _others_load(sample: LiveSample) -> float | None:
    load, ours = sample.cpu.load, sample.cpu.ours
    return None if load is None or ours is None else max(0.0, load - ours)


def _same(sample: LiveSample, gpu: GpuLive) -> GpuLive:
    for other in sample.gpus:
        if (other.name, other.key) == (gpu.name, gpu.key):
            return other
    return gpu


def _mean(
    readings: Sequence[LiveReading], value: Callable[[LiveSample], float | None]
) -> float | None:
    known = [v for r in readings if (v := value(r.sample)) is not None]
    return sum(known) / len(known) if known else None


def _share(readings: Sequence[LiveReading], flag: Callable[[LiveSample], bool | None]) -> float:
    return sum(bool(flag(r.sample)) for r in readings) / len(readings)
