"""What samples teach: medians with doubts, margins that grow with failures and shrink again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.fit.corrections import Corrections
from desktop.fit.learning import (
    MOST_FACTOR,
    MOST_MARGIN_SHARE,
    FailedLoad,
    MemorySample,
    SpeedSample,
    learn,
)

GIB = 1 << 30
MIB = 1 << 20
DEVICES = {"CPU": 16 * GIB, "CUDA0": 8 * GIB}


def alone(*ratios: float, device: str = "CPU") -> list[SpeedSample]:
    return [SpeedSample((device,), ratio) for ratio in ratios]


def oom(predicted: int, available: int | None, successes: int = 0) -> FailedLoad:
    return FailedLoad("CUDA0", predicted, available, out_of_memory=True, successes_since=successes)


def test_nothing_teaches_nothing() -> None:
    assert learn(DEVICES) == Corrections()


def test_a_factor_comes_nearer_with_every_sample() -> None:
    factors = [learn(DEVICES, generation=alone(*[0.5] * n)).generation["CPU"] for n in range(1, 9)]
    assert factors == sorted(factors, reverse=True)
    assert 0.5 < factors[-1] < 0.55
    assert 0.6 < factors[0] < 0.7


def test_one_wild_answer_moves_little() -> None:
    calm = learn(DEVICES, generation=alone(0.8, 0.8, 0.8, 0.8)).generation["CPU"]
    wild = learn(DEVICES, generation=alone(0.8, 0.8, 0.01, 0.8, 0.8)).generation["CPU"]
    assert wild == pytest.approx(calm, rel=0.03)


def test_only_the_newest_samples_count() -> None:
    """A cooler cleaned, a faster mode chosen: after nine answers the past is forgotten."""
    factor = learn(DEVICES, generation=alone(*[0.4] * 50, *[1.0] * 9)).generation["CPU"]
    assert factor == pytest.approx(1.0)


def test_reading_and_writing_are_learned_apart() -> None:
    found = learn(DEVICES, generation=alone(0.5), prompt=alone(2.0))
    assert found.generation["CPU"] < 1 < found.prompt["CPU"]


def test_devices_are_learned_apart_where_they_worked_alone() -> None:
    samples = [*alone(0.5, 0.5), *alone(2.0, 2.0, device="CUDA0"), SpeedSample(("CPU", "CUDA0"), 1)]
    found = learn(DEVICES, generation=samples).generation
    assert found["CPU"] < 0.7
    assert found["CUDA0"] > 1.5


def test_work_done_together_tells_of_both_where_nothing_else_does() -> None:
    found = learn(DEVICES, generation=[SpeedSample(("CPU", "CUDA0"), 0.5)] * 3).generation
    assert found["CPU"] == found["CUDA0"] < 0.6


@pytest.mark.parametrize("ratio", [math.nan, math.inf, 0.0, -1.0])
def test_ratios_without_sense_are_left_out(ratio: float) -> None:
    assert learn(DEVICES, generation=alone(ratio)).generation == {}
    assert learn(DEVICES, generation=alone(ratio, 0.5)) == learn(DEVICES, generation=alone(0.5))


def test_loads_that_took_more_widen_the_margin() -> None:
    more = [MemorySample("CUDA0", 300 * MIB)] * 3
    assert learn(DEVICES, memory=more).margin_bytes == {"CUDA0": 300 * MIB}
    less = [MemorySample("CUDA0", -300 * MIB)] * 3
    assert learn(DEVICES, memory=less).margin_bytes == {}


def test_one_load_that_took_more_among_many_does_not() -> None:
    """Another program that took memory during one load: no reason to waste it ever after."""
    samples = [MemorySample("CUDA0", 0)] * 4 + [MemorySample("CUDA0", 2 * GIB)]
    samples += [MemorySample("CUDA0", 10 * MIB)] * 4
    assert learn(DEVICES, memory=samples).margin_bytes == {"CUDA0": 10 * MIB}


def test_after_running_out_of_memory_the_same_plan_is_not_made_again() -> None:
    """Free memory was a lie: 7 GiB were claimed, 5 did not fit."""
    predicted, available = 5 * GIB, 7 * GIB
    margin = learn({"CUDA0": 24 * GIB}, failures=[oom(predicted, available)]).margin_bytes["CUDA0"]
    usual = 256 * MIB
    assert predicted + usual + margin > available


def test_a_failure_that_was_predicted_teaches_nothing() -> None:
    assert learn(DEVICES, failures=[oom(7 * GIB, 6 * GIB)]).margin_bytes == {}


def test_a_death_of_unknown_cause_costs_a_step_not_half_a_card() -> None:
    once = FailedLoad("CUDA0", 2 * GIB, 8 * GIB)
    first = learn(DEVICES, failures=[once]).margin_bytes["CUDA0"]
    assert first == 128 * MIB
    assert learn(DEVICES, failures=[once] * 3).margin_bytes["CUDA0"] == 3 * first


def test_successes_win_the_memory_back() -> None:
    margins = [
        learn(DEVICES, failures=[oom(5 * GIB, 6 * GIB, n)]).margin_bytes["CUDA0"]
        for n in (0, 3, 6, 12, 60)
    ]
    assert margins == sorted(margins, reverse=True)
    assert margins[2] == pytest.approx(margins[0] / 2, rel=0.01)
    assert margins[-1] < 2 * MIB


_samples = st.lists(
    st.builds(
        SpeedSample,
        st.sampled_from([("CPU",), ("CUDA0",), ("CPU", "CUDA0"), ("Vulkan7",), ()]),
        st.floats(),
    )
)
_sizes = st.integers(-(1 << 50), 1 << 50)
_failures = st.lists(
    st.builds(
        FailedLoad,
        st.sampled_from(["CPU", "CUDA0", "gone"]),
        st.integers(0, 1 << 50),
        st.none() | st.integers(0, 1 << 50),
        st.booleans(),
        st.integers(0, 1000),
    )
)


@given(
    _samples,
    _samples,
    st.lists(st.builds(MemorySample, st.sampled_from(["CPU", "CUDA0"]), _sizes)),
    _failures,
)
def test_whatever_happened_the_corrections_stay_in_their_bounds(
    generation: list[SpeedSample],
    prompt: list[SpeedSample],
    memory: list[MemorySample],
    failures: list[FailedLoad],
) -> None:
    found = learn(DEVICES, generation=generation, prompt=prompt, memory=memory, failures=failures)
    for factors in (found.generation, found.prompt):
        assert set(factors) <= set(DEVICES)
        assert all(1 / MOST_FACTOR <= factor <= MOST_FACTOR for factor in factors.values())
    for device, margin in found.margin_bytes.items():
        assert 0 < margin <= DEVICES[device] * MOST_MARGIN_SHARE


@given(st.floats(0.3, 3.0), st.lists(st.floats(0.9, 1.1), min_size=3, max_size=30))
def test_corrected_predictions_are_nearer_than_raw_ones(off: float, noise: list[float]) -> None:
    """A machine `off` times as fast as predicted, measured with 10 % of noise."""
    factor = learn(DEVICES, generation=alone(*(off * n for n in noise))).generation["CPU"]
    raw, corrected = abs(math.log(off)), abs(math.log(off / factor))
    assert corrected <= 0.107 + 0.15 * raw  # the noise, and the doubt of three samples
