"""Memory from the header for what it was not fitted to: sizes drawn at random, real load logs."""

from __future__ import annotations

import json
import statistics
from functools import cache
from types import MappingProxyType

import pytest

from desktop.fit.compute import estimated_compute
from desktop.fit.memory import CPU, Footprint, Share
from desktop.fit.overheads import output_bytes
from desktop.fit.repack import rearranged_types
from desktop.gguf.header import ModelHeader
from tests.fit.real_shapes import DATA, Run, features, made_up_shapes, plan_for, shapes

MIB = 1 << 20
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


def test_a_real_load_in_part_on_a_card() -> None:
    """A public log: Qwen2.5 7B Q4_K_M, 25 of 29 on an RTX 2060, llama.cpp 689e227db, in MiB."""
    footprint = Footprint(shapes()["qwen2.5-7b"].header())
    plan = plan_for({"ngl": 25})
    placed = footprint.place(plan, (Share("CUDA0"),))
    compute = estimated_compute(footprint, plan, ("CUDA0",))
    assert placed[CPU].weights_bytes / MIB == pytest.approx(844.04, abs=0.006)
    assert placed["CUDA0"].weights_bytes / MIB == pytest.approx(3616.41, abs=0.006)
    assert placed[CPU].context_bytes == 32 * MIB
    assert placed["CUDA0"].context_bytes == 192 * MIB
    assert 183.44 <= compute["CUDA0"] / MIB <= 183.44 * 1.15
    assert 18.01 <= compute[CPU] / MIB <= 18.01 + 10


def test_a_real_load_with_an_indexer() -> None:
    """A public log: GLM 5.2 over 768,000 tokens; scores and masks fill its card's buffers."""
    logs = json.loads(DATA.with_name("load_logs.json").read_text("utf-8"))
    metadata = next(log["metadata"] for log in logs if log["id"] == "glm5.2-768k")
    metadata = {**metadata, "glm-dsa.rope.dimension_count": 64}
    footprint = Footprint(ModelHeader((), 3, "little", MappingProxyType(metadata), (), 0, 0, 32))
    plan = plan_for({"ngl": footprint.all_layers, "ctx": 768_000})
    compute = estimated_compute(footprint, plan, ("CUDA0",))
    assert compute["CUDA0"] / MIB == pytest.approx(3252.07, rel=0.05)
    assert compute[CPU] / MIB == pytest.approx(1524.07, rel=0.01)
