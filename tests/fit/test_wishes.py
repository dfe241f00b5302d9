"""What somebody asks for explicitly stands in the plan, where the model can have it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.common.errors import UsageError
from desktop.fit.planner import plan
from desktop.fit.tuning_terms import Choices
from desktop.fit.types import Plan, Wish
from desktop.gguf.header import ModelHeader
from tests.fit.conftest import FamilyHeader
from tests.fit.machines import desktop, laptop


def test_memory_is_locked_only_when_asked(eight_billion: ModelHeader) -> None:
    assert not plan(laptop(), eight_billion, Wish()).plan.lock_memory
    assert plan(laptop(), eight_billion, Wish(lock_memory=True)).plan.lock_memory


@pytest.mark.parametrize("mapped", [True, False])
def test_mapping_as_wished(eight_billion: ModelHeader, mapped: bool) -> None:
    for machine in (laptop(), desktop(24)):
        assert plan(machine, eight_billion, Wish(use_mmap=mapped)).plan.use_mmap is mapped


def test_without_flash_attention_the_cache_is_not_quantized(eight_billion: ModelHeader) -> None:
    small = laptop(16, 5.4)
    assert plan(small, eight_billion, Wish()).plan.flash_attention
    without = plan(small, eight_billion, Wish(flash_attention=False)).plan
    assert (without.flash_attention, without.kv_type) == (False, "f16")
    both = plan(small, eight_billion, Wish(flash_attention=False, kv_type="q8_0")).plan
    assert (both.flash_attention, both.kv_type) == (True, "q8_0")  # the values' cache needs it


def test_experts_where_they_are_wanted(family: FamilyHeader) -> None:
    header = family("qwen3moe")
    machine = desktop(24)
    asked = plan(machine, header, Wish(expert_layers_on_cpu=3, gpu_layers=999)).plan
    assert asked.expert_layers_on_cpu == 3
    none = plan(machine, header, Wish(expert_layers_on_cpu=0, gpu_layers=999)).plan
    assert none.expert_layers_on_cpu == 0
    with pytest.raises(UsageError):
        plan(machine, header, Wish(expert_layers_on_cpu=-1))


def test_tuning_leaves_alone_what_was_asked_for() -> None:
    free = Choices.of(Wish(), (1, 2))
    assert free.flash_attention
    assert free.placement
    assert not Choices.of(Wish(flash_attention=True), (1, 2)).flash_attention
    assert Choices.of(Wish(flash_attention=False), (1, 2)).kv_types == ()
    assert not Choices.of(Wish(expert_layers_on_cpu=2), (1, 2)).placement


def test_an_older_plan_is_read_without_the_newer_field(eight_billion: ModelHeader) -> None:
    made = plan(laptop(), eight_billion, Wish(lock_memory=True)).plan
    document = made.to_json()
    assert Plan.from_json(document) == made
    del document["lock_memory"]
    assert Plan.from_json(document) == replace(made, lock_memory=False)
