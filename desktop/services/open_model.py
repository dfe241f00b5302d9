"""Open a model: look at the file, plan, try it out in a child process, load, write it down.

The guide that ships inside is trusted: it is opened at once, without a trial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from desktop.common.errors import FitError, HausgeistError, LoadError, ModelFileError
from desktop.common.logs import get_logger
from desktop.engine.cancel import CancelToken
from desktop.engine.engine import Engine
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.fit.companions import NO_COMPANIONS
from desktop.fit.types import FitReport, Wish
from desktop.fit.vectors import makes_vectors
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.library.library import Library
from desktop.library.model_settings import ModelSettings
from desktop.services.crash_marker import CrashMarker
from desktop.services.file_guard import FileGuard, GuardedEngine
from desktop.services.first_open import FirstOpenTuner, KnownPlans
from desktop.services.history import Unrecorded
from desktop.services.load_record import recorded
from desktop.services.machine import MachineService
from desktop.services.measured_speed import with_measured_speed
from desktop.services.model_ref import ResolvedModel, resolve
from desktop.services.open_extras import check_extras, files_of
from desktop.services.open_load import (
    MAX_STEPS,
    LoadedModel,
    ModelLoader,
    Opening,
    OpenTools,
    ProgressListener,
)
from desktop.services.open_plan import OpenPlanner
from desktop.services.open_progress import OpenedModel, OpenProgress
from desktop.services.pool import Pool
from desktop.services.probe_memory import ProbeMemory, fingerprint
from desktop.services.recording import Recorder
from desktop.services.settled_engine import SettledEngine

__all__ = ["MAX_STEPS", "ModelOpener", "OpenTools", "ProgressListener"]

_log = get_logger("services")


class ModelOpener:
    """Opens one model at a time for whoever asks; blocks, so call it off the window's thread."""

    def __init__(
        self,
        library: Library,
        machines: MachineService,
        crash_marker: CrashMarker,
        probe_memory: ProbeMemory,
        recorder: Recorder,
        tools: OpenTools | None = None,
        *,
        known_plans: KnownPlans | None = None,
        tuner: FirstOpenTuner | None = None,
        pool: Pool | None = None,
        always_apart: Callable[[], bool] = lambda: False,
    ) -> None:
        """`known_plans` are kept from tuning; `tuner` makes the first trials of a model; `pool`
        notes connections to other machines. `always_apart`: the switch for the careful."""
        self._library = library
        self._machines = machines
        self._crash_marker = crash_marker
        self._probe_memory = probe_memory
        self._recorder = recorder
        self._tools = tools or OpenTools()
        self._planner = OpenPlanner(
            machines, crash_marker, recorder, known_plans, self._tools.drive_kind
        )
        self._loader = ModelLoader(
            self._planner, crash_marker, recorder.history, self._tools, tuner, pool
        )
        self._always_apart = always_apart

    def open(
        self,
        ref: str,
        wish: Wish,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        start_now: CancelToken | None = None,
        insist: bool = False,
        usual_context: int | None = None,
        apart: bool = False,
        extras: Extras = NO_EXTRAS,
        to_chat: bool = True,
        make_room: Callable[[FitReport], None] | None = None,
    ) -> OpenedModel:
        """The model that `ref` names, ready to answer, with the settings of its own.

        `usual_context` is for a model that has none of its own, where `wish` names none either.
        `start_now` set ends tuning with what is known by then; `insist` opens what does not fit,
        and forgets an earlier crash. `apart` runs it in a process of its own. `extras` are opened
        with it; the eyes that the library keeps beside a model are where they fit. `to_chat`
        refuses what makes vectors only. `make_room` hears the plan before anything is loaded.
        Raises ModelFileError and UsageError for the file, FitError (larger_than_memory,
        context_larger_than_memory), LoadError when no smaller plan is left, CancelledError.
        """
        cancel, listener = cancel or CancelToken(), on_progress or _nobody
        cancel.raise_if_cancelled()
        listener(OpenProgress("checking", 0.0))
        found = resolve(ref, self._library)
        if found.entry is not None and found.entry.problem == "drive_gone":
            raise ModelFileError("drive_gone", model=found.name, path=str(found.path))
        header = read_header(found.path)
        check(header)
        if to_chat and makes_vectors(header):
            raise LoadError("not_generative", architecture=header.architecture)
        settings = self._settings_of(found)
        wish = replace(wish, context=wish.context or settings.context_tokens or usual_context)
        opening = Opening(
            found,
            header,
            wish,
            cancel,
            start_now or CancelToken(),
            listener,
            settings.template,
            apart=apart or self._always_apart(),
            extras=extras,
            companions=check_extras(extras, header),
            make_room=make_room,
        )
        opening.tell("checking", 0.5)
        if insist:
            self._crash_marker.forget(found.path)
        opened = self._open_seeing(opening)
        if opened is None:
            opened = self._open(opening, insist=insist)
        if found.entry is None:
            return opened
        engine = SettledEngine(opened.engine, partial(self._settings_of, found))
        return replace(opened, engine=engine)

    def _open_seeing(self, opening: Opening) -> OpenedModel | None:
        """With the projector that the library keeps beside it; None where there is none, or where
        it does not go: nobody asked for it, so it must not keep the model from opening."""
        entry = opening.found.entry
        if entry is None or entry.projector is None or opening.extras.projector is not None:
            return None
        seeing = replace(opening.extras, projector=entry.projector)
        try:
            companions = check_extras(seeing, opening.header)
            whole = replace(opening, extras=seeing, companions=companions)
            return self._open(whole, insist=False)
        except (ModelFileError, FitError, LoadError) as error:
            _log.warning("%s is opened without %s: %s", entry.name, entry.projector.name, error)
            return None

    def _open(self, opening: Opening, *, insist: bool) -> OpenedModel:
        found, header = opening.found, opening.header
        planned = self._planner.planned(found, header, opening.wish, opening.companions)
        if planned.report.verdict == "too_large" and not insist:
            raise too_large(planned.report)
        opening.tell("checking", 1.0)
        guard = FileGuard(header.paths)
        known = self._is_known(found) and self._are_known(found, opening.extras)
        loaded = self._loader.load(opening, planned, known=known)
        self._remember(found, opening.extras)
        return self._opened(opening, loaded, guard)

    def _settings_of(self, found: ResolvedModel) -> ModelSettings:
        """The model's own settings; a disk that cannot be read must not keep it from opening."""
        if found.entry is None:
            return ModelSettings()
        store, key = self._library.model_settings, found.entry.content or found.entry.name
        try:
            return store.own(key).over(store.recommended(key))
        except HausgeistError as error:
            _log.warning("without its own settings: %s", error)
            return ModelSettings()

    def _opened(self, opening: Opening, loaded: LoadedModel, guard: FileGuard) -> OpenedModel:
        found, header, planned = opening.found, opening.header, loaded.planned
        report, plan = planned.report, planned.plan
        if plan != report.plan:
            report = self._planner.report_of(header, planned.machine, plan, opening.companions)
        report = with_measured_speed(report, planned.speed)
        recorder = self._recorder
        if opening.companions != NO_COMPANIONS:
            # llama.cpp does not tell what they take, so nothing could be learned from the sum.
            recorder = replace(recorder, history=Unrecorded())
        kept = recorded(recorder, found.name, header, loaded, report, loaded.meter)
        engine: Engine = GuardedEngine(kept, guard) if plan.use_mmap else kept
        return OpenedModel(
            found.name,
            engine,
            report,
            planned.steps,
            found.is_guide,
            plan.use_mmap,
            holder=kept.load_id,
        )

    def _is_known(self, found: ResolvedModel) -> bool:
        """Whether this engine has loaded this very file well before."""
        if found.is_guide:
            return True
        version = self._engine_version()
        if found.entry is not None and not found.entry.problem and version:
            return found.entry.probed_engine == version
        return self._probe_memory.knows(found.path, version)

    def _are_known(self, found: ResolvedModel, extras: Extras) -> bool:
        """Whether all that goes with it has been loaded with this very file."""
        files = files_of(extras)
        together = self._together(found) if files else ""
        return all(self._probe_memory.knows(path, together) for path in files)

    def _together(self, found: ResolvedModel) -> str:
        return f"{self._engine_version()} with {fingerprint(found.path, '')}"

    def _remember(self, found: ResolvedModel, extras: Extras) -> None:
        """Loaded well: the next time without a trial. A full disk must not spoil the opening."""
        for path in files_of(extras):
            self._probe_memory.remember(path, self._together(found))
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


def _nobody(progress: OpenProgress) -> None:
    """For callers who do not want to know."""


def too_large(report: FitReport) -> FitError:
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
