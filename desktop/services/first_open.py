"""What opening a model asks of tuning: a plan known to be good, or a first trial of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from desktop.engine.cancel import CancelToken
from desktop.fit.types import FitReport, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine
from desktop.services.known_plan import KnownPlan
from desktop.services.model_ref import ResolvedModel
from desktop.services.open_progress import OpenProgress


@dataclass(frozen=True, slots=True)
class TriedPlan(KnownPlan):
    """The outcome of first trials; `failed` is the kind of what made a smaller plan necessary."""

    failed: str = ""


class KnownPlans(Protocol):
    """Plans kept from earlier tuning, for this model on this machine with this engine."""

    def lookup(self, header: ModelHeader, machine: Machine, wish: Wish) -> KnownPlan | None: ...

    def forget(self, header: ModelHeader, machine: Machine, wish: Wish) -> None: ...


class FirstOpenTuner(Protocol):
    """Tries plans of a model that is opened for the first time, in child processes."""

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
        """A plan that loaded and answered in a child; None where no trial was made.

        Begins with `report.plan`. `start_now` set: the best that is known by then.
        Raises LoadError where every plan failed for a reason that no smaller one cures,
        CancelledError.
        """
        ...
