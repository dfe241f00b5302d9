"""Looks for the plan that a person would rather have than any other that fits.

Settings are tried in the order of their worth and a search ends where nothing left can be better:
usually at the first one. Predicted speed decides between a card, several, and the processor alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from desktop.fit.candidates import LARGE_UBATCHES, USUAL_CONTEXT, Setting
from desktop.fit.placements import Placements
from desktop.fit.preference import ANSWER_TOKENS, LONG_TOKENS, Preference, Where, placed_worth
from desktop.fit.types import Plan, Speed

_LONGEST_STEP_S = 4.0  # a larger micro-batch answers "stop" later
_PATIENCE_S = 120.0
_READ_SOONER = 0.9  # of the seconds that a long text takes
_WORTH_READING = 0.05  # what that may cost the usual turn

Predict = Callable[[Plan], Speed]


@dataclass(frozen=True, slots=True)
class _Found:
    plan: Plan
    worth: float


class Search:
    """All that is looked at for one wish on one machine."""

    def __init__(self, placements: Placements, predict: Predict) -> None:
        self.placements = placements
        self.wish = placements.wish
        self.candidates = placements.candidates
        self.predict = predict
        self._preference = Preference(self.wish.priority)

    def best(self) -> Plan | None:
        """The plan worth most among those that fit; None where none does."""
        for ubatch in self.candidates.ubatches():
            found = self._best(ubatch)
            if found is not None:
                return self._with_larger_batches(found).plan
        return None

    def nearest(self) -> Plan:
        """What comes nearest where nothing fits."""
        return self.placements.nearest()

    def fits_with(self, setting: Setting) -> bool:
        """Whether anything at all fits with this context."""
        ubatch = self.candidates.ubatches()[-1]
        return next(self.placements.fitting(setting, ubatch), None) is not None

    def _best(self, ubatch: int) -> _Found | None:
        first, *others = sorted(self.candidates.settings(), key=self._setting_worth, reverse=True)
        best = self._best_with(first, ubatch)
        if not others or (best is not None and self._is_fastest(best.plan)):
            return best
        ceiling = self._most_for_speed(ubatch)
        if ceiling is None:
            return best  # nor will anything in between fit
        for setting in others:
            if best is not None and best.worth >= self._setting_worth(setting) + ceiling:
                break
            best = _better(best, self._best_with(setting, ubatch))
        return best

    def _most_for_speed(self, ubatch: int) -> float | None:
        """Nothing leaves more room for layers than the shortest context does; None: too little."""
        worths = []
        for kv_type in self.candidates.kv_types:  # one takes less memory, one is read faster
            setting = replace(self.candidates.smallest(), kv_type=kv_type)
            found = self._best_with(setting, ubatch)
            if found is not None:
                worths.append(found.worth - self._setting_worth(setting))
        return max(worths, default=None)

    def _best_with(self, setting: Setting, ubatch: int) -> _Found | None:
        best: _Found | None = None
        for plan in self.placements.fitting(setting, ubatch):
            if self.is_bearable(plan):
                best = _better(best, _Found(plan, self._worth(plan)))
        return best

    def is_bearable(self, plan: Plan) -> bool:
        """Whether a long context that nobody asked for can be read before patience ends."""
        if self.wish.context is not None or plan.context <= USUAL_CONTEXT * plan.parallel:
            return True
        prompt = self.predict(plan).prompt_tokens_per_s
        return not prompt or plan.context <= _PATIENCE_S * prompt * plan.parallel

    def _is_fastest(self, plan: Plan) -> bool:
        """Whether no shorter context could make it faster: it lies on the fastest device."""
        placements = self.placements
        if not placements.parties or self.wish.gpu_layers is not None:
            return True
        if not placements.is_whole(plan) or len(placements.rooms.taking_part(plan)) > 1:
            return False
        on_cpu = self.candidates.on_cpu(Setting(plan.context, plan.kv_type), plan.ubatch)
        return self._placed_worth(plan) >= self._placed_worth(on_cpu)

    def _setting_worth(self, setting: Setting) -> float:
        tokens = setting.context // self.wish.parallel
        return self._preference.settings_worth(tokens, setting.kv_type)

    def _worth(self, plan: Plan) -> float:
        return self._preference.worth(plan, self.predict(plan), self._where(plan))

    def _placed_worth(self, plan: Plan) -> float:
        return placed_worth(self.predict(plan), self._where(plan))

    def _where(self, plan: Plan) -> Where:
        if plan.gpu_layers == 0:
            return "cpu"
        if not self.placements.is_whole(plan):
            return "split"
        party = self.placements.rooms.taking_part(plan)
        return "shared" if any(room.in_main_memory for room in party) else "card"

    def _with_larger_batches(self, found: _Found) -> _Found:
        """Where weights cross to a card for each micro-batch, larger ones read prompts faster."""
        plan = found.plan
        if self.wish.ubatch is not None or plan.parallel > 1 or not self._crosses(plan):
            return found
        setting, best = Setting(plan.context, plan.kv_type), found
        for ubatch in LARGE_UBATCHES:
            larger = self._best_crossing(setting, ubatch)
            if larger is None or larger.worth < found.worth - _WORTH_READING:
                break
            if self._long_text_s(larger.plan) > _READ_SOONER * self._long_text_s(best.plan):
                break
            best = larger
        return best

    def _best_crossing(self, setting: Setting, ubatch: int) -> _Found | None:
        best: _Found | None = None
        for plan in self.placements.fitting(setting, ubatch):
            if self._crosses(plan) and ubatch * self._row_s(plan) <= _LONGEST_STEP_S:
                best = _better(best, _Found(plan, self._worth(plan)))
        return best

    def _long_text_s(self, plan: Plan) -> float:
        """Reading a text of many micro-batches, and answering."""
        tokens_per_s = self.predict(plan).tokens_per_s or math.inf
        return LONG_TOKENS * self._row_s(plan) + ANSWER_TOKENS / tokens_per_s

    def _row_s(self, plan: Plan) -> float:
        """A token's part of a full micro-batch: of what starting one costs, and its own.

        Two small ones tell both; the usual prompt is shorter than a large one.
        """
        few, many = 128, 256
        few_s, many_s = (
            rows / (self.predict(replace(plan, ubatch=rows)).prompt_tokens_per_s or math.inf)
            for rows in (few, many)
        )
        token_s = (many_s - few_s) / (many - few)
        start_s = few_s - few * token_s
        return token_s + start_s / plan.ubatch

    def _crosses(self, plan: Plan) -> bool:
        """Whether weights in main memory are lent to a card that has memory of its own."""
        if plan.gpu_layers == 0 or self.placements.is_whole(plan):
            return False
        party = self.placements.rooms.taking_part(plan)
        return not any(room.in_main_memory for room in party)


def _better(one: _Found | None, other: _Found | None) -> _Found | None:
    """The one worth more; the first of two equals."""
    if one is None or other is None:
        return one or other
    return other if other.worth > one.worth else one
