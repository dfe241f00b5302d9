"""What tuning tried last for each model: kept for its page and for a support person."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from desktop.common.logs import get_logger
from desktop.fit.tuning_terms import Stopped
from desktop.fit.types import Basis, Plan, Speed
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine
from desktop.services.kept_entries import KeptEntries, content_key
from desktop.services.machine_key import machine_key
from desktop.services.tune_report import Trial, TuneReport

TUNE_RECORDS_FILE = "tuning.json"
MOST = 40

_log = get_logger("services")


@dataclass(frozen=True, slots=True)
class TuneRecord:
    """One model's last tuning. `at`: when, in seconds since the epoch; `machine`: on which
    computer (`machine_key`); `predicted` is what was expected of the first plan."""

    model: str
    at: float
    machine: str
    chosen: Plan
    speed: Speed
    predicted: Speed
    trials: tuple[Trial, ...]
    seconds: float
    stopped: Stopped

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "at": self.at,
            "machine": self.machine,
            "chosen": self.chosen.to_json(),
            "speed": self.speed.to_json(),
            "predicted": self.predicted.to_json(),
            "trials": [trial.to_json() for trial in self.trials],
            "seconds": round(self.seconds, 2),
            "stopped": self.stopped,
        }


class TuneRecords:
    """A small file by the models' content; losing it costs nothing but knowledge, so reading and
    writing it never raise."""

    def __init__(
        self, path: Path, *, most: int = MOST, now: Callable[[], float] = time.time
    ) -> None:
        self._entries = KeptEntries(path, "models", most)
        self._now = now

    def keep(self, header: ModelHeader, machine: Machine, report: TuneReport) -> None:
        """Instead of what was tried before; a report without any trial says nothing new."""
        content = content_key(header)
        if not content or not report.trials:
            return
        record = TuneRecord(
            model=header.name,
            at=self._now(),
            machine=machine_key(machine),
            chosen=report.chosen,
            speed=report.speed,
            predicted=report.predicted.speed,
            trials=report.trials,
            seconds=report.seconds,
            stopped=report.stopped,
        )
        self._entries.keep(content, record.to_json())

    def of(self, header: ModelHeader) -> TuneRecord | None:
        """What was tried last for this very model, on whatever computer."""
        entry = self._entries.load().get(content_key(header))
        return None if entry is None else _read(entry)

    def all(self) -> tuple[TuneRecord, ...]:
        """The newest last."""
        found = (_read(entry) for entry in self._entries.load().values())
        return tuple(record for record in found if record is not None)


def _read(entry: object) -> TuneRecord | None:
    """One entry of the file; None for whatever this class has not written."""
    if not isinstance(entry, dict):
        return None
    try:
        stopped = str(entry["stopped"])
        if stopped not in get_args(Stopped):
            raise ValueError(f"stopped {stopped!r:.40}")
        return TuneRecord(
            model=str(entry["model"]),
            at=_number(entry["at"]),
            machine=str(entry["machine"]),
            chosen=Plan.from_json(entry["chosen"]),
            speed=_speed(entry["speed"]),
            predicted=_speed(entry["predicted"]),
            trials=tuple(_trial(trial) for trial in entry["trials"]),
            seconds=_number(entry["seconds"]),
            stopped=cast(Stopped, stopped),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        _log.warning("unreadable tuning: %s", error)
        return None


def _trial(entry: Mapping[str, Any]) -> Trial:
    peak = entry["peak_bytes"]
    return Trial(
        plan=Plan.from_json(entry["plan"]),
        ok=entry["ok"] is True,
        tokens_per_s=_rate(entry["tokens_per_s"]),
        prompt_tokens_per_s=_rate(entry["prompt_tokens_per_s"]),
        peak_bytes=None if peak is None else int(peak),
        error=str(entry["error"] or ""),
        basis=_basis(entry["basis"]),
        seconds=_number(entry["seconds"]),
        busy=entry.get("busy") is True,
    )


def _speed(entry: Mapping[str, Any]) -> Speed:
    prompt, tokens = _rate(entry["prompt_tokens_per_s"]), _rate(entry["tokens_per_s"])
    return Speed(prompt, tokens, _basis(entry["basis"]))


def _basis(text: object) -> Basis:
    if text not in get_args(Basis):
        raise ValueError(f"basis {text!r:.40}")
    return cast(Basis, text)


def _rate(value: object) -> float | None:
    return None if value is None else _number(value)


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"number {value!r:.40}")
    return float(value)
