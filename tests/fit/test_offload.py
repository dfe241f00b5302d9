"""Packing layers: the sums are those of the memory table, and no device is filled beyond."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.fit.memory import Footprint, Share
from desktop.fit.offload import LayerTable, least
from desktop.fit.types import Plan
from tests.fit.architectures import MODELS
from tests.fit.conftest import FamilyHeader
from tests.fit.made_headers import MadeShape

PLAN = Plan(
    gpu_layers=0,
    context=8192,
    kv_type="f16",
    parallel=2,
    flash_attention=True,
    expert_layers_on_cpu=0,
    ubatch=512,
    threads=4,
    use_mmap=False,
)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_run_takes_what_the_memory_table_says(name: str, family: FamilyHeader) -> None:
    footprint = Footprint(family(name))
    table = LayerTable(footprint, PLAN)
    layers = {1, 2, footprint.all_layers // 2, footprint.all_layers}
    experts = {0, footprint.expert_layers // 2, footprint.expert_layers}
    for count, kept in product(sorted(layers), sorted(experts)):
        plan = replace(PLAN, gpu_layers=count, expert_layers_on_cpu=kept, device="GPU")
        placed = footprint.place(plan, (Share("GPU"),))["GPU"]
        run = table.run_bytes(table.places - count, table.places, kept)
        # Gemma 4's 1 KiB of rope factors lies on each device, whatever its layers are.
        beyond = placed.weights_bytes + placed.context_bytes - run
        assert beyond in ((0, 1024) if name == "gemma4" else (0,))


MIXED = Footprint(MadeShape(12, 1024, 4, 512, experts=16, experts_used=2, vocab=9_000).header())
TABLE = LayerTable(MIXED, PLAN)
budgets = st.lists(st.integers(-(1 << 20), 1 << 29), min_size=1, max_size=4)
kept_experts = st.integers(0, 12)


def _runs(counts: tuple[int, ...]) -> list[tuple[int, int]]:
    end, runs = TABLE.places, []
    for count in reversed(counts):
        runs.append((end - count, end))
        end -= count
    return list(reversed(runs))


@given(budgets=budgets, experts=kept_experts)
def test_no_device_is_filled_beyond_its_budget_and_none_could_hold_more(
    budgets: list[int], experts: int
) -> None:
    counts = TABLE.packed(budgets, experts)
    for budget, (first, end) in zip(budgets, _runs(counts), strict=True):
        if end > first:
            assert TABLE.run_bytes(first, end, experts) <= budget
        if first > 0:
            assert TABLE.run_bytes(first - 1, end, experts) > budget


@given(budgets=budgets, experts=kept_experts)
def test_evenly_packed_holds_as_much(budgets: list[int], experts: int) -> None:
    counts = TABLE.evenly_packed(budgets, experts)
    assert sum(counts) == sum(TABLE.packed(budgets, experts))
    for budget, (first, end) in zip(budgets, _runs(counts), strict=True):
        assert end == first or TABLE.run_bytes(first, end, experts) <= budget


@given(budgets=budgets)
def test_no_more_experts_leave_than_must(budgets: list[int]) -> None:
    layers = sum(TABLE.packed(budgets, 12))
    experts = TABLE.fewest_experts(budgets, 12, layers)
    assert sum(TABLE.packed(budgets, experts)) >= layers
    assert experts == 0 or sum(TABLE.packed(budgets, experts - 1)) < layers


@given(most=st.integers(0, 50), border=st.integers(0, 50))
def test_least(most: int, border: int) -> None:
    border = min(border, most)
    assert least(most, lambda n: n >= border) == border
