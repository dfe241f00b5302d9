"""Memory from the header against llama.cpp, over real shapes and every architecture."""

from __future__ import annotations

import json
import statistics
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from desktop.engine.dry_run import DryRuns
from desktop.fit.compute import estimated_compute
from desktop.fit.memory import CPU, Footprint, Share
from desktop.fit.overheads import output_bytes
from desktop.fit.repack import rearranged_types
from desktop.gguf.header import ModelHeader
from desktop.hardware.cpu import complete
from desktop.hardware.machine import Cpu
from tests.fit.real_shapes import Run, features, plan_for, shapes

EVERY: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "every_architecture.json").read_text("utf-8")
)
VULKAN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "vulkan_runs.json").read_text("utf-8")
)["runs"]
SPLIT: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "split_runs.json").read_text("utf-8")
)
FEW_BYTES = 1024  # Gemma 4's rope factors, which llama.cpp leaves out where no layer turns by them


@cache
def _footprint(name: str) -> Footprint:
    return Footprint(shapes()[name].header(), rearranged_types(features()))


def _off(footprint: Footprint, run: Run) -> float:
    """How far the whole is off, in parts of the truth; negative is too little."""
    plan = run.plan
    devices = tuple(share.device for share in run.shares)
    placed = footprint.place(plan, run.shares)
    compute = estimated_compute(footprint, plan, devices)
    output = output_bytes(footprint.header, plan)
    guessed = sum(part.weights_bytes + part.context_bytes for part in placed.values())
    guessed += sum(compute.values()) + output
    truth = sum(map(sum, run.sides.values())) + output
    return guessed / truth - 1


@pytest.mark.parametrize("name", shapes())
def test_weights_and_context_to_the_byte(name: str) -> None:
    """On the processor, offloaded in whole and in part, experts kept back."""
    footprint = _footprint(name)
    for run in shapes()[name].runs:
        placed = footprint.place(run.plan, run.shares)
        few = FEW_BYTES if footprint.shared_bytes else 0
        for device, (weights, context, _) in run.sides.items():
            where = f"{device} under {run.settings}"
            assert placed[device].weights_bytes == pytest.approx(weights, abs=few), where
            assert placed[device].context_bytes == context, where


@pytest.mark.parametrize("name", shapes())
def test_never_much_too_little(name: str) -> None:
    """With the estimate of the compute buffers, where llama.cpp cannot be asked."""
    footprint = _footprint(name)
    for run in shapes()[name].runs:
        assert -0.02 <= _off(footprint, run) <= 0.05, run.settings


def test_the_whole_is_met_in_the_median() -> None:
    off = [
        abs(_off(_footprint(name), run)) for name, shape in shapes().items() for run in shape.runs
    ]
    assert len(off) > 800
    assert statistics.median(off) < 0.002


@pytest.mark.parametrize("name", EVERY["architectures"])
def test_the_context_of_every_architecture(name: str) -> None:
    """Tiny models of all 144 kinds that this llama.cpp opens by themselves."""
    case = EVERY["architectures"][name]
    values = {**EVERY["common"], **case["differs"]}
    metadata = {
        f"{name}.{key}": tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
        if value is not None
    }
    metadata["general.architecture"] = name
    header = ModelHeader((), 3, "little", MappingProxyType(metadata), (), 0, 0, 32)
    footprint = Footprint(header)
    for run in case["runs"]:
        placed = footprint.place(plan_for(run))
        assert placed[CPU].context_bytes == run["context_bytes"], run


@pytest.mark.parametrize("name", ["qwen3-30b-a3b", "gemma-3n-e4b", "deepseek-v3.2", "lfm2-8b-a1b"])
def test_as_this_llama_cpp_says_now(name: str, tmp_path: Path) -> None:
    """Asked now, through the child that fit asks: a new llama.cpp that counts otherwise shows."""
    shape = shapes()[name]
    path = shape.write(tmp_path / "m.gguf")
    footprint = Footprint(shape.header(), rearranged_types(complete(Cpu()).features))
    with DryRuns(timeout_s=60) as ask:
        for run in shape.runs[:3]:
            found = ask(path, run.plan).devices
            if None in (buffers.weights_bytes for buffers in found.values()):
                pytest.skip("llama.cpp's breakdown can be read on Linux only")
            placed = footprint.place(run.plan)[CPU]
            assert placed.weights_bytes == sum(b.weights_bytes or 0 for b in found.values())
            assert placed.context_bytes == sum(b.context_bytes or 0 for b in found.values())
            computed = sum(buffers.compute_bytes for buffers in found.values())
            guessed = estimated_compute(footprint, run.plan, ())[CPU]
            assert guessed == pytest.approx(computed, rel=0.25)


@pytest.mark.parametrize("name", sorted({run["model"] for run in VULKAN}))
def test_a_card_that_works_for_the_host_too(name: str) -> None:
    """Graphics copy weights and a layer's context for long prompts of layers that lie elsewhere."""
    footprint = Footprint(shapes()[name].header())
    for run in (run for run in VULKAN if run["model"] == name):
        plan = plan_for(run)
        if footprint.flash_attention_fails(plan.gpu_layers):
            continue  # no such plan is chosen
        shares = (Share("Vulkan0"),)
        placed = footprint.place(plan, shares)
        compute = estimated_compute(footprint, plan, ("Vulkan0",))
        output = output_bytes(footprint.header, plan)
        guessed = truth = output
        for device, side in ((CPU, run["cpu"]), ("Vulkan0", run["gpu"])):
            part = placed[device]
            assert [part.weights_bytes, part.context_bytes] == side[:2], run
            guessed += part.weights_bytes + part.context_bytes + compute[device]
            truth += sum(side)
        assert -0.02 <= guessed / truth - 1 <= 0.05, run


@pytest.mark.parametrize("run", SPLIT["runs"], ids=lambda run: f"{run['model']}-{run['split']}")
def test_layers_divided_between_two_cards(run: dict[str, Any]) -> None:
    """By numbers of layers and by free bytes, to the layer."""
    footprint = Footprint(shapes()[run["model"]].header(), rearranged_types(SPLIT["features"]))
    first, second = run["split"]
    placed = footprint.place(plan_for(run), (Share("RPC0", first), Share("RPC1", second)))
    for device, part in placed.items():
        assert [part.weights_bytes, part.context_bytes] == run[device.lower()], device


def test_where_flash_attention_is_given_up() -> None:
    """Measured over RPC at 16k: buffers of 1,108 instead of 72 MiB, but not for every hybrid."""
    lfm2 = Footprint(shapes()["lfm2-1.2b"].header())
    assert lfm2.flash_attention_fails(14)
    assert not lfm2.flash_attention_fails(14, "q8_0")  # which insists on flash attention
    for name in ("qwen3.5-9b", "kimi-linear-48b", "lfm2-8b-a1b", "granite-4-tiny", "jamba-mini"):
        footprint = Footprint(shapes()[name].header())
        dense = range(2, footprint.layers - 1)  # LFM2's first two layers have no experts
        assert not any(map(footprint.flash_attention_fails, dense)), name
