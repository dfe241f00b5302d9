"""Predicted against actual in figures that a person can read: load by load, and over all."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from desktop.services.history_records import HeldBytes, LoadRecord, Session
from desktop.services.lessons import LEAST_FILE_BYTES, typical

PARTS = ("weights_bytes", "context_bytes", "compute_bytes", "output_bytes")


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure as it was predicted and as it came; None where nobody knows."""

    predicted: float | None
    actual: float | None

    @property
    def error(self) -> float | None:
        """How far the prediction lay off, as a share of what came: 0.1 is 10 % too much."""
        if self.predicted is None or not self.actual:
            return None
        return self.predicted / self.actual - 1

    def to_json(self) -> dict[str, float | None]:
        error = self.error
        return {
            "predicted": self.predicted,
            "actual": self.actual,
            "error": None if error is None else round(error, 4),
        }


@dataclass(frozen=True, slots=True)
class DeviceCompared:
    """The memory of one device: as llama.cpp tells, and the most that its use was seen to grow."""

    device: str
    parts: tuple[tuple[str, Compared], ...]
    total: Compared
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class SessionCompared:
    """One opened model from its load to its end.

    Speeds are those with the context as filled as the predictions mean it.
    """

    load: LoadRecord
    devices: tuple[DeviceCompared, ...]
    memory: Compared
    generation: Compared
    prompt: Compared
    answers: int

    def to_json(self) -> dict[str, object]:
        load = self.load
        return {
            "time": load.at,
            "model": load.model.name,
            "architecture": load.model.architecture,
            "quantization": load.model.quantization,
            "file_bytes": load.model.file_bytes,
            "engine": load.conditions.driver,
            "plan": load.plan.to_json(),
            "method": load.method,
            "load_s": load.load_s,
            "memory": [
                {
                    "device": device.device,
                    **{name: part.to_json() for name, part in device.parts},
                    "total_bytes": device.total.to_json(),
                    "peak_bytes": device.peak_bytes,
                }
                for device in self.devices
            ],
            "total_bytes": self.memory.to_json(),
            "tokens_per_s": {
                **self.generation.to_json(),
                "without_corrections": load.expected.rates.tokens_per_s,
            },
            "prompt_tokens_per_s": {
                **self.prompt.to_json(),
                "without_corrections": load.expected.rates.prompt_tokens_per_s,
            },
            "answers": self.answers,
        }


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Median of the errors without their sign; None where there is nothing to compare.

    `generation` and `prompt` are those of what was told, `raw_...` of predictions that had
    learned nothing. Models below 64 MB are left out: their speed is not their own.
    """

    loads: int
    memory: float | None
    generation: float | None
    prompt: float | None
    raw_generation: float | None
    raw_prompt: float | None

    def to_json(self) -> dict[str, float | None]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def compared(session: Session) -> SessionCompared:
    """What was told before the load beside what was seen until the end."""
    load, close = session.load, session.close
    actual = load.actual
    if close is not None and _sum(close.actual) >= _sum(actual):
        actual = close.actual  # compute buffers may grow while it works
    by_device = {row.device: row for row in actual}
    devices = tuple(
        _device(row, by_device.get(row.device), _peak(session, row.device))
        for row in load.predicted
    )
    told = [device.total.predicted or 0 for device in devices if device.total.actual is not None]
    seen = [device.total.actual for device in devices if device.total.actual is not None]
    return SessionCompared(
        load=load,
        devices=devices,
        memory=Compared(sum(told), sum(seen)) if seen else Compared(None, None),
        generation=Compared(load.told.tokens_per_s, _median(session, "tokens_per_s")),
        prompt=Compared(load.told.prompt_tokens_per_s, _median(session, "prompt_tokens_per_s")),
        answers=close.answers if close is not None else len(session.answers),
    )


def accuracy(sessions: Iterable[Session]) -> Accuracy:
    found = [session for session in sessions if session.load.model.file_bytes >= LEAST_FILE_BYTES]
    figures = [compared(session) for session in found]
    return Accuracy(
        loads=len(found),
        memory=_off(figure.memory for figure in figures),
        generation=_off(figure.generation for figure in figures),
        prompt=_off(figure.prompt for figure in figures),
        raw_generation=_off(
            Compared(figure.load.expected.rates.tokens_per_s, figure.generation.actual)
            for figure in figures
        ),
        raw_prompt=_off(
            Compared(figure.load.expected.rates.prompt_tokens_per_s, figure.prompt.actual)
            for figure in figures
        ),
    )


def _device(predicted: HeldBytes, actual: HeldBytes | None, peak: int | None) -> DeviceCompared:
    return DeviceCompared(
        predicted.device,
        tuple(
            (
                name,
                Compared(
                    getattr(predicted, name), None if actual is None else getattr(actual, name)
                ),
            )
            for name in PARTS
        ),
        # What a driver takes llama.cpp does not see: it is compared by the growth alone.
        Compared(
            predicted.total_bytes - predicted.driver_bytes,
            None if actual is None else actual.total_bytes,
        ),
        peak,
    )


def _peak(session: Session, device: str) -> int | None:
    grown = session.load.grown_bytes.get(device)
    later = session.close.peak_bytes.get(device) if session.close is not None else None
    return max((size for size in (grown, later) if size is not None), default=None)


def _median(session: Session, rate: str) -> float | None:
    rates = [typical(session.load, answer) for answer in session.answers]
    known = [value for rates_ in rates if (value := getattr(rates_, rate))]
    return statistics.median(known) if known else None


def _off(figures: Iterable[Compared]) -> float | None:
    errors = [abs(error) for figure in figures if (error := figure.error) is not None]
    return round(statistics.median(errors), 4) if errors else None


def _sum(rows: Iterable[HeldBytes]) -> int:
    return sum(row.total_bytes for row in rows)
