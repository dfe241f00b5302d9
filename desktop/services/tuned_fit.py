"""What tuning found for a model stands in place of what is planned for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.proposals import judge_tried
from desktop.fit.types import FitReport, Wish
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Machine
from desktop.services.measured_speed import with_measured_speed
from desktop.services.tuned_plans import TunedPlans


def as_tuned(
    report: FitReport,
    model: Path,
    machine: Machine,
    wish: Wish,
    tuned: TunedPlans,
    corrections: Corrections = NO_CORRECTIONS,
) -> FitReport:
    """`report`, or the report of the plan with which the model would really be opened.

    That is the one that `tuned` keeps for this model, machine and wish, while it fits what is
    free; then with the speed that was measured under it. Raises ModelFileError.
    """
    if tuned.is_empty():
        return report
    header = read_header(model, allow_missing_data=True)
    known = tuned.lookup(header, machine, wish)
    if known is None:
        return report
    if known.plan != report.plan:
        found = judge_tried(machine, header, known.plan, corrections)
        if found.verdict == "too_large":
            return report
        report = replace(found, alternatives=report.alternatives)
    return with_measured_speed(report, known.speed)
