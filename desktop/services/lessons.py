"""What the history of a machine teaches: its records turned into samples for fit.learning."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence, Set

from desktop.common.version import VERSION
from desktop.fit.corrections import Corrections
from desktop.fit.learning import LAST, FailedLoad, MemorySample, SpeedSample, learn
from desktop.fit.memory import CPU
from desktop.fit.types import Plan, Speed
from desktop.hardware.machine import Machine
from desktop.services.history_records import (
    Conditions,
    FailureRecord,
    LoadRecord,
    Rates,
    Record,
    Session,
    SpeedRecord,
    sessions,
)
from desktop.services.machine_key import driver_key, machine_key

LEAST_FILE_BYTES = 64_000_000
"""A smaller model's time and memory go into what every model costs: it teaches nothing."""

_FAILURES_COUNT_S = 90 * 86400.0
_SMALL_SHARE = 0.15

LEAST_TELLING_BYTES = 32 << 20
"""A smaller model lies in the processor's caches and its time goes into what is around it: one of
half a megabyte, used once, made all others look eight times too slow."""


def conditions_of(machine: Machine) -> Conditions:
    """What is to be remembered of the circumstances."""
    return Conditions(
        machine=machine_key(machine),
        driver=driver_key(machine),
        app=VERSION,
        speeds=bool(machine.speeds),
        on_battery=bool(machine.on_battery),
    )


def corrections_from(records: Sequence[Record], machine: Machine, now: float) -> Corrections:
    """Corrections for `machine`, from what was seen under the same conditions."""
    here = conditions_of(machine)
    known = [found for found in sessions(records) if found.load.conditions == here]
    telling = [found for found in known if found.load.model.file_bytes >= LEAST_FILE_BYTES]
    shared = {gpu.device for gpu in machine.gpus if gpu.unified or gpu.integrated}
    return learn(
        _capacities(machine),
        generation=_speed_samples(telling, "tokens_per_s"),
        prompt=_speed_samples(telling, "prompt_tokens_per_s"),
        memory=[sample for found in telling for sample in _memory_samples(found, shared)],
        failures=list(_failures(records, here.machine, now)),
    )


def measured_from(
    records: Sequence[Record], machine: Machine, fingerprint: str, plan: Plan
) -> Speed | None:
    """The median of the last answers of this model under such a plan, whatever its context."""
    if not fingerprint:
        return None
    here = conditions_of(machine)
    wanted = _speed_traits(plan)
    answers = [
        typical(found.load, answer)
        for found in sessions(records)
        if found.load.model.fingerprint == fingerprint
        and _same_but_prediction(found.load.conditions, here)
        and _speed_traits(found.load.plan) == wanted
        for answer in found.answers
    ]
    written = [rate for rates in answers if (rate := rates.tokens_per_s)]
    read = [rate for rates in answers if (rate := rates.prompt_tokens_per_s)]
    if not written:
        return None
    prompt = statistics.median(read[-LAST:]) if read else None
    return Speed(prompt, statistics.median(written[-LAST:]), "measured")


def typical(load: LoadRecord, answer: SpeedRecord) -> Rates:
    """An answer's speeds as they would be with the context as filled as predictions mean it."""
    expected = load.expected
    return Rates(
        _scaled(
            answer.rates.prompt_tokens_per_s,
            expected.rates.prompt_tokens_per_s,
            expected.at(answer.read_at_tokens).prompt_tokens_per_s,
        ),
        _scaled(
            answer.rates.tokens_per_s,
            expected.rates.tokens_per_s,
            expected.at(answer.written_at_tokens).tokens_per_s,
        ),
    )


def _scaled(measured: float | None, here: float | None, there: float | None) -> float | None:
    return measured * here / there if measured and here and there else measured


def _same_but_prediction(one: Conditions, other: Conditions) -> bool:
    """A measurement holds whatever was predicted: the app's version does not count."""
    return (one.machine, one.driver, one.on_battery) == (
        other.machine,
        other.driver,
        other.on_battery,
    )


def _speed_traits(plan: Plan) -> tuple[object, ...]:
    return (
        plan.gpu_layers,
        plan.device,
        plan.split,
        plan.expert_layers_on_cpu,
        plan.kv_type,
        plan.flash_attention,
        plan.threads,
    )


def _capacities(machine: Machine) -> dict[str, int]:
    capacities = {CPU: machine.memory.total_bytes}
    for gpu in machine.gpus:
        if gpu.device:
            capacities[gpu.device] = gpu.total_bytes
    return capacities


def _speed_samples(found: Iterable[Session], rate: str) -> list[SpeedSample]:
    """One sample a model and plan: a long chat with one model must not outvote the others."""
    groups: dict[tuple[object, ...], list[float]] = {}
    devices: dict[tuple[object, ...], tuple[str, ...]] = {}
    for session in found:
        if sum(row.weights_bytes for row in session.load.predicted) < LEAST_TELLING_BYTES:
            continue
        expected = getattr(session.load.expected.rates, rate)
        ratios = [
            measured / expected
            for answer in session.answers
            if expected and (measured := getattr(typical(session.load, answer), rate))
        ]
        if not ratios:
            continue
        key = (session.load.model.fingerprint, *_speed_traits(session.load.plan))
        # Taken out and put back: groups are in the order of their last use.
        groups[key] = [*groups.pop(key, []), *ratios][-LAST:]
        devices[key] = _devices(session.load)
    return [SpeedSample(devices[key], statistics.median(ratios)) for key, ratios in groups.items()]


def _devices(load: LoadRecord) -> tuple[str, ...]:
    """Where the weights lie, but for what is nothing beside the rest (an input embedding)."""
    total = sum(row.weights_bytes for row in load.predicted)
    return tuple(
        sorted(row.device for row in load.predicted if row.weights_bytes > _SMALL_SHARE * total)
    )


def _memory_samples(found: Session, shared: Set[str]) -> Iterator[MemorySample]:
    """By device the most that is known to have been taken: told by llama.cpp, or grown.

    What has grown tells nothing where pages of a mapped file come and go, or where graphics take
    their memory out of main memory (`shared`): there llama.cpp's own word counts.
    """
    load, close = found.load, found.close
    mixed = any(row.device in shared for row in load.predicted)
    for row in load.predicted:
        taken = [
            actual.total_bytes + row.driver_bytes
            for rows in (load.actual, close.actual if close else ())
            for actual in rows
            if actual.device == row.device
        ]
        if not mixed and not (row.device == CPU and load.plan.use_mmap):
            taken.append(load.grown_bytes.get(row.device, 0))
            taken.append(close.peak_bytes.get(row.device, 0) if close else 0)
        if most := max(taken, default=0):
            yield MemorySample(row.device, most - row.total_bytes)


def _failures(records: Sequence[Record], machine: str, now: float) -> Iterator[FailedLoad]:
    counted: set[tuple[str, str]] = set()
    for place, record in reversed(list(enumerate(records))):
        if not isinstance(record, FailureRecord) or record.machine != machine:
            continue
        if now - record.at > _FAILURES_COUNT_S:
            continue
        out_of_memory = "out_of_memory" in record.error
        if not out_of_memory:
            # A model that dies of something else dies again at every step down and every day.
            if (record.device, record.model) in counted:
                continue
            counted.add((record.device, record.model))
        since = sum(
            _disproves(later, record)
            for later in records[place + 1 :]
            if isinstance(later, LoadRecord) and later.conditions.machine == machine
        )
        yield FailedLoad(
            record.device,
            record.predicted_bytes,
            record.available_bytes,
            out_of_memory=out_of_memory,
            successes_since=since,
        )


def _disproves(load: LoadRecord, failure: FailureRecord) -> int:
    """How much a load that went well speaks against a failure: most where it was as large."""
    for row in load.predicted:
        if row.device == failure.device:
            if row.total_bytes >= failure.predicted_bytes:
                return 3
            return int(row.total_bytes * 2 >= failure.predicted_bytes)
    return 0
