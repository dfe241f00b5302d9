"""Finds the fastest way to open a model by few trials: what to try next, and when to stop.

Pure: it asks for a trial, is told what became of it, and asks for the next one. Speed grows with
every layer on the graphics until their memory ends, and that end is what predictions and drivers
are wrong about. So the search brackets it in bytes: what ran, what failed or turned slow; the
planner says what the best plan between the two would be. Everything that needs only another
context (threads, micro-batch, flash attention) is measured beside, with one load.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from desktop.fit.spilling import Spill
from desktop.fit.steps import smaller
from desktop.fit.tuning_terms import (
    Choices,
    Limits,
    Measured,
    Order,
    Outcome,
    Stopped,
    Ways,
    gain,
    need,
    predicted_turn_s,
    same_placement,
)
from desktop.fit.types import FitReport, Plan
from desktop.gguf.header import ModelHeader

_WORTH_A_TRIAL = 1.02
_SUSPICIOUS = 1.4  # so much slower than predicted: memory may have spilled over
_NEARLY_FULL = 0.6  # only where most of a device is taken
_HARDLY_LESS = 0.93
_SLOW_EVERYWHERE = 0.15  # of what a plan holds: then it is no spilled memory, but a slow device
_AFTER_FAILURE = (0.5, 0.25, 0.1, 0.0)
_UNSURE = 1.7  # predictions for two devices may be wrong against each other by so much
_SURELY, _HARDLY = 1.0, 3.0
_SHARES_OF_WHAT_FAILED = (0.7, 0.5)
_MOSTLY_USED = 0.5
_USUAL_UBATCH = 512
_HOLDS = 1.35
_STEPS_DOWN = 3
_MOST_RESERVE_BYTES = 64 << 20
_RESERVE_SHARE = 100


class Search:
    """Drive it: `next` until None, `tell` after each order. `best` is there at any time."""

    def __init__(
        self,
        header: ModelHeader,
        start: FitReport,
        ways: Ways,
        *,
        room: Mapping[str, int],
        choices: Choices | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`room`: bytes that each graphics device has for buffers; of them a little stays free."""
        self._header = header
        self._start = start
        self._ways = ways
        self._room = {
            device: size - min(_MOST_RESERVE_BYTES, size // _RESERVE_SHARE)
            for device, size in room.items()
        }
        self._choices = choices or Choices()
        self._limits = limits or Limits()
        self._steps = self._search()
        self._asked: Order | None = None
        self._trials = 0
        self._spent_s = 0.0
        self._bad: dict[str, int] | None = None
        self._used: Mapping[str, int] = {}
        self._varied: set[str] = set()
        self._on_cpu: Measured | None = None
        self.best: Measured | None = None
        self.stopped: Stopped | None = None
        self._advance(None)

    @property
    def trials(self) -> int:
        """How many orders have been told."""
        return self._trials

    def next(self) -> Order | None:
        """The next trial, or None: then `stopped` says why."""
        return self._asked

    def tell(self, outcome: Outcome) -> None:
        """What became of the order that `next` returned."""
        assert self._asked is not None, "nothing was asked for"
        self._trials += 1
        self._spent_s += outcome.seconds
        self._advance(outcome)

    def stop(self) -> None:
        """Somebody has waited enough: use what is known."""
        self._end("user")

    def _advance(self, outcome: Outcome | None) -> None:
        try:
            self._asked = next(self._steps) if outcome is None else self._steps.send(outcome)
        except StopIteration as end:
            self._end(end.value)
            return
        if outcome is not None and self._is_over(outcome):
            self._end("time" if self.best is not None else "failed")

    def _is_over(self, outcome: Outcome) -> bool:
        if self._trials >= self._limits.trials:
            return True
        return self._spent_s + outcome.seconds > self._limits.seconds and self.best is not None

    def _end(self, stopped: Stopped) -> None:
        self._asked = None
        self.stopped = stopped
        self._steps.close()

    def _search(self) -> Generator[Order, Outcome, Stopped]:
        first = self._with_room(self._start)
        if not (yield from self._first_that_runs(first)):
            return "failed"
        assert self.best is not None
        if self._choices.placement:
            if self.best.plan.gpu_layers == 0:
                yield from self._with_graphics()
            else:
                yield from self._more_or_less()
        return "predicted" if self._trials == 1 and self._as_predicted() else "done"

    def _with_room(self, start: FitReport) -> FitReport:
        """The start, or the better plan for the memory that there really is."""
        if not self._choices.placement or start.plan.gpu_layers == 0 or not self._room:
            return start
        held = need(start)
        if any(size > self._room.get(device, 0) for device, size in held.items()):
            return self._ways.propose(self._room) or start
        more = self._ways.propose(self._room, start.plan)
        if more is None or same_placement(more.plan, start.plan):
            return start
        return more if gain(start, more) >= _WORTH_A_TRIAL else start

    def _first_that_runs(self, report: FitReport) -> Generator[Order, Outcome, bool]:
        factors = list(_AFTER_FAILURE)
        steps = 0
        while True:
            outcome = yield self._order(report.plan)
            if outcome.runs:
                self._take(outcome)
                return True
            if not outcome.curable:
                return False
            following: FitReport | None = None
            if report.plan.gpu_layers > 0 and self._choices.placement:
                self._bad = need(report)
                following = self._after_failure(report, factors)
            if following is None:
                plan = smaller(report.plan, self._header) if steps < _STEPS_DOWN else None
                if plan is None:
                    return False
                steps += 1
                following = self._ways.judge(plan)
            report = following

    def _after_failure(self, failed: FitReport, factors: list[float]) -> FitReport | None:
        assert self._bad is not None
        while factors:
            factor = factors.pop(0)
            room = {device: int(size * factor) for device, size in self._bad.items()}
            report = self._ways.propose(room)
            if report is not None and not same_placement(report.plan, failed.plan):
                return report
        return None

    def _more_or_less(self) -> Generator[Order, Outcome, None]:
        """From a plan with graphics: what they hold at best, and whether they are worth it."""
        assert self.best is not None
        # A device whose memory ends hard has failed by now; only others spill over.
        if self._bad is None and self._suspicious(self.best):
            yield from self._spilled(self.best)
        yield from self._without_graphics(_SURELY)
        if self.best.plan.gpu_layers > 0:
            yield from self._grow()
            yield from self._other_contexts()
            yield from self._without_graphics(_UNSURE)
            yield from self._with_graphics()

    def _spilled(self, full: Measured) -> Generator[Order, Outcome, None]:
        """Far slower than predicted, and nearly full: less on the graphics may be faster."""
        spill = Spill(self._ways)
        while True:
            spill.add(full)
            share = spill.share()
            if share < _SLOW_EVERYWHERE:
                # Slow by itself, or all of it spilled: the processor's own speed tells.
                yield from self._without_graphics(_HARDLY)
                spill.calibrate(self._on_cpu)
                share = spill.share()
            if not _SLOW_EVERYWHERE <= share <= _HARDLY_LESS:
                return
            other = self._ways.propose(spill.room(share), full.plan)
            if other is None or other.plan.gpu_layers == 0:
                return
            if same_placement(other.plan, full.plan):
                return
            outcome = yield self._order(other.plan)
            self._take(outcome)
            if not outcome.runs or outcome.found.turn_s >= full.turn_s:
                return
            self._bad = need(self._ways.judge(full.plan))
            full = outcome.found

    def _suspicious(self, measured: Measured) -> bool:
        report = self._ways.judge(measured.plan)
        expected = predicted_turn_s(report)
        if expected is None or measured.turn_s < _SUSPICIOUS * expected:
            return False
        held = need(report)
        return any(size > _NEARLY_FULL * self._room.get(name, 0) for name, size in held.items())

    def _grow(self) -> Generator[Order, Outcome, None]:
        """More on the graphics, between what ran and what did not."""
        while True:
            assert self.best is not None
            before = self._ways.judge(self.best.plan)
            more = self._ways.propose(self._reachable(before), self.best.plan)
            if more is None or same_placement(more.plan, self.best.plan):
                return
            if sum(need(more).values()) <= sum(need(before).values()):
                return
            if gain(before, more) < _WORTH_A_TRIAL:
                return
            outcome = yield self._order(more.plan)
            if not self._take(outcome):
                self._bad = need(more)

    def _reachable(self, now: FitReport) -> dict[str, int]:
        """Room for the next plan: by what this one really used against its prediction, and
        below what failed; where that is no help, half way to it."""
        reach = dict(self._room)
        for device, size in need(now).items():
            if device in reach:
                reach[device] += size - self._used.get(device, size)
            if self._bad is None:
                continue
            bad = self._bad.get(device, size)
            if not size < reach.get(device, 0) < bad:
                reach[device] = (size + bad) // 2
        return reach

    def _other_contexts(self) -> Generator[Order, Outcome, None]:
        """A smaller context cache or micro-batch makes room for what lies in main memory."""
        for change in self._smaller_contexts():
            assert self.best is not None
            now = self._ways.judge(self.best.plan)
            if _is_whole(now.plan, self._header):
                return
            other = self._ways.propose(self._reachable(now), replace(self.best.plan, **change))
            if other is None or same_placement(other.plan, now.plan):
                continue
            if gain(now, other) >= 1.0:  # what is lost and won is too close to predict it further
                self._take((yield self._order(other.plan)))

    def _smaller_contexts(self) -> list[dict[str, Any]]:
        assert self.best is not None
        plan = self.best.plan
        changes: list[dict[str, Any]] = []
        if plan.kv_type == "f16":
            changes += [
                {"kv_type": kind, "flash_attention": True} for kind in self._choices.kv_types
            ]
        if self._choices.ubatches and plan.ubatch > _USUAL_UBATCH:
            changes.append({"ubatch": _USUAL_UBATCH})
        return changes

    def _without_graphics(self, unsure: float) -> Generator[Order, Outcome, None]:
        """The processor alone, where it may well be as fast; never twice."""
        assert self.best is not None
        like = replace(self.best.plan, ubatch=self._start.plan.ubatch)
        other = self._ways.propose({}, like)
        if self._on_cpu is not None or other is None or other.plan.gpu_layers > 0:
            return
        expected = predicted_turn_s(other)
        if expected is None or expected <= unsure * self.best.turn_s:
            self._take((yield self._order(other.plan)))

    def _with_graphics(self) -> Generator[Order, Outcome, None]:
        """The planner thought little of the graphics: close calls are measured."""
        for share in _SHARES_OF_WHAT_FAILED:
            assert self.best is not None
            now = self._ways.judge(self.best.plan)
            room = self._room
            if self._bad is not None:
                room = {name: int(size * share) for name, size in self._bad.items()}
            if sum(need(now).values()) > _MOSTLY_USED * sum(room.values()):
                return
            other = self._ways.offload(room, self.best.plan)
            if other is None or same_placement(other.plan, self.best.plan):
                return
            expected = predicted_turn_s(other)
            if expected is not None and expected > _UNSURE * self.best.turn_s:
                return
            outcome = yield self._order(other.plan)
            if self._take(outcome):
                yield from self._grow()
                return
            if outcome.runs:
                return
            self._bad = need(other)

    def _order(self, plan: Plan) -> Order:
        """Variants are measured with the first plan of each kind of placement alone."""
        kind = self._kind(plan)
        if self.best is not None:
            plan = _like_best(plan, self.best.plan, same_kind=self._kind(self.best.plan) == kind)
        if kind in self._varied:
            return Order(plan)
        return Order(plan, tuple(self._variants(plan)))

    def _variants(self, plan: Plan) -> list[Plan]:
        found: list[Plan] = []
        if not _is_whole(plan, self._header):
            found += [replace(plan, threads=n) for n in self._choices.threads if n != plan.threads]
        for ubatch in self._choices.ubatches:
            wanted = replace(plan, ubatch=ubatch)
            if ubatch == plan.ubatch or ubatch > plan.context:
                continue
            if (ubatch > plan.ubatch) == (plan.gpu_layers > 0) and self._holds(wanted):
                found.append(wanted)
        if self._choices.flash_attention and plan.kv_type == "f16":
            wanted = replace(plan, flash_attention=not plan.flash_attention)
            if self._holds(wanted):
                found.append(wanted)
        return found

    def _kind(self, plan: Plan) -> str:
        """Placements that other threads and micro-batches suit."""
        if plan.gpu_layers == 0:
            return "cpu"
        return "gpu" if _is_whole(plan, self._header) else "both"

    def _holds(self, plan: Plan) -> bool:
        """Whether the graphics have room for it, and main memory too."""
        report = self._ways.judge(plan)
        room = self._room
        return all(size <= room.get(device, size) for device, size in need(report).items()) and (
            plan.gpu_layers > 0 or report.verdict != "too_large"
        )

    def _take(self, outcome: Outcome) -> bool:
        """Keep what is faster than the best so far; whether it was."""
        if not outcome.runs:
            return False
        found = outcome.found
        self._varied.add(self._kind(found.plan))
        if found.plan.gpu_layers == 0:
            self._on_cpu = found
        if self.best is not None and found.turn_s >= self.best.turn_s:
            return False
        self.best = found
        self._used = outcome.used
        return True

    def _as_predicted(self) -> bool:
        assert self.best is not None
        expected = predicted_turn_s(self._start)
        if expected is None or not same_placement(self.best.plan, self._start.plan):
            return False
        return 1 / _HOLDS <= self.best.turn_s / expected <= _HOLDS


def _is_whole(plan: Plan, header: ModelHeader) -> bool:
    return plan.gpu_layers > header.block_count and plan.expert_layers_on_cpu == 0


def _like_best(plan: Plan, best: Plan, *, same_kind: bool) -> Plan:
    """`plan` with what has been found out about threads, and about the context on such devices."""
    plan = replace(plan, threads=best.threads, threads_batch=best.threads_batch)
    if not same_kind:
        return plan
    flash = best.flash_attention or plan.kv_type != "f16"
    return replace(plan, flash_attention=flash)
