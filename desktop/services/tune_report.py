"""What tuning reports, and what it does to the outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from desktop.engine.cancel import CancelToken
from desktop.engine.rehearsal import rehearse
from desktop.engine.trial import TrialResult, TrialSize, run_trial
from desktop.fit.corrections import Corrections
from desktop.fit.tuning_terms import Stopped
from desktop.fit.types import Basis, FitReport, Plan, Speed
from desktop.hardware.machine import Machine


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: `plan` is the best of what was measured with its load.

    `basis` "predicted": this computer cannot stand in for the described one. `peak_bytes`: what
    llama.cpp's buffers held over all devices (of a prediction: what they would hold).
    `error` is the kind of what ended it, empty where it ran. `busy`: other programs disturbed it.
    """

    plan: Plan
    ok: bool
    tokens_per_s: float | None = None
    prompt_tokens_per_s: float | None = None
    peak_bytes: int | None = None
    error: str = ""
    basis: Basis = "measured"
    seconds: float = 0.0
    used: Mapping[str, int] = field(default_factory=dict)
    busy: bool = False

    def to_json(self) -> dict[str, Any]:
        """As interfaces.md has it, with what else is known."""
        return {
            "plan": self.plan.to_json(),
            "ok": self.ok,
            "tokens_per_s": _rounded(self.tokens_per_s),
            "peak_bytes": self.peak_bytes,
            "error": self.error or None,
            "prompt_tokens_per_s": _rounded(self.prompt_tokens_per_s),
            "basis": self.basis,
            "seconds": round(self.seconds, 2),
            "busy": self.busy,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


@dataclass(frozen=True, slots=True)
class TuneReport:
    """`speed` is that of `chosen`; `predicted` is what the first plan was expected to do."""

    chosen: Plan
    speed: Speed
    predicted: FitReport
    trials: tuple[Trial, ...]
    seconds: float
    stopped: Stopped


@dataclass(frozen=True, slots=True)
class TuneProgress:
    """Trial `number` (from 1) of at most `most` runs; `fraction` of the whole is done.

    `best`: the fastest so far, in tokens per second.
    """

    number: int
    most: int
    fraction: float
    plan: Plan
    best: float | None = None


class FailureMemory(Protocol):
    """Where a failed trial is written down, so that later plans leave more free."""

    def failed_load(
        self,
        machine: Machine,
        device: str,
        predicted_bytes: int,
        *,
        available_bytes: int | None = None,
        kind: str = "",
        model: str = "",
    ) -> None: ...

    def corrections(self, machine: Machine) -> Corrections: ...


class TrialRunner(Protocol):
    def __call__(
        self,
        path: Path,
        plan: Plan,
        *,
        variants: Sequence[Plan] = (),
        size: TrialSize | None = None,
        timeout_s: float,
        cancel: CancelToken | None = None,
        servers: Sequence[str] = (),
        on_progress: Callable[[float], None] | None = None,
    ) -> TrialResult: ...


class Rehearser(Protocol):
    def __call__(
        self,
        wanted: Mapping[str, int],
        *,
        servers: Sequence[str] = (),
        cancel: CancelToken | None = None,
    ) -> dict[str, int]: ...


def _not_noted(_servers: Sequence[str], _subject: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class TuneTools:
    """What tuning does to the outside. `servers`: RPC servers whose devices the machine names,
    where it does not tell them itself; connections to them are written down by `noted`;
    `size`: how much each trial computes."""

    run_trial: TrialRunner = run_trial
    rehearse: Rehearser = rehearse
    servers: tuple[str, ...] = ()
    noted: Callable[[Sequence[str], str], AbstractContextManager[None]] = _not_noted
    size: TrialSize | None = None
    clock: Callable[[], float] = time.monotonic


ProgressListener = Callable[[TuneProgress], None]
