"""Chooses how to open a model on a machine, and says how well that will go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from desktop.fit.alternatives import alternatives
from desktop.fit.candidates import Candidates, Setting
from desktop.fit.companions import NO_COMPANIONS, Companions
from desktop.fit.compute import ComputeEstimator
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.devices import Party, rooms
from desktop.fit.guessing import draft_tokens, has_heads
from desktop.fit.memory import Footprint
from desktop.fit.memory_rows import MemoryRows, Rows
from desktop.fit.placements import Placements
from desktop.fit.plan_warnings import plan_warnings
from desktop.fit.repack import rearranged_types
from desktop.fit.rule_of_thumb import rule_of_thumb_bytes
from desktop.fit.search import Search
from desktop.fit.speed import TYPICAL_TOKENS, SpeedModel
from desktop.fit.steps import smaller
from desktop.fit.types import FitReport, Method, ModelSummary, Plan, Speed, Verdict, Wish
from desktop.fit.wishes import check_wish
from desktop.fit.words import missing_bytes, reason
from desktop.gguf.header import ModelHeader
from desktop.gguf.safety import check
from desktop.gguf.shown import printable
from desktop.hardware.machine import Machine

__all__ = ["ComputeEstimator", "judge", "plan", "smaller"]

NOTHING_OURS: Mapping[str, int] = {}
_ASKED_AGAIN = 3  # each question to llama.cpp takes about a second
_WEIGHED_TOKENS = 2_048  # of context that plans are compared with: in the middle of a conversation
_WORTH_ASKING_LAYERS = 2  # so many layers more must fit than the estimate said


def plan(
    machine: Machine,
    header: ModelHeader,
    wish: Wish,
    compute: ComputeEstimator | None = None,
    corrections: Corrections = NO_CORRECTIONS,
    companions: Companions = NO_COMPANIONS,
    *,
    ours: Mapping[str, int] = NOTHING_OURS,
    advise: bool = True,
) -> FitReport:
    """The best plan for `wish` that leaves a margin on every device; else "too_large".

    `compute` asks llama.cpp for its buffers; without it, or where it cannot answer, they are
    estimated. `ours`: bytes by device that unloading our own models would free. `advise` False
    leaves the alternatives out. Raises UsageError (bad_wish, bad_kv_type, wish_too_narrow) and
    what gguf.safety.check raises.
    """
    check_wish(wish)
    check(header)
    planner = Planner(machine, header, wish, compute, corrections, companions, ours)
    report = planner.report()
    if not advise:
        return report

    def replan(other: ModelHeader, changed: Wish) -> FitReport:
        return Planner(machine, other, changed, None, corrections, companions, ours).report()

    return replace(report, alternatives=alternatives(header, wish, report, replan))


def judge(
    machine: Machine,
    header: ModelHeader,
    given: Plan,
    *,
    compute: ComputeEstimator | None = None,
    corrections: Corrections = NO_CORRECTIONS,
    companions: Companions = NO_COMPANIONS,
    ours: Mapping[str, int] = NOTHING_OURS,
    filled_tokens: int = TYPICAL_TOKENS,
) -> FitReport:
    """The report of exactly this plan; "too_large" where it does not fit now.

    `filled_tokens`: of the context, that an answer looks back at.
    Raises what gguf.safety.check raises.
    """
    check(header)
    wish = Wish(given.context, given.kv_type, given.parallel, given.gpu_layers)
    return Planner(machine, header, wish, compute, corrections, companions, ours).judged(
        given, filled_tokens
    )


class Planner:
    """One model on one machine, with one wish."""

    def __init__(
        self,
        machine: Machine,
        header: ModelHeader,
        wish: Wish,
        compute: ComputeEstimator | None,
        corrections: Corrections,
        companions: Companions,
        ours: Mapping[str, int],
    ) -> None:
        self._machine = machine
        self._header = header
        self._wish = wish
        self._drafted = companions.draft is not None
        self.footprint = _footprint(header, rearranged_types(machine.cpu.features))
        self.rooms = rooms(machine, corrections, ours)
        self.rows = MemoryRows(self.footprint, self.rooms, companions, compute)
        self._gpus = {room.device: room.gpu for room in self.rooms.gpus}
        self._model = SpeedModel(self.footprint, machine, corrections)
        self._speeds: dict[tuple[Plan, int], Speed] = {}
        self.search = self._search_for(wish)

    def report(self) -> FitReport:
        """What is best, asked of llama.cpp where it can be."""
        chosen = self.search.best()
        if chosen is None:
            nearest = self.search.nearest()
            return self._reported(nearest, *self.rows.asked(nearest))
        rows, method = self.rows.asked(chosen)
        for _ in range(_ASKED_AGAIN):
            if self.rows.fit(rows, chosen):
                break
            # llama.cpp needs more than the estimate said: look again, now knowing it.
            other = self.search.best()
            if other is None or other == chosen:
                break
            chosen = other
            rows, method = self.rows.asked(chosen)
        if method == "dry_run" and self.rows.fit(rows, chosen):
            chosen, rows = self._with_what_is_left(chosen, rows)
        return self._reported(*self._with_heads(chosen, rows, method))

    def judged(self, given: Plan, filled_tokens: int = TYPICAL_TOKENS) -> FitReport:
        """The same for a plan that somebody else made."""
        return self._reported(given, *self.rows.asked(given), filled_tokens)

    def _with_what_is_left(self, chosen: Plan, rows: Rows) -> tuple[Plan, Rows]:
        """A better plan where llama.cpp needs less than the estimate said."""
        other = self.search.best()
        if other is None or not self._is_worth_asking(other, chosen):
            return chosen, rows
        more, method = self.rows.asked(other)
        if method == "dry_run" and self.rows.fit(more, other):
            return other, more
        return chosen, rows

    def _with_heads(self, chosen: Plan, rows: Rows, method: Method) -> tuple[Plan, Rows, Method]:
        """The same with the model's own layers for guessing ahead, if there is room for them.

        Unasked only where all of it lies on graphics: there a few tokens more cost little time.
        """
        wanted = self._wish.mtp
        ahead = draft_tokens(self._header, self._wish.draft_tokens, heads=True)
        if wanted is False or ahead == 0 or not has_heads(self._header):
            return chosen, rows, method
        if self._drafted or not self.rows.fit(rows, chosen):
            return chosen, rows, method
        if wanted is None and self._verdict(chosen, fits=True) != "gpu":
            return chosen, rows, method
        other = replace(chosen, mtp=True, draft_tokens=ahead)
        more, how = self.rows.asked(other)
        return (other, more, how) if self.rows.fit(more, other) else (chosen, rows, method)

    def _is_worth_asking(self, other: Plan, chosen: Plan) -> bool:
        if (other.context, other.kv_type) != (chosen.context, chosen.kv_type):
            return other.context >= chosen.context
        return _offloaded(other) >= _offloaded(chosen) + _WORTH_ASKING_LAYERS

    def _reported(
        self, chosen: Plan, rows: Rows, method: Method, filled_tokens: int = TYPICAL_TOKENS
    ) -> FitReport:
        party = self.rooms.taking_part(chosen)
        verdict = self._verdict(chosen, fits=self.rows.fit(rows, chosen))
        speed = self.predict(chosen, filled_tokens)
        shorter = self._shorter_context(chosen) if verdict == "too_large" else 0
        key, params = reason(verdict, rows, speed, self.rooms, self._blamed(party), shorter)
        return FitReport(
            model=self._summary(),
            plan=chosen,
            memory=rows,
            verdict=verdict,
            speed=speed,
            method=method,
            reason_key=key,
            reason_params=params,
            warnings=plan_warnings(
                self._machine, self._header, self._wish, chosen, self.rooms, verdict
            ),
            rule_of_thumb_bytes=rule_of_thumb_bytes(self._header),
            missing_bytes=missing_bytes(verdict, params),
        )

    def _blamed(self, party: Party) -> Party:
        """Whose memory is said to be too small: the plan's, or all there is."""
        parties = self.rooms.parties()
        return party or (parties[0] if parties and self._wish.gpu_layers != 0 else ())

    def _search_for(self, wish: Wish) -> Search:
        candidates = Candidates(self.footprint, wish, self._machine.cpu)
        placements = Placements(wish, candidates, self.footprint, self.rooms, self.rows)
        return Search(placements, lambda candidate: self.predict(candidate, _WEIGHED_TOKENS))

    def predict(self, candidate: Plan, filled_tokens: int = TYPICAL_TOKENS) -> Speed:
        """Its speed, computed once."""
        key = (candidate, filled_tokens)
        known = self._speeds.get(key)
        if known is None:
            shares = self.rooms.shares(candidate)
            known = self._model.predict(candidate, shares, self._gpus, filled_tokens)
            self._speeds[key] = known
        return known

    def _verdict(self, chosen: Plan, *, fits: bool) -> Verdict:
        if not fits:
            return "too_large"
        if chosen.gpu_layers == 0:
            return "cpu"
        everything = chosen.gpu_layers >= self.footprint.all_layers
        return "gpu" if everything and chosen.expert_layers_on_cpu == 0 else "partly_gpu"

    def _shorter_context(self, chosen: Plan) -> int:
        """The longest context that would fit where the wished one does not; 0 for none."""
        if self._wish.context is None:
            return 0
        search = self._search_for(replace(self._wish, context=None))
        for context in search.candidates.contexts:
            setting = Setting(context, search.candidates.kv_types[0])
            if context < chosen.context and search.fits_with(setting):
                return context
        return 0

    def _summary(self) -> ModelSummary:
        header = self._header
        return ModelSummary(
            name=header.name,
            architecture=printable(header.architecture),
            quantization=header.quantization,
            parameters=header.parameters,
            file_bytes=header.file_bytes,
            layers=header.block_count,
        )


def _offloaded(chosen: Plan) -> int:
    return chosen.gpu_layers - chosen.expert_layers_on_cpu


@lru_cache(maxsize=64)
def _footprint(header: ModelHeader, rearranged: frozenset[str]) -> Footprint:
    """A header is planned again and again: for other machines, wishes, after a failure."""
    return Footprint(header, rearranged)
