"""Open a model: look at the file, plan, try it out in a child process, load, step down.

The guide that ships inside is trusted: it is opened at once, without a trial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from desktop.common.drives import DriveKind, drive_kind
from desktop.common.errors import FitError, HausgeistError, LoadError
from desktop.common.logs import get_logger
from desktop.engine.cancel import CancelToken
from desktop.engine.engine import Engine
from desktop.engine.local import load
from desktop.engine.probe import ProbeResult, probe
from desktop.fit.planner import smaller
from desktop.fit.types import FitReport, Plan, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.library.library import Library
from desktop.services.crash_marker import CrashMarker
from desktop.services.file_guard import FileGuard, GuardedEngine
from desktop.services.fit_model import fit
from desktop.services.machine import MachineService
from desktop.services.model_ref import ResolvedModel, resolve
from desktop.services.open_progress import OpenedModel, OpenProgress, Stage, StepDown
from desktop.services.probe_memory import ProbeMemory

MAX_STEPS = 8
# Reading a file once from a slow disk, and computing a little.
_PROBE_BASE_S = 30.0
_PROBE_BYTES_PER_S = 50_000_000
# So small a model is fastest alone: threads that wait for each other made it 20 times slower
# (8 instead of 160 tokens/s) beside other work.
_GUIDE_THREADS = 1

_MAY_GO_AWAY: tuple[DriveKind, ...] = ("removable", "network")
_HELPED_BY_LESS = frozenset(
    ("probe_aborted", "probe_out_of_memory", "context_failed", "first_step_failed", "device_gone")
)

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
    ) -> Engine: ...


class Prober(Protocol):
    def __call__(
        self, path: Path, plan: Plan, *, timeout_s: float, cancel: CancelToken | None = None
    ) -> ProbeResult: ...


@dataclass(frozen=True, slots=True)
class OpenTools:
    """What opening does to the outside: replaced in tests."""

    load: Loader = load
    probe: Prober = probe
    drive_kind: Callable[[Path], DriveKind] = drive_kind


class ModelOpener:
    """Opens one model at a time for whoever asks; blocks, so call it off the window's thread."""

    def __init__(
        self,
        library: Library,
        machines: MachineService,
        crash_marker: CrashMarker,
        probe_memory: ProbeMemory,
        tools: OpenTools | None = None,
    ) -> None:
        self._library = library
        self._machines = machines
        self._crash_marker = crash_marker
        self._probe_memory = probe_memory
        self._tools = tools or OpenTools()

    def open(
        self,
        ref: str,
        wish: Wish,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        insist: bool = False,
    ) -> OpenedModel:
        """The model that `ref` names, ready to answer.

        `insist` opens what does not fit, and forgets an earlier crash.
        Raises ModelFileError and UsageError for the file, FitError (larger_than_memory,
        context_larger_than_memory), LoadError when no smaller plan is left, CancelledError.
        """
        opening = _Opening(cancel or CancelToken(), on_progress or _nobody)
        opening.tell("checking", 0.0)
        found = resolve(ref, self._library)
        header = read_header(found.path)
        check(header)
        opening.tell("checking", 0.5)
        report = self._report(found, header, wish, opening)
        if insist:
            self._crash_marker.forget(found.path)
        elif report.verdict == "too_large":
            raise _too_large(report)
        plan, steps = self._first_plan(found, header, report.plan)
        opening.tell("checking", 1.0)
        guard = FileGuard(header.paths)
        engine, plan, more = self._load_stepping(found, header, plan, opening)
        self._remember(found)
        if plan != report.plan:
            report = self._report_of(found, header, plan)
        if plan.use_mmap:
            engine = GuardedEngine(engine, guard)
        return OpenedModel(
            found.name, engine, report, (*steps, *more), found.is_guide, plan.use_mmap
        )

    def _report(
        self, found: ResolvedModel, header: ModelHeader, wish: Wish, opening: _Opening
    ) -> FitReport:
        if found.is_guide:
            return fit(header, self._machines.quick(), _for_guide(wish), try_out=False)
        machine = self._machines.current()
        opening.cancel.raise_if_cancelled()
        return fit(header, machine, wish)

    def _report_of(self, found: ResolvedModel, header: ModelHeader, plan: Plan) -> FitReport:
        """What the plan that was loaded in the end needs."""
        machine = self._machines.quick() if found.is_guide else self._machines.machine()
        wish = Wish(
            plan.context, plan.kv_type, plan.parallel, plan.gpu_layers, plan.ubatch, plan.threads
        )
        return replace(fit(header, machine, wish, try_out=False), plan=plan)

    def _first_plan(
        self, found: ResolvedModel, header: ModelHeader, plan: Plan
    ) -> tuple[Plan, tuple[StepDown, ...]]:
        """The planned one, not mapped where the drive may go away, smaller after a crash."""
        if plan.use_mmap and self._tools.drive_kind(found.path) in _MAY_GO_AWAY:
            plan = replace(plan, use_mmap=False)
        crash = self._crash_marker.crashed(found.path)
        if crash is None or found.is_guide or not _at_least(plan, crash.plan):
            return plan, ()
        start = replace(crash.plan, use_mmap=plan.use_mmap, threads=plan.threads)
        after = smaller(start, header)
        if after is None:
            return plan, ()
        _log.info("%s died while %s: one step smaller", found.name, crash.activity)
        return after, (StepDown(plan, after, f"crashed_{crash.activity}"),)

    def _load_stepping(
        self, found: ResolvedModel, header: ModelHeader, plan: Plan, opening: _Opening
    ) -> tuple[Engine, Plan, tuple[StepDown, ...]]:
        steps: list[StepDown] = []
        while True:
            try:
                return self._load(found, header, plan, opening), plan, tuple(steps)
            except LoadError as error:
                _log.warning("load failed: %s", error)
                after = smaller(plan, header) if len(steps) < MAX_STEPS else None
                if after is None or not _may_step(error.kind, plan):
                    raise _with_steps(error, found.path, steps) from error
                steps.append(StepDown(plan, after, error.kind))
                plan = after

    def _load(
        self, found: ResolvedModel, header: ModelHeader, plan: Plan, opening: _Opening
    ) -> Engine:
        if not found.is_guide and not self._is_known(found):
            self._probe(found.path, header, plan, opening)
        opening.cancel.raise_if_cancelled()
        opening.tell("loading", 0.0)
        with self._crash_marker.running("loading", found.path, plan):
            return self._tools.load(
                found.path,
                plan,
                on_progress=lambda fraction: opening.tell("loading", fraction),
                cancel=opening.cancel,
            )

    def _probe(self, path: Path, header: ModelHeader, plan: Plan, opening: _Opening) -> None:
        """Let a child process load it first; raises LoadError with what became of the child."""
        opening.cancel.raise_if_cancelled()
        opening.tell("probing", 0.0)
        timeout_s = _PROBE_BASE_S + header.file_bytes / _PROBE_BYTES_PER_S
        result = self._tools.probe(path, plan, timeout_s=timeout_s, cancel=opening.cancel)
        opening.cancel.raise_if_cancelled()  # Ctrl+C reaches the child as well
        if not result.ok:
            kind = result.error_kind if result.kind == "refused" else f"probe_{result.kind}"
            raise LoadError(kind or "load_failed", path=str(path), detail=result.detail)
        opening.tell("probing", 1.0)

    def _is_known(self, found: ResolvedModel) -> bool:
        version = self._engine_version()
        if found.entry is not None and not found.entry.problem and version:
            return found.entry.probed_engine == version
        return self._probe_memory.knows(found.path, version)

    def _remember(self, found: ResolvedModel) -> None:
        """Loaded well: the next time without a trial. A full disk must not spoil the opening."""
        if found.entry is None:
            self._probe_memory.remember(found.path, self._engine_version())
            return
        try:
            self._library.touch(found.name)
            if not found.is_guide:
                self._library.mark_probed(found.name, self._engine_version())
        except HausgeistError as error:
            _log.warning("library not updated: %s", error)

    def _engine_version(self) -> str:
        engine = self._machines.machine().engine
        return engine.version if engine is not None else ""


def _may_step(kind: str, plan: Plan) -> bool:
    """Whether a smaller plan can help: what the processor cannot load, less context cannot cure."""
    return kind in _HELPED_BY_LESS or (kind == "load_failed" and plan.gpu_layers > 0)


@dataclass(frozen=True, slots=True)
class _Opening:
    cancel: CancelToken
    tell_progress: ProgressListener

    def tell(self, stage: Stage, fraction: float) -> None:
        self.cancel.raise_if_cancelled()
        self.tell_progress(OpenProgress(stage, fraction))


def _nobody(progress: OpenProgress) -> None:
    """For callers who do not want to know."""


def _for_guide(wish: Wish) -> Wish:
    return replace(wish, gpu_layers=0, threads=wish.threads or _GUIDE_THREADS)


def _at_least(plan: Plan, crashed: Plan) -> bool:
    """Whether `plan` asks for as much as the one that died."""
    return plan.gpu_layers >= crashed.gpu_layers and plan.context >= crashed.context


def _too_large(report: FitReport) -> FitError:
    """With the figures of fit's own sentence."""
    name, found = report.model.name, report.reason_params
    needed, usable = found["needed"], found["usable"]
    if "context" in found:
        return FitError(
            "context_larger_than_memory",
            model=name,
            needed_bytes=needed,
            usable_bytes=usable,
            context=found["context"],
        )
    return FitError("larger_than_memory", model=name, needed_bytes=needed, usable_bytes=usable)


def _with_steps(error: LoadError, path: Path, steps: list[StepDown]) -> LoadError:
    params = {"path": str(path), "steps": len(steps), **error.params}
    return LoadError(error.kind, detail=error.detail, **params)
