"""Looks for the plan that a person would rather have than any other that fits.

Settings are tried in the order of their worth and a search ends where nothing left can be better:
usually at the first one. For each, layers are packed onto the devices from the output backwards,
experts leave a card before whole layers do (a token reads few of them), and predicted speed
decides between a card, several, and the processor alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from desktop.fit.candidates import LARGE_UBATCHES, Candidates, Setting
from desktop.fit.devices import Party, Rooms
from desktop.fit.memory import Footprint
from desktop.fit.memory_rows import MemoryRows
from desktop.fit.offload import LayerTable
from desktop.fit.preference import Preference, Where, placed_worth
from desktop.fit.types import Plan, Speed, Wish

_STEPS_BACK = 6  # the overhead is that of a neighbouring plan: a layer or two off at most
_LONGEST_STEP_S = 4.0  # a larger micro-batch answers "stop" later
_WORTH_ENLARGING = 0.03

Predict = Callable[[Plan], Speed]


@dataclass(frozen=True, slots=True)
class _Found:
    plan: Plan
    worth: float


class Search:
    """All that is looked at for one wish on one machine."""

    def __init__(
        self,
        wish: Wish,
        candidates: Candidates,
        footprint: Footprint,
        found: Rooms,
        rows: MemoryRows,
        predict: Predict,
    ) -> None:
        self.wish = wish
        self.candidates = candidates
        self.footprint = footprint
        self.rooms = found
        self.rows = rows
        self.predict = predict
        self._preference = Preference(wish.priority)
        self._parties = found.parties()
        self._tables: dict[Plan, LayerTable] = {}

    def best(self) -> Plan | None:
        """The plan worth most among those that fit; None where none does."""
        for ubatch in self.candidates.ubatches():
            found = self._best(ubatch)
            if found is not None:
                return self._with_larger_batches(found).plan
        return None

    def nearest(self) -> Plan:
        """Nothing fits: as much on the graphics as they hold, the smallest context."""
        setting, ubatch = self.candidates.smallest(), self.candidates.ubatches()[-1]
        layers = self.wish.gpu_layers
        parties = self._parties if layers != 0 else ()
        if not parties:
            return self._least_mapped(self.candidates.on_cpu(setting, ubatch))
        if layers is not None:
            return self._least_mapped(self._as_wished(setting, ubatch, parties[-1], layers))
        budgets = self._budgets(setting, ubatch, parties[0], whole=False)
        counts = self._table(setting, ubatch).packed(budgets)
        return self._least_mapped(self.candidates.on_party(setting, ubatch, parties[0], counts))

    def fits_with(self, setting: Setting) -> bool:
        """Whether anything at all fits with this context."""
        return self._fits(setting, self.candidates.ubatches()[-1])

    def _fits(self, setting: Setting, ubatch: int) -> bool:
        return next(self._placements(setting, ubatch), None) is not None

    def _by_worth(self) -> list[Setting]:
        return sorted(self.candidates.settings(), key=self._setting_worth, reverse=True)

    def _setting_worth(self, setting: Setting) -> float:
        tokens = setting.context // self.wish.parallel
        return self._preference.settings_worth(tokens, setting.kv_type)

    def _best(self, ubatch: int) -> _Found | None:
        best: _Found | None = None
        ceiling: float | None = None
        for number, setting in enumerate(self._by_worth()):
            if number == 1 and best is None and not self._fits(self.candidates.smallest(), ubatch):
                return None  # nor will anything in between
            if best is not None:
                if ceiling is None:
                    ceiling = self._fastest_worth(ubatch)
                if best.worth >= self._setting_worth(setting) + ceiling:
                    break
            for plan in self._placements(setting, ubatch):
                worth = self._worth(plan)
                if best is None or worth > best.worth:
                    best = _Found(plan, worth)
        return best

    def _worth(self, plan: Plan) -> float:
        return self._preference.worth(plan, self.predict(plan), self._where(plan))

    def _where(self, plan: Plan) -> Where:
        if plan.gpu_layers == 0:
            return "cpu"
        if not self._is_whole(plan):
            return "split"
        party = self.rooms.taking_part(plan)
        return "shared" if any(room.in_main_memory for room in party) else "card"

    def _fastest_worth(self, ubatch: int) -> float:
        """More than this no placement's speed is worth, were there memory without end."""
        smallest = self.candidates.smallest()
        worths = []
        for kv_type in self.candidates.kv_types:
            setting = replace(smallest, kv_type=kv_type)
            worths.append(self._placed_worth(self.candidates.on_cpu(setting, ubatch)))
            for party in self._parties:
                counts = (*(0,) * (len(party) - 1), self.footprint.all_layers)
                plan = self.candidates.on_party(setting, ubatch, party, counts)
                worths.append(self._placed_worth(plan))
        return max(worths)

    def _placed_worth(self, plan: Plan) -> float:
        return placed_worth(self.predict(plan), self._where(plan))

    def _with_larger_batches(self, found: _Found) -> _Found:
        """Where weights cross to a card for each micro-batch, larger ones read prompts faster."""
        plan = found.plan
        if self.wish.ubatch is not None or plan.parallel > 1 or not self._crosses(plan):
            return found
        setting, best = Setting(plan.context, plan.kv_type), found
        for ubatch in LARGE_UBATCHES:
            for other in self._placements(setting, ubatch):
                speed = self.predict(other)
                if not speed.prompt_tokens_per_s or not self._crosses(other):
                    continue
                worth = self._worth(other)
                soon = ubatch <= _LONGEST_STEP_S * speed.prompt_tokens_per_s
                if soon and worth > best.worth + _WORTH_ENLARGING:
                    best = _Found(other, worth)
        return best

    def _crosses(self, plan: Plan) -> bool:
        if plan.gpu_layers == 0 or self._is_whole(plan):
            return False
        return not any(room.in_main_memory for room in self.rooms.taking_part(plan))

    def _is_whole(self, plan: Plan) -> bool:
        return plan.gpu_layers >= self.footprint.all_layers and plan.expert_layers_on_cpu == 0

    def _placements(self, setting: Setting, ubatch: int) -> Iterator[Plan]:
        """Plans that fit with this setting."""
        wished = self.wish.gpu_layers
        cpu_alone = not wished or not self._parties
        if cpu_alone and self.candidates.may_use_cpu_alone(setting):
            plan = self._least_mapped(self.candidates.on_cpu(setting, ubatch))
            if self.rows.fits(plan):
                yield plan
        if wished == 0:
            return
        for party in self._parties:
            if wished is not None:
                plan = self._least_mapped(self._as_wished(setting, ubatch, party, wished))
                if self.rows.fits(plan):
                    yield plan
                    return
                continue
            for plan in self._on_party(setting, ubatch, party):
                yield plan
                if self._is_whole(plan):
                    return  # further cards are slower ones

    def _on_party(self, setting: Setting, ubatch: int, party: Party) -> Iterator[Plan]:
        table = self._table(setting, ubatch)
        budgets = self._budgets(setting, ubatch, party, whole=True)
        counts = table.packed(budgets)
        if sum(counts) == table.places:
            if len(party) > 1 and self.rooms.equally_fast(party):
                counts = table.evenly_packed(budgets)
            whole = self._fitting(setting, ubatch, party, counts, 0)
            if whole is not None:
                yield whole
                if self._is_whole(whole):
                    return
        budgets = self._budgets(setting, ubatch, party, whole=False)
        most = self.footprint.expert_layers
        if most:
            layers = sum(table.packed(budgets, most))
            experts = table.fewest_experts(budgets, most, layers)
            counts = table.packed(budgets, experts)
            plan = self._fitting(setting, ubatch, party, counts, experts)
            plan = plan or self._to_the_brim(setting, ubatch, party, budgets)
            if plan is not None:
                yield plan
        plan = self._fitting(setting, ubatch, party, table.packed(budgets), 0)
        if plan is not None:
            yield plan

    def _to_the_brim(
        self, setting: Setting, ubatch: int, party: Party, budgets: tuple[int, ...]
    ) -> Plan | None:
        """Main memory lacks room for all those experts: fewer layers, more of their experts."""
        table, most = self._table(setting, ubatch), self.footprint.expert_layers
        spare = self.rooms.cpu.usable_bytes + sum(budgets)
        if table.run_bytes(0, table.places, 0) + self.footprint.input_bytes > spare:
            return None
        for layers in range(sum(table.packed(budgets, most)) - 1, 0, -1):
            experts = table.fewest_experts(budgets, most, layers)
            counts = list(table.packed(budgets, experts))
            for place, count in enumerate(counts):
                counts[place] -= min(count, sum(counts) - layers)
            plan = self.candidates.on_party(setting, ubatch, party, tuple(counts), experts)
            plan = self._least_mapped(plan)
            if self.rows.fits(plan):
                return plan
        return None

    def _least_mapped(self, plan: Plan) -> Plan:
        """Read instead of mapped, where the copies beside the mapped file are too much."""
        if plan.use_mmap and not self.rows.fits(plan):
            rows = self.rows.estimated(plan)
            if any(row.repacked_bytes for row in rows):
                return replace(plan, use_mmap=False)
        return plan

    def _fitting(
        self, setting: Setting, ubatch: int, party: Party, counts: tuple[int, ...], experts: int
    ) -> Plan | None:
        """The plan, a step or a few smaller where the whole table says that it is too much."""
        layers = list(counts)
        for _ in range(_STEPS_BACK):
            if sum(layers) == 0:
                return None
            plan = self.candidates.on_party(setting, ubatch, party, tuple(layers), experts)
            plan = self._least_mapped(plan)
            rows = self.rows.estimated(plan)
            if self.rows.fit(rows, plan):
                return plan
            if rows[0].total_bytes > self.rooms.cpu.usable_bytes:
                return None  # main memory cannot hold the rest, and would have to hold more
            if 0 < experts < self.footprint.expert_layers:
                experts += 1
                continue
            layers[next(place for place, count in enumerate(layers) if count)] -= 1
        return None

    def _as_wished(self, setting: Setting, ubatch: int, party: Party, wished: int) -> Plan:
        """Exactly so many layers, on the devices that hold them best."""
        table = self._table(setting, ubatch)
        wanted = min(wished, table.places)
        whole = wanted == table.places
        budgets = self._budgets(setting, ubatch, party, whole=whole)
        counts = list(table.packed(budgets))
        if len(counts) == 1 or sum(counts) < wanted:
            counts = _in_proportion([room.usable_bytes for room in party], wanted)
        for place, count in enumerate(counts):  # from the front
            counts[place] -= min(count, sum(counts) - wanted)
        return self.candidates.on_party(setting, ubatch, party, tuple(counts))

    def _table(self, setting: Setting, ubatch: int) -> LayerTable:
        plan = self.candidates.on_cpu(setting, ubatch)
        table = self._tables.get(plan)
        if table is None:
            table = self._tables[plan] = LayerTable(self.footprint, plan)
        return table

    def _budgets(
        self, setting: Setting, ubatch: int, party: Party, *, whole: bool
    ) -> tuple[int, ...]:
        """What each device has for layers, under a plan like the one that is looked for."""
        places = self.footprint.all_layers
        layers = places if whole else max(len(party), places - 1)
        counts = _in_proportion([1] * len(party), layers)
        experts = 0 if whole else self.footprint.expert_layers
        like = self.candidates.on_party(setting, ubatch, party, tuple(counts), experts)
        return tuple(room.usable_bytes - self.rows.overhead_bytes(like, room) for room in party)


def _in_proportion(weights: list[int], total: int) -> list[int]:
    """`total` divided in whole numbers, by `weights`."""
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    reached, given, counts = 0, 0, []
    for weight in weights:
        reached += weight
        counts.append(total * reached // whole - given)
        given += counts[-1]
    return counts
