"""Stepping down: each step needs less, and the steps end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from desktop.fit.memory import Footprint, Share
from desktop.fit.planner import plan, smaller
from desktop.fit.types import Plan, Wish
from desktop.gguf.header import ModelHeader
from tests.fit.conftest import FamilyHeader
from tests.fit.machines import desktop, laptop

GPU_PLAN = Plan(
    gpu_layers=33,
    context=16_384,
    kv_type="f16",
    parallel=4,
    flash_attention=True,
    expert_layers_on_cpu=0,
    ubatch=512,
    threads=4,
    use_mmap=True,
    device="CUDA0",
)


def _steps(start: Plan, header: ModelHeader) -> list[Plan]:
    steps = [start]
    while (following := smaller(steps[-1], header)) is not None:
        steps.append(following)
        assert len(steps) < 40
    return steps


def test_from_the_graphics_to_the_smallest_context(eight_billion: ModelHeader) -> None:
    steps = _steps(GPU_PLAN, eight_billion)
    layers = [step.gpu_layers for step in steps]
    assert layers == sorted(layers, reverse=True)
    assert layers[-1] == 0
    last = steps[-1]
    assert (last.context, last.parallel, last.ubatch, last.device) == (512, 1, 128, "")


def test_every_step_needs_less_somewhere(eight_billion: ModelHeader) -> None:
    footprint = Footprint(eight_billion)
    shares = (Share("CUDA0"),)
    steps = _steps(GPU_PLAN, eight_billion)
    for before, after in pairwise(steps):
        needed = [
            {
                name: part.weights_bytes + part.context_bytes + 4 * step.ubatch
                for name, part in footprint.place(step, shares).items()
            }
            for step in (before, after)
        ]
        assert any(needed[1][name] < needed[0][name] for name in needed[0])


def test_several_cards_give_up_layers_together(eight_billion: ModelHeader) -> None:
    split = (("CUDA1", 11), ("CUDA0", 22))
    for step in _steps(replace(GPU_PLAN, device="", split=split), eight_billion):
        assert sum(count for _, count in step.split) == step.gpu_layers
        assert all(count > 0 for _, count in step.split)
    second = smaller(replace(GPU_PLAN, device="", split=split), eight_billion)
    assert second is not None
    assert second.split == (("CUDA1", 7), ("CUDA0", 15))


def test_experts_leave_first(family: FamilyHeader) -> None:
    header = family("qwen3moe")
    first = smaller(replace(GPU_PLAN, gpu_layers=49), header)
    assert first is not None
    assert (first.gpu_layers, first.expert_layers_on_cpu) == (49, 48)


@pytest.mark.parametrize("wish", [Wish(), Wish(context=300), Wish(parallel=8)])
def test_from_any_plan_it_ends(eight_billion: ModelHeader, wish: Wish) -> None:
    for machine in (laptop(), desktop(4), desktop(24)):
        _steps(plan(machine, eight_billion, wish).plan, eight_billion)
