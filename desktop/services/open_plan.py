"""With which plan a model is to be opened: one kept from tuning, or one made anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.drives import DriveKind
from desktop.common.logs import get_logger
from desktop.fit.companions import NO_COMPANIONS, Companions
from desktop.fit.planner import judge, smaller
from desktop.fit.proposals import judge_tried
from desktop.fit.types import FitReport, Plan, Speed, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.devices import is_pool_device
from desktop.hardware.machine import Machine
from desktop.services.crash_marker import CrashMarker
from desktop.services.fingerprint import fingerprint_of
from desktop.services.first_open import KnownPlans
from desktop.services.fit_model import fit
from desktop.services.machine import MachineService
from desktop.services.measured_speed import as_measured, with_measured_speed
from desktop.services.model_ref import ResolvedModel
from desktop.services.open_failures import devices_of, remember_crash
from desktop.services.open_progress import StepDown
from desktop.services.recording import Recorder

# So small a model is fastest alone: threads that wait for each other made it 20 times slower
# (8 instead of 160 tokens/s) beside other work.
_GUIDE_THREADS = 1
_MAY_GO_AWAY: tuple[DriveKind, ...] = ("removable", "network")

_log = get_logger("services")


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be loaded. `tuned`: this very plan has been tried on this machine before.

    `untuned`: nothing is kept from tuning, so a first trial may find something better. `speed` is
    what tuning measured under this plan. `apart`: the model has ended a process lately, so it runs
    in one of its own, however well it is known.
    """

    machine: Machine
    report: FitReport
    plan: Plan
    steps: tuple[StepDown, ...] = ()
    tuned: bool = False
    untuned: bool = True
    speed: Speed | None = None
    apart: bool = False

    @property
    def servers(self) -> tuple[str, ...]:
        """Other machines' RPC servers that the plan's devices belong to."""
        uses = any(is_pool_device(name) for name in devices_of(self.plan))
        return self.machine.pool_servers if uses else ()


class OpenPlanner:
    """Plans for opening on this machine, with all that was learned about it."""

    def __init__(
        self,
        machines: MachineService,
        crash_marker: CrashMarker,
        recorder: Recorder,
        known_plans: KnownPlans | None,
        drive_kind: Callable[[Path], DriveKind],
    ) -> None:
        self._machines = machines
        self._crash_marker = crash_marker
        self._history = recorder.history
        self._held = recorder.held
        self._known_plans = known_plans
        self._drive_kind = drive_kind

    def planned(
        self,
        found: ResolvedModel,
        header: ModelHeader,
        wish: Wish,
        companions: Companions = NO_COMPANIONS,
    ) -> Planned:
        """The plan for `wish`: not mapped where the drive may go away, smaller after a crash.

        The report may say "too_large". Raises UsageError for the wish.
        """
        planned = self._first(found, header, wish, companions)
        plan = self.for_drive(found, planned.plan)
        return self._after_crash(found, header, replace(planned, plan=plan))

    def for_drive(self, found: ResolvedModel, plan: Plan) -> Plan:
        """Not mapped where the drive may go away: a stick pulled out would end the process."""
        if plan.use_mmap and self._drive_kind(found.path) in _MAY_GO_AWAY:
            return replace(plan, use_mmap=False)
        return plan

    def without(
        self,
        devices: tuple[str, ...],
        found: ResolvedModel,
        header: ModelHeader,
        wish: Wish,
        companions: Companions = NO_COMPANIONS,
    ) -> Planned:
        """Anew on the machine as it is now, and without `devices`, which did not answer."""
        machine = self._machines.machine(refresh=True)
        left = tuple(gpu for gpu in machine.gpus if gpu.device not in devices)
        report = self._fit(header, replace(machine, gpus=left), wish, companions)
        return Planned(machine, report, self.for_drive(found, report.plan), untuned=False)

    def report_of(
        self,
        header: ModelHeader,
        machine: Machine,
        plan: Plan,
        companions: Companions = NO_COMPANIONS,
    ) -> FitReport:
        """What exactly this plan needs, by the header's arithmetic."""
        return judge(
            machine,
            header,
            plan,
            corrections=self._history.corrections(machine),
            companions=companions,
            ours=self._held.by_device(idle_only=True),
        )

    def _first(
        self, found: ResolvedModel, header: ModelHeader, wish: Wish, companions: Companions
    ) -> Planned:
        if found.is_guide:
            machine = self._machines.quick()
            report = fit(header, machine, _for_guide(wish), try_out=False, companions=companions)
            return Planned(machine, report, report.plan, untuned=False)
        machine = self._machines.current()
        if self._known_plans is None or companions != NO_COMPANIONS:
            # Tuning tries a model alone.
            report = self._fit(header, machine, wish, companions)
            return Planned(machine, report, report.plan)
        known = self._known_plans.lookup(header, machine, wish)
        if known is None:
            report = self._fit(header, machine, wish)
            return Planned(machine, report, report.plan)
        corrections, ours = self._history.corrections(machine), self._held.by_device(idle_only=True)
        report = judge_tried(machine, header, known.plan, corrections, ours)
        if report.verdict == "too_large":
            # Other programs hold what it needs: for this time a plan that fits.
            _log.info("%s: the tuned plan does not fit now", found.name)
            report = self._fit(header, machine, wish)
            return Planned(machine, report, report.plan, untuned=False)
        report = self._as_measured(with_measured_speed(report, known.speed), header, machine)
        return Planned(machine, report, known.plan, tuned=True, untuned=False)

    def forget_tuned(self, planned: Planned, header: ModelHeader, wish: Wish) -> None:
        """The plan that was kept from tuning did not load: the next opening tunes anew."""
        if self._known_plans is not None and planned.tuned:
            self._known_plans.forget(header, planned.machine, wish)

    def _fit(
        self,
        header: ModelHeader,
        machine: Machine,
        wish: Wish,
        companions: Companions = NO_COMPANIONS,
    ) -> FitReport:
        report = fit(
            header,
            machine,
            wish,
            corrections=self._history.corrections(machine),
            ours=self._held.by_device(idle_only=True),
            companions=companions,
        )
        return self._as_measured(report, header, machine)

    def _as_measured(self, report: FitReport, header: ModelHeader, machine: Machine) -> FitReport:
        """Real answers say more than a trial, and a trial more than a prediction."""
        return as_measured(report, self._history, machine, lambda: fingerprint_of(header))

    def _after_crash(self, found: ResolvedModel, header: ModelHeader, planned: Planned) -> Planned:
        crash = self._crash_marker.crashed(found.path)
        if crash is None:
            return planned
        planned = replace(planned, apart=True)
        if found.is_guide:
            return planned
        if crash.activity == "loading":
            report = self.report_of(header, planned.machine, crash.plan)
            remember_crash(self._history, planned.machine, report, crash.started_at)
        if not _at_least(planned.plan, crash.plan):
            return planned
        start = replace(crash.plan, use_mmap=planned.plan.use_mmap, threads=planned.plan.threads)
        after = smaller(start, header)
        if after is None:
            return planned
        _log.info("%s died while %s: one step smaller", found.name, crash.activity)
        step = StepDown(planned.plan, after, f"crashed_{crash.activity}")
        return replace(
            planned,
            plan=after,
            steps=(step,),
            tuned=False,
            untuned=False,
        )


def _for_guide(wish: Wish) -> Wish:
    return replace(wish, gpu_layers=0, threads=wish.threads or _GUIDE_THREADS)


def _at_least(plan: Plan, crashed: Plan) -> bool:
    """Whether `plan` asks for as much as the one that died."""
    return plan.gpu_layers >= crashed.gpu_layers and plan.context >= crashed.context
