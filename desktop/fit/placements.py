"""The plans that fit with one setting: layers packed onto the devices from the output backwards.

Experts leave a card before whole layers do: a token reads few of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from desktop.fit.candidates import Candidates, Setting
from desktop.fit.devices import Party, Rooms
from desktop.fit.memory import Footprint
from desktop.fit.memory_rows import MemoryRows
from desktop.fit.offload import LayerTable
from desktop.fit.types import Plan, Wish

_STEPS_BACK = 6  # the overhead is that of a neighbouring plan: a layer or two off at most


class Placements:
    """Where a model's layers may lie, for one wish on one machine."""

    def __init__(
        self,
        wish: Wish,
        candidates: Candidates,
        footprint: Footprint,
        found: Rooms,
        rows: MemoryRows,
    ) -> None:
        self.wish = wish
        self.candidates = candidates
        self.footprint = footprint
        self.rooms = found
        self.rows = rows
        self.parties = found.parties()
        self._tables: dict[Plan, LayerTable] = {}

    def fitting(self, setting: Setting, ubatch: int) -> Iterator[Plan]:
        """Plans that fit: the processor alone first, then from the fastest card on."""
        wished = self.wish.gpu_layers
        cpu_alone = not wished or not self.parties
        if cpu_alone and self.candidates.may_use_cpu_alone(setting):
            plan = self._least_mapped(self.candidates.on_cpu(setting, ubatch))
            if self.rows.fits(plan):
                yield plan
        if wished == 0:
            return
        for party in self.parties:
            if wished is not None:
                plan = self._least_mapped(self._as_wished(setting, ubatch, party, wished))
                if self.rows.fits(plan):
                    yield plan
                    return
                continue
            held = False
            for plan in self._on_party(setting, ubatch, party):
                yield plan
                held = held or self.is_whole(plan)
            if held:
                return  # further devices are slower ones

    def is_whole(self, plan: Plan) -> bool:
        """Whether all that can lies on the graphics."""
        return plan.gpu_layers >= self.footprint.all_layers and plan.expert_layers_on_cpu == 0

    def nearest(self) -> Plan:
        """Nothing fits: as much on the graphics as they hold, the smallest context."""
        setting, ubatch = self.candidates.smallest(), self.candidates.ubatches()[-1]
        layers = self.wish.gpu_layers
        parties = self.parties if layers != 0 else ()
        if not parties:
            return self._least_mapped(self.candidates.on_cpu(setting, ubatch))
        if layers is not None:
            return self._least_mapped(self._as_wished(setting, ubatch, parties[-1], layers))
        party = self._lending(parties[0])
        budgets = self._budgets(setting, ubatch, party, whole=False)
        counts = self._table(setting, ubatch).packed(budgets)
        return self._least_mapped(self.candidates.on_party(setting, ubatch, party, counts))

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
                if self.is_whole(whole):
                    yield from self._for_prompts(setting, ubatch, party)
                    return
        party = self._lending(party)
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
        yield from self._for_prompts(setting, ubatch, party)

    def _lending(self, party: Party) -> Party:
        """In the order for weights in main memory: llama.cpp lends them to the first device."""
        if len(party) == 1 or self.rooms.equally_fast(party):
            return party
        return tuple(reversed(party))

    def _for_prompts(self, setting: Setting, ubatch: int, party: Party) -> Iterator[Plan]:
        """The output alone on graphics that share main memory.

        With any layer there llama.cpp computes prompts on them, while a processor that reads
        memory as fast or faster writes the answer.
        """
        if len(party) == 1 and party[0].in_main_memory:
            plan = self._fitting(setting, ubatch, party, (1,), 0)
            if plan is not None:
                yield plan

    def _to_the_brim(
        self, setting: Setting, ubatch: int, party: Party, budgets: tuple[int, ...]
    ) -> Plan | None:
        """Main memory lacks room for all those experts: fewer layers, more of their experts."""
        table, most = self._table(setting, ubatch), self.footprint.expert_layers
        if any(room.in_main_memory for room in party):
            return None  # what leaves one leaves the other
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
            if self.footprint.flash_attention_fails(sum(layers), setting.kv_type):
                _take_one(layers)
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
            _take_one(layers)
        return None

    def _as_wished(self, setting: Setting, ubatch: int, party: Party, wished: int) -> Plan:
        """Exactly so many layers, on the devices that hold them best."""
        table = self._table(setting, ubatch)
        wanted = min(wished, table.places)
        whole = wanted == table.places
        party = party if whole else self._lending(party)
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


def _take_one(layers: list[int]) -> None:
    """The first layer that is on a device goes back to main memory."""
    layers[next(place for place, count in enumerate(layers) if count)] -= 1


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
