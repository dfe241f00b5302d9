"""Find the fastest way to open a model on this machine, by trials in child processes."""

from __future__ import annotations

from collections.abc import Callable

from desktop.common.errors import CancelledError
from desktop.engine.cancel import CancelToken
from desktop.fit.tuning_terms import Limits
from desktop.fit.types import FitReport, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.hardware.machine import Machine
from desktop.library.library import Library
from desktop.services.first_open import TriedPlan
from desktop.services.fit_model import fit
from desktop.services.machine import MachineService
from desktop.services.model_ref import ResolvedModel, resolve
from desktop.services.open_model import too_large
from desktop.services.open_progress import OpenProgress
from desktop.services.tune_records import TuneRecords
from desktop.services.tune_report import (
    FailureMemory,
    ProgressListener,
    TuneProgress,
    TuneReport,
    TuneTools,
)
from desktop.services.tuned_plans import TunedPlan, TunedPlans
from desktop.services.tuning_trials import Tuning


class Tuner:
    """Tunes one model at a time; blocks, so call it off the window's thread."""

    def __init__(
        self,
        library: Library,
        machines: MachineService,
        plans: TunedPlans,
        memory: FailureMemory,
        tools: TuneTools | None = None,
        *,
        records: TuneRecords | None = None,
    ) -> None:
        """`records`: where what was tried is kept for people to read."""
        self._library = library
        self._machines = machines
        self._plans = plans
        self._memory = memory
        self._tools = tools or TuneTools()
        self._records = records

    def tune(
        self,
        ref: str,
        wish: Wish,
        *,
        machine: Machine | None = None,
        limits: Limits | None = None,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
    ) -> TuneReport:
        """The best plan for the model that `ref` names; a cancel keeps what is known by then.

        With a described `machine` trials are real only as far as this computer can stand in for
        it. What was found on this machine is kept for the next opening.
        Raises what resolving and planning raise, FitError where nothing fits, LoadError where
        nothing ran, CancelledError where nothing was known yet.
        """
        found = resolve(ref, self._library)
        header = read_header(found.path)
        check(header)
        target = machine if machine is not None else self._machines.current()
        corrections = self._memory.corrections(target)
        report = fit(header, target, wish, this_machine=machine is None, corrections=corrections)
        if report.verdict == "too_large":
            raise too_large(report)
        job = Tuning(
            self._tools,
            self._memory,
            found.path,
            header,
            target,
            wish,
            report,
            stands_in=None if machine is None else self._machines.current(),
            listener=on_progress or _nobody,
            limits=limits,
        )
        tuned = job.run(cancel or CancelToken())
        if machine is None:
            self._keep(header, target, wish, tuned)
        return tuned

    def first_open(
        self,
        found: ResolvedModel,
        header: ModelHeader,
        report: FitReport,
        wish: Wish,
        *,
        on_progress: Callable[[OpenProgress], None],
        cancel: CancelToken,
        start_now: CancelToken,
    ) -> TriedPlan | None:
        """Tuning as a part of opening; see `FirstOpenTuner`."""

        def tell(progress: TuneProgress) -> None:
            cancel.raise_if_cancelled()
            on_progress(OpenProgress("tuning", progress.fraction, progress.number, progress.most))

        machine = self._machines.machine()
        job = Tuning(
            self._tools,
            self._memory,
            found.path,
            header,
            machine,
            wish,
            report,
            listener=tell,
            quick=True,
        )
        try:
            tuned = job.run(_Either(cancel, start_now))
        except CancelledError:
            cancel.raise_if_cancelled()
            return None  # "start now" before anything was known
        cancel.raise_if_cancelled()
        self._keep(header, machine, wish, tuned)
        smaller = tuned.chosen.context < report.plan.context or (
            tuned.chosen.gpu_layers < report.plan.gpu_layers
        )
        failed = next((trial.error for trial in tuned.trials if not trial.ok), "")
        return TriedPlan(tuned.chosen, tuned.speed, failed if smaller else "")

    def _keep(self, header: ModelHeader, machine: Machine, wish: Wish, tuned: TuneReport) -> None:
        if self._records is not None:
            self._records.keep(header, machine, tuned)
        ran = [trial for trial in tuned.trials if trial.ok and trial.basis == "measured"]
        for trial in reversed(ran):
            if trial.plan == tuned.chosen:
                found = TunedPlan(tuned.chosen, tuned.speed, trial.used, disturbed=trial.busy)
                self._plans.keep(header, machine, wish, found)
                return


class _Either(CancelToken):
    """Set as soon as one of two is."""

    def __init__(self, one: CancelToken, other: CancelToken) -> None:
        super().__init__()
        self._tokens = (one, other)

    @property
    def cancelled(self) -> bool:
        return any(token.cancelled for token in self._tokens)

    def raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise CancelledError


def _nobody(progress: TuneProgress) -> None:
    """For callers who do not want to know."""
