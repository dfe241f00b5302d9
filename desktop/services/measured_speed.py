"""A fit's report with the speed that was measured in place of the predicted one."""

from __future__ import annotations

from dataclasses import replace

from desktop.common.reading import COMFORTABLE_TOKENS_PER_S, TOKENS_PER_PAGE
from desktop.fit.types import FitReport, Speed

_SLOW, _NO_SPEED = "_slow", "_no_speed"


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
