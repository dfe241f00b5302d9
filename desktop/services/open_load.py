"""Load a model by its plan: a trial in a child first, and the next smaller plan where it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from desktop.common.drives import DriveKind, drive_kind
from desktop.common.errors import EngineError, HausgeistError, LoadError
from desktop.common.logs import get_logger
from desktop.engine.cancel import CancelToken
from desktop.engine.engine import Engine
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.isolated import load_isolated
from desktop.engine.local import load
from desktop.engine.memory_now import MemoryNow, memory_now
from desktop.engine.probe import ProbeResult, probe
from desktop.fit.companions import NO_COMPANIONS, Companions
from desktop.fit.planner import smaller
from desktop.fit.types import FitReport, Plan, Wish
from desktop.gguf.header import ModelHeader
from desktop.services.crash_marker import CrashMarker
from desktop.services.first_open import FirstOpenTuner
from desktop.services.history import History
from desktop.services.model_ref import ResolvedModel
from desktop.services.open_failures import (
    DEVICE_GONE,
    POOL_GONE,
    devices_of,
    may_step,
    remember_failure,
)
from desktop.services.open_plan import OpenPlanner, Planned
from desktop.services.open_progress import OpenProgress, Stage, StepDown
from desktop.services.pool import Pool
from desktop.services.pool_engine import PooledEngine

MAX_STEPS = 8
# Reading a file once from a slow disk, and computing a little.
_PROBE_BASE_S = 30.0
_PROBE_BYTES_PER_S = 50_000_000
_PICTURES_S = 120.0  # looking at some on a processor

_log = get_logger("services")

ProgressListener = Callable[[OpenProgress], None]


class Loader(Protocol):
    def __call__(
        self,
        path: Path,
        plan: Plan,
        *,
        on_progress: Callable[[float], None] | None = None,
        cancel: CancelToken | None = None,
        template: str | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> Engine: ...


class ApartEngine(Engine, Protocol):
    """An engine in a process of its own, whose memory is that process's."""

    @property
    def memory_before(self) -> MemoryNow:
        """Before the load."""
        ...

    def memory_now(self, *, graphics: bool) -> MemoryNow: ...


class ApartLoader(Protocol):
    def __call__(
        self,
        path: Path,
        plan: Plan,
        *,
        on_progress: Callable[[float], None] | None = None,
        cancel: CancelToken | None = None,
        template: str | None = None,
        extras: Extras = NO_EXTRAS,
        servers: Sequence[str] = (),
        on_death: Callable[[EngineError], None] | None = None,
    ) -> ApartEngine: ...


class Prober(Protocol):
    def __call__(
        self,
        path: Path,
        plan: Plan,
        *,
        timeout_s: float,
        cancel: CancelToken | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> ProbeResult: ...


class Meter(Protocol):
    def __call__(self, *, graphics: bool) -> MemoryNow: ...


@dataclass(frozen=True, slots=True)
class OpenTools:
    """What opening does to the outside: replaced in tests."""

    load: Loader = load
    probe: Prober = probe
    drive_kind: Callable[[Path], DriveKind] = drive_kind
    memory_now: Meter = memory_now
    load_apart: ApartLoader = load_isolated


@dataclass(frozen=True, slots=True)
class Opening:
    """One model on its way to being open, and whoever waits for it.

    `template` stands in for the model's own. `apart`: in a process of its own, however well it is
    known. `extras` are opened with it and take what `companions` say. `make_room` is told what is
    about to be loaded, before anything is.
    """

    found: ResolvedModel
    header: ModelHeader
    wish: Wish
    cancel: CancelToken
    start_now: CancelToken
    listener: ProgressListener
    template: str | None = None
    apart: bool = False
    extras: Extras = NO_EXTRAS
    companions: Companions = NO_COMPANIONS
    make_room: Callable[[FitReport], None] | None = None

    def tell(self, stage: Stage, fraction: float) -> None:
        """Raises CancelledError where nobody waits any more."""
        self.cancel.raise_if_cancelled()
        self.listener(OpenProgress(stage, fraction))


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The engine, under which plan after which steps; `before` is the memory before the load of
    the process that it runs in, `meter` tells that of now."""

    engine: Engine
    planned: Planned
    before: MemoryNow
    load_s: float
    meter: Meter


class ModelLoader:
    """Brings a planned model to life, and the next smaller plan where that dies."""

    def __init__(
        self,
        planner: OpenPlanner,
        crash_marker: CrashMarker,
        history: History,
        tools: OpenTools,
        tuner: FirstOpenTuner | None,
        pool: Pool | None = None,
    ) -> None:
        self._planner = planner
        self._crash_marker = crash_marker
        self._history = history
        self._tools = tools
        self._tuner = tuner
        self._pool = pool

    def load(self, opening: Opening, planned: Planned, *, known: bool) -> LoadedModel:
        """`known`: this engine has loaded this very file before, so that no trial is needed.

        Raises LoadError when no smaller plan is left, CancelledError.
        """
        if opening.make_room is not None:
            opening.make_room(planned.report)
        planned = self._tuned(opening, planned)
        gone: tuple[str, ...] = ()
        for _ in range(MAX_STEPS):
            try:
                return self._load(opening, planned, known=known)
            except LoadError as error:
                _log.warning("load failed: %s", error)
                self._remember(opening, planned, error)
                self._planner.forget_tuned(planned, opening.header, opening.wish)
                if error.kind == DEVICE_GONE:
                    gone = (*gone, *devices_of(planned.plan))
                planned = self._next(opening, planned, gone, error)
        try:
            return self._load(opening, planned, known=known)
        except LoadError as error:
            raise _with_steps(error, opening.found.path, planned) from error

    def _tuned(self, opening: Opening, planned: Planned) -> Planned:
        """With the plan that a first trial found best, where one is to be made."""
        if self._tuner is None or not planned.untuned or planned.steps:
            return planned
        if opening.companions != NO_COMPANIONS:
            return planned  # trials load the model alone
        tried = self._tuner.first_open(
            opening.found,
            opening.header,
            replace(planned.report, plan=planned.plan),
            opening.wish,
            on_progress=opening.listener,
            cancel=opening.cancel,
            start_now=opening.start_now,
        )
        opening.cancel.raise_if_cancelled()
        if tried is None:
            return planned
        plan = self._planner.for_drive(opening.found, tried.plan)
        steps = (StepDown(planned.plan, plan, tried.failed),) if tried.failed else ()
        return replace(
            planned, plan=plan, steps=steps, tuned=True, untuned=False, speed=tried.speed
        )

    def _load(self, opening: Opening, planned: Planned, *, known: bool) -> LoadedModel:
        found, plan = opening.found, planned.plan
        if opening.apart or planned.apart or planned.servers:
            return self._load_apart(opening, planned)
        if not (found.is_guide or known or planned.tuned):
            self._probe(opening, plan)
        opening.tell("loading", 0.0)
        before = self._tools.memory_now(graphics=plan.gpu_layers > 0)
        started = time.monotonic()
        with self._crash_marker.running("loading", found.path, plan):
            engine = self._tools.load(
                found.path,
                plan,
                on_progress=lambda fraction: opening.tell("loading", fraction),
                cancel=opening.cancel,
                template=opening.template,
                extras=opening.extras,
            )
        return LoadedModel(
            engine, planned, before, time.monotonic() - started, self._tools.memory_now
        )

    def _load_apart(self, opening: Opening, planned: Planned) -> LoadedModel:
        """In a child, whose death is a LoadError now and an event later: no trial is needed."""
        found, plan, servers = opening.found, planned.plan, planned.servers
        opening.tell("loading", 0.0)
        lines = self._pool.begin(servers, found.name) if self._pool is not None else ()
        started = time.monotonic()
        try:
            with self._crash_marker.running("loading", found.path, plan):
                engine = self._tools.load_apart(
                    found.path,
                    plan,
                    on_progress=lambda fraction: opening.tell("loading", fraction),
                    cancel=opening.cancel,
                    template=opening.template,
                    extras=opening.extras,
                    servers=servers,
                    on_death=partial(self._died, found.path, plan),
                )
        except HausgeistError as error:
            if self._pool is not None:
                self._pool.end(lines, error.kind)
            raise
        took_s = time.monotonic() - started
        whole: Engine = engine
        if self._pool is not None and lines:
            whole = PooledEngine(engine, self._pool, lines)
        return LoadedModel(whole, planned, engine.memory_before, took_s, engine.memory_now)

    def _died(self, path: Path, plan: Plan, error: EngineError) -> None:
        """The next opening takes a smaller plan; where another machine left it takes a new one."""
        if error.kind != "engine_died_pool":
            self._crash_marker.remember("generating", path, plan)

    def _probe(self, opening: Opening, plan: Plan) -> None:
        """Let a child process load it first; raises LoadError with what became of the child."""
        opening.tell("probing", 0.0)
        path = opening.found.path
        timeout_s = _PROBE_BASE_S + opening.header.file_bytes / _PROBE_BYTES_PER_S
        if opening.extras.projector is not None:
            timeout_s += _PICTURES_S
        result = self._tools.probe(
            path, plan, timeout_s=timeout_s, cancel=opening.cancel, extras=opening.extras
        )
        opening.cancel.raise_if_cancelled()  # Ctrl+C reaches the child as well
        if not result.ok:
            kind = result.error_kind if result.kind == "refused" else f"probe_{result.kind}"
            raise LoadError(kind or "load_failed", path=str(path), detail=result.detail)
        opening.tell("probing", 1.0)

    def _next(
        self, opening: Opening, planned: Planned, gone: tuple[str, ...], error: LoadError
    ) -> Planned:
        """What to try after `error`: without a device that is gone, else one step smaller."""
        plan, path = planned.plan, opening.found.path
        if error.kind == POOL_GONE:
            other = self._without((), opening)
            if other.report.verdict == "too_large":
                raise _with_steps(error, path, planned) from error
            if other.plan != plan:
                step = StepDown(plan, other.plan, POOL_GONE)
                return replace(other, steps=(*planned.steps, step), apart=planned.apart)
        if error.kind == DEVICE_GONE and gone:
            other = self._without(gone, opening)
            if other.report.verdict == "too_large":
                raise _with_steps(error, path, planned) from error
            step = StepDown(plan, other.plan, DEVICE_GONE)
            return replace(other, steps=(*planned.steps, step), apart=planned.apart)
        after = smaller(plan, opening.header)
        # What goes with it is at fault, not the plan.
        beside = opening.companions != NO_COMPANIONS and error.kind == "probe_aborted"
        if after is None or beside or not may_step(error.kind, plan):
            raise _with_steps(error, path, planned) from error
        step = StepDown(plan, after, error.kind)
        return replace(planned, plan=after, steps=(*planned.steps, step), tuned=False, speed=None)

    def _without(self, devices: tuple[str, ...], opening: Opening) -> Planned:
        return self._planner.without(
            devices, opening.found, opening.header, opening.wish, opening.companions
        )

    def _remember(self, opening: Opening, planned: Planned, error: LoadError) -> None:
        if opening.found.is_guide:
            return
        report = self._planner.report_of(
            opening.header, planned.machine, planned.plan, opening.companions
        )
        remember_failure(self._history, planned.machine, report, error)


def _with_steps(error: LoadError, path: Path, planned: Planned) -> LoadError:
    params = {"path": str(path), "steps": len(planned.steps), **error.params}
    return LoadError(error.kind, detail=error.detail, **params)
