"""Memory from the header for what it was not fitted to: sizes drawn at random, real load logs."""

from __future__ import annotations

import statistics
from functools import cache

import pytest

from desktop.fit.compute import estimated_compute
from desktop.fit.memory import Footprint
from desktop.fit.overheads import output_bytes
from desktop.fit.repack import rearranged_types
from tests.fit.real_shapes import Run, features, made_up_shapes

LITTLE_BYTES = 256 << 20  # of buffers, where weights are few: odd sizes, long micro-batches


@cache
def _footprint(name: str) -> Footprint:
    return Footprint(made_up_shapes()[name].header(), rearranged_types(features()))


def _guess_and_truth(name: str, run: Run) -> tuple[int, int]:
    footprint, plan = _footprint(name), run.plan
    placed = footprint.place(plan, run.shares).values()
    guess = output = output_bytes(footprint.header, plan)
    guess += sum(part.weights_bytes + part.context_bytes for part in placed)
    devices = tuple(share.device for share in run.shares)
    guess += sum(estimated_compute(footprint, plan, devices).values())
    return guess, sum(map(sum, run.sides.values())) + output


@pytest.mark.parametrize("name", made_up_shapes())
def test_weights_and_context_to_the_byte(name: str) -> None:
    """Contexts of 256 to 131,072, up to 8 sequences, every type of context."""
    for run in made_up_shapes()[name].runs:
        placed = _footprint(name).place(run.plan, run.shares)
        for device, (weights, context, _) in run.sides.items():
            found = (placed[device].weights_bytes, placed[device].context_bytes)
            assert found == (weights, context), f"{device} under {run.settings}"


@pytest.mark.parametrize("name", made_up_shapes())
def test_never_much_too_little_or_too_much(name: str) -> None:
    for run in made_up_shapes()[name].runs:
        guess, truth = _guess_and_truth(name, run)
        assert guess >= 0.975 * truth, run.settings
        assert guess <= max(1.05 * truth, truth + LITTLE_BYTES), run.settings


def test_mostly_within_a_few_parts_of_a_thousand() -> None:
    off = []
    for name, shape in made_up_shapes().items():
        pairs = [_guess_and_truth(name, run) for run in shape.runs]
        off += [guess / truth - 1 for guess, truth in pairs]
    assert len(off) > 300
    assert statistics.median(map(abs, off)) < 0.003
    assert sum(abs(part) > 0.05 for part in off) < 0.02 * len(off)
