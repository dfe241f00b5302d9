"""One plan tried out for real, in a child: how fast it is, what it takes, or how it died."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from desktop.common.errors import Param
from desktop.engine.cancel import CancelToken
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.probe import cause_of
from desktop.engine.process import Child, ChildDiedError
from desktop.fit.types import Plan

TrialKind = Literal["", "aborted", "refused", "out_of_memory", "timeout"]

PROMPT_TOKENS = 512
GEN_TOKENS = 32
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class TrialRun:
    """What one plan reached."""

    plan: Plan
    tokens_per_s: float
    prompt_tokens_per_s: float


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became of a trial.

    `ok`: the first plan loaded and computed; `runs` are the measured plans, it first. `kind` is
    how it failed, or how the child ended while further plans were measured. `error_kind` names
    what refused it. `peak_bytes`: the most main memory the child held. `free_before` and
    `free_loaded`: free bytes by device as the drivers say, without and with the model.
    `others_load`: the share of all cores that other programs took meanwhile.
    """

    ok: bool
    kind: TrialKind = ""
    detail: str = ""
    runs: tuple[TrialRun, ...] = ()
    load_s: float | None = None
    peak_bytes: int | None = None
    usage: tuple[DeviceUsage, ...] | None = None
    free_before: Mapping[str, int] = field(default_factory=dict)
    free_loaded: Mapping[str, int] = field(default_factory=dict)
    others_load: float = 0.0
    error_kind: str = ""
    error_params: Mapping[str, Param] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def tokens_per_s(self) -> float | None:
        return self.runs[0].tokens_per_s if self.runs else None

    @property
    def prompt_tokens_per_s(self) -> float | None:
        return self.runs[0].prompt_tokens_per_s if self.runs else None


@dataclass(frozen=True, slots=True)
class TrialSize:
    """How much a trial computes; slow models compute less, so that it ends in time."""

    prompt_tokens: int = PROMPT_TOKENS
    gen_tokens: int = GEN_TOKENS
    measure_s: float = 1.0


def run_trial(
    path: Path,
    plan: Plan,
    *,
    variants: Sequence[Plan] = (),
    size: TrialSize | None = None,
    timeout_s: float = 120.0,
    cancel: CancelToken | None = None,
    servers: Sequence[str] = (),
    on_progress: Callable[[float], None] | None = None,
) -> TrialResult:
    """Load `plan`, read a prompt, write a little; then the same for `variants`.

    Variants differ from `plan` in the context alone (threads, micro-batch, flash attention, KV
    type), so the model is loaded once. An abort, a hang or a device that went away is a result.
    `servers` are RPC servers (``host:port``) whose devices the plan may name. `timeout_s` bounds
    everything. Raises CancelledError, and EngineError("no_child").
    """
    wanted = size or TrialSize()
    started = time.monotonic()
    tried = _Trial(TrialResult(ok=False), on_progress or _nobody)
    with Child("trial") as child:
        try:
            child.send(
                {
                    "path": str(path),
                    "plans": [one.to_json() for one in (plan, *variants)],
                    # One that is gone must not spoil a trial that does without it.
                    "servers": list(servers) if plan.gpu_layers > 0 else [],
                    "prompt_tokens": wanted.prompt_tokens,
                    "gen_tokens": wanted.gen_tokens,
                    "measure_s": wanted.measure_s,
                }
            )
            while (left_s := started + timeout_s - time.monotonic()) > 0:
                if cancel is not None:
                    cancel.raise_if_cancelled()
                message = child.receive(min(_LOOK_EVERY_S, left_s))
                if message is not None and tried.hear(message):
                    return replace(tried.result, seconds=time.monotonic() - started)
            tried.end("timeout", f"{timeout_s:g} s")
        except ChildDiedError as death:
            tried.end(cause_of(death), death.last_words or f"exit {death.code}")
    return replace(tried.result, seconds=time.monotonic() - started)


@dataclass(slots=True)
class _Trial:
    """What the child has told so far."""

    result: TrialResult
    on_progress: Callable[[float], None]

    def hear(self, message: Mapping[str, Any]) -> bool:
        """Whether that was the last word."""
        match message.get("event"):
            case "loading":
                self.on_progress(message["fraction"])
            case "loaded":
                self.result = replace(self.result, load_s=message["load_s"])
            case "measured":
                run = TrialRun(
                    Plan.from_json(message["plan"]),
                    message["tokens_per_s"],
                    message["prompt_tokens_per_s"],
                )
                self.result = replace(self.result, ok=True, runs=(*self.result.runs, run))
            case "held":
                self.result = replace(self.result, **_held(message))
            case "refused":
                self.result = replace(
                    self.result,
                    kind=message["kind"],
                    detail=message["detail"],
                    error_kind=message["error_kind"],
                    error_params=message["error_params"],
                )
                return True
            case "done":
                return True
        return False

    def end(self, kind: TrialKind, detail: str) -> None:
        self.result = replace(self.result, kind=kind, detail=detail)


def _held(message: Mapping[str, Any]) -> dict[str, Any]:
    usage = message["usage"]
    return {
        "usage": None if usage is None else tuple(DeviceUsage.from_json(row) for row in usage),
        "peak_bytes": message["peak_bytes"],
        "free_before": message["free_before"],
        "free_loaded": message["free_loaded"],
        "others_load": message["others_load"],
    }


def _nobody(fraction: float) -> None:
    """For callers who do not want to know."""
