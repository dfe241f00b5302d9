"""What weighs how much when plans are compared."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from desktop.fit.preference import Preference, placed_worth
from desktop.fit.types import Plan, Priority, Speed

PLAN = Plan(
    gpu_layers=0,
    context=8192,
    kv_type="f16",
    parallel=1,
    flash_attention=True,
    expert_layers_on_cpu=0,
    ubatch=512,
    threads=4,
    use_mmap=False,
)
PRIORITIES: tuple[Priority, ...] = ("speed", "balanced", "quality")


def _speed(tokens_per_s: float) -> Speed:
    return Speed(10 * tokens_per_s, tokens_per_s, "predicted")


@pytest.mark.parametrize("priority", PRIORITIES)
def test_a_longer_context_is_worth_more_but_less_and_less(priority: Priority) -> None:
    preference = Preference(priority)
    worths = [preference.settings_worth(1 << size, "f16") for size in range(9, 18)]
    gains = [after - before for before, after in pairwise(worths)]
    assert all(gain >= 0 for gain in gains)
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(gains))
    assert gains[0] > gains[-1]


@pytest.mark.parametrize("priority", PRIORITIES)
def test_less_precision_costs_something(priority: Priority) -> None:
    preference = Preference(priority)
    worths = [preference.settings_worth(8192, kv) for kv in ("f16", "q8_0", "q4_0")]
    assert worths == sorted(worths, reverse=True)
    assert len(set(worths)) == 3


def test_a_fifth_of_the_speed_against_half_the_context() -> None:
    """Quality keeps the context, speed does not."""
    kept = {
        priority: Preference(priority).worth(PLAN, _speed(8), "cpu")
        > Preference(priority).worth(replace(PLAN, context=4096), _speed(10), "cpu")
        for priority in PRIORITIES
    }
    assert kept == {"speed": False, "balanced": True, "quality": True}


def test_conversations_share_a_context() -> None:
    preference = Preference("balanced")
    four = replace(PLAN, context=4 * 8192, parallel=4)
    assert preference.worth(four, _speed(5), "cpu") == preference.worth(PLAN, _speed(5), "cpu")


def test_twice_the_speed_is_felt_where_one_waits_and_not_where_nobody_does() -> None:
    slow = placed_worth(_speed(4), "cpu") - placed_worth(_speed(2), "cpu")
    fast = placed_worth(_speed(8_000), "cpu") - placed_worth(_speed(4_000), "cpu")
    assert slow > 0.65
    assert fast < 0.1


def test_a_split_must_gain_a_tenth_and_a_card_frees_the_processor() -> None:
    cpu, split, card = (placed_worth(_speed(5), where) for where in ("cpu", "split", "card"))
    assert split < cpu < card
    assert placed_worth(_speed(5.6), "split") > cpu


def test_nothing_is_said_where_no_speed_is_known() -> None:
    assert placed_worth(Speed(None, None, "predicted"), "cpu") == 0
