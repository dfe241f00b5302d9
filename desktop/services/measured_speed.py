"""A fit's report with the speed that was measured in place of the predicted one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from desktop.common.reading import COMFORTABLE_TOKENS_PER_S, TOKENS_PER_PAGE
from desktop.fit.types import FitReport, Speed
from desktop.hardware.machine import Machine
from desktop.services.history import History

_SLOW, _NO_SPEED = "_slow", "_no_speed"


def as_measured(
    report: FitReport, history: History, machine: Machine, fingerprint: Callable[[], str]
) -> FitReport:
    """`report` with the speed that this very model had on `machine` under such a plan.

    `fingerprint` (library.files.content_of) is asked only where the history knows a model that
    may be this one: it reads a megabyte.
    """
    model = report.model
    if not history.may_know(model.architecture, model.file_bytes):
        return report
    return with_measured_speed(report, history.measured(machine, fingerprint(), report.plan))


def with_measured_speed(report: FitReport, speed: Speed | None) -> FitReport:
    """`report` with what `speed` knows better, its sentence included; unchanged for None."""
    if speed is None or not speed.tokens_per_s:
        return report
    prompt = speed.prompt_tokens_per_s or report.speed.prompt_tokens_per_s
    found = replace(report, speed=Speed(prompt, speed.tokens_per_s, speed.basis))
    if report.verdict == "too_large":
        return found
    key = report.reason_key.removesuffix(_NO_SPEED).removesuffix(_SLOW)
    if speed.tokens_per_s < COMFORTABLE_TOKENS_PER_S:
        key += _SLOW
    params = {
        **report.reason_params,
        "tokens_per_s": round(speed.tokens_per_s, 1),
        "page_s": round(TOKENS_PER_PAGE / speed.tokens_per_s, 1),
    }
    return replace(found, reason_key=key, reason_params=params)
