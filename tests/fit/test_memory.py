"""Weights and context against llama.cpp itself and against logs of real loads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from desktop.engine.dry_run import dry_run
from desktop.fit.compute import estimated_compute
from desktop.fit.memory import CPU, Footprint, Share, context_bytes, weights_by_device
from desktop.fit.repack import rearranged_types
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.values import MetaValue
from desktop.hardware.cpu import complete
from desktop.hardware.machine import Cpu
from tests.fit.architectures import MODELS
from tests.fit.conftest import FamilyHeader

DATA = Path(__file__).parent / "data"
DRY_RUNS: dict[str, Any] = json.loads((DATA / "dry_runs.json").read_text("utf-8"))
LOAD_LOGS: list[dict[str, Any]] = json.loads((DATA / "load_logs.json").read_text("utf-8"))
OFFLOADED: dict[str, Any] = json.loads((DATA / "offloaded_runs.json").read_text("utf-8"))
CPU_PLAN = Plan(
    gpu_layers=0,
    context=4096,
    kv_type="f16",
    parallel=1,
    flash_attention=True,
    expert_layers_on_cpu=0,
    ubatch=512,
    threads=2,
    use_mmap=False,
)


def _plan(case: dict[str, Any]) -> Plan:
    return replace(
        CPU_PLAN,
        context=case["context"],
        kv_type=case["kv_type"],
        parallel=case["parallel"],
        ubatch=case["ubatch"],
        gpu_layers=case.get("gpu_layers", 0),
        expert_layers_on_cpu=case.get("expert_layers_on_cpu", 0),
    )


def _case_name(case: dict[str, Any]) -> str:
    return f"{case['model']}-{case['context']}-{case['kv_type']}-{case['parallel']}"


@pytest.mark.parametrize("case", DRY_RUNS["runs"], ids=_case_name)
def test_as_llama_cpp_computes_it(case: dict[str, Any], family: FamilyHeader) -> None:
    """Recorded dry runs: weights and context to the byte, compute within a fifth."""
    footprint = Footprint(family(case["model"]), rearranged_types(DRY_RUNS["features"]))
    plan = _plan(case)
    placed = footprint.place(plan)[CPU]
    assert placed.weights_bytes == case["weights_bytes"]
    assert placed.context_bytes == case["context_bytes"]
    compute = estimated_compute(footprint, plan, ())[CPU]
    assert compute == pytest.approx(case["compute_bytes"] + case["output_bytes"], rel=0.2)


@pytest.mark.parametrize(
    "case",
    OFFLOADED["runs"],
    ids=lambda case: f"{case['model']}-{case['gpu_layers']}-{case['expert_layers_on_cpu']}",
)
def test_as_llama_cpp_divides_it_among_devices(case: dict[str, Any], family: FamilyHeader) -> None:
    """Layers on a second device: each device's weights and context to the byte."""
    footprint = Footprint(family(case["model"]))
    placed = footprint.place(_plan(case), (Share("GPU"),))
    # Gemma 4's 1 KiB of rope factors exists on each device.
    few = 1024 if case["model"] == "gemma4" else 0
    for device, name in ((CPU, "cpu"), ("GPU", "gpu")):
        assert placed[device].weights_bytes == pytest.approx(case[name]["weights_bytes"], abs=few)
        assert placed[device].context_bytes == case[name]["context_bytes"]


@pytest.mark.parametrize("name", ["lfm2", "mamba"])
def test_as_llama_cpp_computes_it_here(name: str, tmp_path: Path) -> None:
    """The same, asked now: a new llama.cpp that counts otherwise is noticed."""
    path = MODELS[name]().write(tmp_path / "m.gguf")
    found = dry_run(path, CPU_PLAN, timeout_s=60)
    weights = [buffers.weights_bytes for buffers in found.devices.values()]
    if None in weights:
        pytest.skip("llama.cpp's breakdown can be read on Linux only")
    footprint = Footprint(read_header(path), rearranged_types(complete(Cpu()).features))
    placed = footprint.place(CPU_PLAN)[CPU]
    assert placed.weights_bytes == sum(size or 0 for size in weights)
    assert placed.context_bytes == sum(b.context_bytes or 0 for b in found.devices.values())


@pytest.mark.parametrize("case", LOAD_LOGS, ids=lambda case: str(case["id"]))
def test_as_real_loads_logged_it(case: dict[str, Any]) -> None:
    """40 logs from Vulkan, CUDA, Metal and CPU: context on the host and on the graphics."""
    metadata = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in case["metadata"].items()
    }
    header = ModelHeader((), 3, "little", MappingProxyType(metadata), (), 0, 0, 32)
    shares = (Share("GPU"),) if case["gpu_layers"] else ()
    placed = Footprint(header).place(_plan(case), shares)
    # Logs round to a hundredth of a mebibyte.
    assert placed[CPU].context_bytes == pytest.approx(case["host_context_bytes"], abs=6_000)
    on_gpu = placed["GPU"].context_bytes if shares else 0
    assert on_gpu == pytest.approx(case["gpu_context_bytes"], abs=6_000)


def test_the_input_embedding_stays_in_main_memory(eight_billion: ModelHeader) -> None:
    weights = weights_by_device(eight_billion, replace(CPU_PLAN, gpu_layers=99, device="CUDA0"))
    embedding = eight_billion.tensor("token_embd.weight")
    assert embedding is not None
    assert weights == {
        CPU: embedding.nbytes,
        "CUDA0": eight_billion.tensor_bytes - embedding.nbytes,
    }


def test_a_tied_embedding_counts_twice_with_graphics(family: FamilyHeader) -> None:
    header = family("gemma3")
    embedding = header.tensor("token_embd.weight")
    assert embedding is not None
    weights = weights_by_device(header, replace(CPU_PLAN, gpu_layers=99))
    assert sum(weights.values()) == header.tensor_bytes + embedding.nbytes
    assert sum(weights_by_device(header, CPU_PLAN).values()) == header.tensor_bytes


def test_prediction_layers_are_not_loaded(family: FamilyHeader) -> None:
    header = family("qwen35")
    ahead = sum(t.nbytes for t in header.tensors if t.name.startswith("blk.24."))
    assert ahead > 0
    assert weights_by_device(header, CPU_PLAN)[CPU] == header.tensor_bytes - ahead


def test_the_last_layers_go_to_the_graphics_first(eight_billion: ModelHeader) -> None:
    footprint = Footprint(eight_billion)
    one = footprint.place(replace(CPU_PLAN, gpu_layers=1), (Share("G"),))
    assert one["G"].weights_bytes == footprint.output_bytes
    assert one["G"].context_bytes == 0
    two = footprint.place(replace(CPU_PLAN, gpu_layers=2), (Share("G"),))
    assert two["G"].weights_bytes == footprint.output_bytes + footprint.layer_bytes[31]
    assert two["G"].context_bytes == footprint.layer_context_bytes(31, CPU_PLAN)


def test_several_graphics_share_by_their_weight(eight_billion: ModelHeader) -> None:
    footprint = Footprint(eight_billion)
    plan = replace(CPU_PLAN, gpu_layers=33)
    placed = footprint.place(plan, (Share("A", 2), Share("B", 1)))
    layer = footprint.layer_context_bytes(0, plan)
    assert placed["A"].context_bytes == 22 * layer
    assert placed["B"].context_bytes == 10 * layer
    assert placed[CPU].context_bytes == 0


def test_experts_can_stay_in_main_memory(family: FamilyHeader) -> None:
    footprint = Footprint(family("qwen3moe"))
    everything = replace(CPU_PLAN, gpu_layers=99)
    kept = footprint.place(replace(everything, expert_layers_on_cpu=10), (Share("G"),))
    without = footprint.place(everything, (Share("G"),))
    moved = sum(footprint.expert_bytes[:10])
    assert kept["G"].weights_bytes == without["G"].weights_bytes - moved
    assert kept[CPU].weights_bytes == without[CPU].weights_bytes + moved
    assert kept["G"].context_bytes == without["G"].context_bytes


def test_nothing_is_lost_or_invented(family: FamilyHeader) -> None:
    """However layers are dealt out, the sum is the model."""
    footprint = Footprint(family("qwen3moe"))
    total = sum(part.weights_bytes for part in footprint.place(CPU_PLAN).values())
    for layers in (0, 1, 7, 48, 49, 500):
        for experts in (0, 3, 48):
            plan = replace(CPU_PLAN, gpu_layers=layers, expert_layers_on_cpu=experts)
            placed = footprint.place(plan, (Share("A", 3), Share("B", 5)))
            assert sum(part.weights_bytes for part in placed.values()) == total


def test_a_window_ends_the_growth_of_the_context(family: FamilyHeader) -> None:
    header = family("gemma3")
    short, long = (
        context_bytes(header, replace(CPU_PLAN, context=tokens)) for tokens in (32_768, 65_536)
    )
    full_layers = 5
    assert long - short == full_layers * 32_768 * 2 * 1024 * 2


def test_contexts_are_rounded_up(eight_billion: ModelHeader) -> None:
    uneven = context_bytes(eight_billion, replace(CPU_PLAN, context=4_097))
    assert uneven == context_bytes(eight_billion, replace(CPU_PLAN, context=4_352))


def test_recurrent_layers_cost_by_conversation(family: FamilyHeader) -> None:
    header = family("mamba")
    one = context_bytes(header, CPU_PLAN)
    assert context_bytes(header, replace(CPU_PLAN, context=100_000)) == one
    assert context_bytes(header, replace(CPU_PLAN, parallel=4)) == 4 * one


def test_quantized_contexts_need_whole_blocks(family: FamilyHeader) -> None:
    assert Footprint(family("llama")).allows("q8_0")
    odd: dict[str, MetaValue] = {
        "general.architecture": "x",
        "x.block_count": 1,
        "x.embedding_length": 80,
    }
    odd |= {"x.attention.head_count": 1, "x.context_length": 100}
    header = ModelHeader((), 3, "little", MappingProxyType(odd), (), 0, 0, 32)
    assert Footprint(header).allows("f16")
    assert not Footprint(header).allows("q4_0")
