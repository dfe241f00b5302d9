"""Where graphics memory ends when nothing fails: what is too much lies in main memory, and is slow.

Windows drivers move it there silently, and others count memory as free that is not. Then a token
takes the longer the more lies beyond the end, so that two such plans draw a line; it meets the
line of what fits where the memory ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.fit.tuning_terms import Measured, Ways, need
from desktop.fit.types import FitReport

_BUS_BYTES_PER_S = 8e9
_LEAST_SHARE, _MOST_SHARE = 0.5, 0.8  # for a first guess: of experts few are read a token
_SMALLEST = 0.05
_HALVINGS = 6


@dataclass(frozen=True, slots=True)
class _Point:
    held_bytes: int
    token_s: float
    report: FitReport


class Spill:
    """Plans that ran too slowly, the one with the most on the graphics first."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._points: list[_Point] = []
        self._scale = 1.0

    def add(self, measured: Measured) -> None:
        report = self._ways.judge(measured.plan)
        held = sum(need(report).values())
        self._points.append(_Point(held, 1 / measured.tokens_per_s, report))

    def calibrate(self, on_cpu: Measured | None) -> None:
        """What the processor alone reached, if known, says how far predictions are off here."""
        if on_cpu is None:
            return
        predicted = self._ways.judge(on_cpu.plan).speed.tokens_per_s
        if predicted:
            self._scale = predicted / on_cpu.tokens_per_s

    def share(self) -> float:
        """Of what the last plan holds on the graphics, the share that seems to fit; 1: all."""
        last = self._points[-1]
        expected = self._expected_s(last.report)
        if expected is None or last.held_bytes <= 0:
            return 1.0
        if len(self._points) == 1:
            spilled = (last.token_s - expected) * _BUS_BYTES_PER_S
            return min(_MOST_SHARE, max(_LEAST_SHARE, 1 - spilled / last.held_bytes))
        before = self._points[-2]
        slope = (before.token_s - last.token_s) / max(1, before.held_bytes - last.held_bytes)
        if slope <= 0:
            return 1.0
        return self._meeting(last, slope)

    def room(self, share: float) -> Mapping[str, int]:
        """Bytes a device: `share` of what the last plan holds there."""
        held = need(self._points[-1].report)
        return {device: int(size * share) for device, size in held.items()}

    def _meeting(self, last: _Point, slope: float) -> float:
        """The share where the line through what spilled meets what is expected of what fits."""
        if not self._spills(last.report, last, slope):
            return 1.0
        low, high = _SMALLEST, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            report = self._ways.propose(self.room(middle), last.report.plan)
            if report is None or report.plan.gpu_layers == 0:
                low = middle
            elif self._spills(report, last, slope):
                high = middle
            else:
                low = middle
        return low

    def _spills(self, report: FitReport, last: _Point, slope: float) -> bool:
        """Whether a plan lies on the line of those that spill, above what is expected of it."""
        expected = self._expected_s(report)
        held = sum(need(report).values())
        return expected is not None and last.token_s + slope * (held - last.held_bytes) > expected

    def _expected_s(self, report: FitReport) -> float | None:
        predicted = report.speed.tokens_per_s
        return self._scale / predicted if predicted else None
