"""Which smaller versions of a model are worth making on this machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from desktop.common.errors import HausgeistError
from desktop.common.logs import get_logger
from desktop.fit.corrections import Corrections
from desktop.fit.types import FitReport, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine
from desktop.services.fit_model import fit
from desktop.services.quantize_plan import OFFERED, QuantizationPlan, plan_quantization

_RECOMMENDED = "Q4_K_M"

_log = get_logger("services")


@dataclass(frozen=True, slots=True)
class QuantizationChoice:
    """One type that could be made: `report` is its verdict and speed here, None if none is known.

    `is_recommended` marks the one that keeps answers as they are meant with the fewest bytes.
    """

    plan: QuantizationPlan
    report: FitReport | None
    is_recommended: bool


def choices_of(
    header: ModelHeader, machine: Machine | None, lessons: Corrections
) -> tuple[QuantizationChoice, ...]:
    """Largest first; none that would not be smaller, or than which another is smaller and better.

    Raises ModelFileError where the model itself is none to be made smaller.
    """
    plans = []
    for quantization in OFFERED:
        try:
            plans.append(plan_quantization(header, quantization))
        except HausgeistError as error:
            if error.kind != "quantization_not_smaller":
                raise
    plans = _worth_it(plans)
    reports = [_report(plan, machine, lessons) for plan in plans]
    best = _recommended(plans, reports)
    return tuple(
        QuantizationChoice(plan, report, plan.quantization == best)
        for plan, report in zip(plans, reports, strict=True)
    )


def _report(
    plan: QuantizationPlan, machine: Machine | None, lessons: Corrections
) -> FitReport | None:
    if machine is None:
        return None
    try:
        return fit(plan.header, machine, Wish(), try_out=False, advise=False, corrections=lessons)
    except HausgeistError as error:
        _log.info("no plan for %s: %s", plan.quantization, error)
        return None


def _worth_it(plans: list[QuantizationPlan]) -> list[QuantizationPlan]:
    """Largest first, each of which loses less than all that are smaller."""
    kept: list[QuantizationPlan] = []
    least_loss = math.inf
    for plan in sorted(plans, key=lambda plan: (plan.file_bytes, plan.more_loss_nats or 0.0)):
        loss = math.inf if plan.more_loss_nats is None else plan.more_loss_nats
        if loss < least_loss:
            least_loss = loss
            kept.append(plan)
    return kept[::-1]


def _recommended(plans: list[QuantizationPlan], reports: list[FitReport | None]) -> str:
    """Q4_K_M, the usual choice of most makers; where it is too large for this computer, or no
    smaller than what is here, the best that fits without losing much; else none."""
    fitting = [
        plan
        for plan, report in zip(plans, reports, strict=True)
        if report is None or report.verdict != "too_large"
    ]
    if any(plan.quantization == _RECOMMENDED for plan in fitting):
        return _RECOMMENDED
    good = [plan for plan in fitting if plan.loss_tier in ("none", "little")]
    return good[0].quantization if good else ""
