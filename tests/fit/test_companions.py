"""What is opened beside a model, device by device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from desktop.fit.companions import (
    NO_COMPANIONS,
    CompanionBytes,
    Companions,
    companion_bytes,
    projector_compute_bytes,
)
from desktop.fit.memory import CPU, Footprint, Share
from desktop.fit.overheads import driver_bytes, output_bytes
from desktop.fit.planner import plan as make_plan
from desktop.fit.rule_of_thumb import nominal_bits, rule_of_thumb_bytes
from desktop.fit.types import Wish
from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Backend, Gpu
from tests.fit.conftest import FamilyHeader
from tests.fit.machines import desktop, laptop
from tests.fit.projectors import write_siglip
from tests.fit.real_shapes import plan_for, shapes

GPU = (Share("CUDA0"),)


def _lora(*names: str) -> ModelHeader:
    tensors = tuple(TensorInfo(name, (64, 8), 0, "F32", 0, 2048) for name in names)
    values = {"general.type": "adapter", "adapter.type": "lora"}
    return ModelHeader((), 3, "little", MappingProxyType(values), tensors, 0, 0, 32)


def _projector(tmp_path: Path, **sizes: int) -> ModelHeader:
    return read_header(write_siglip(tmp_path / "mmproj.gguf", **sizes))


def test_without_companions_nothing_is_added() -> None:
    assert companion_bytes(NO_COMPANIONS, plan_for({"ngl": 9}), GPU) == {}


def test_vision_lies_on_the_first_graphics(tmp_path: Path) -> None:
    header = _projector(tmp_path)
    companions = Companions(projector=header, projector_compute_bytes=5)
    two = (Share("CUDA0"), Share("CUDA1"))
    taken = companion_bytes(companions, plan_for({"ngl": 9}), two)
    assert taken == {"CUDA0": CompanionBytes(weights_bytes=header.tensor_bytes, compute_bytes=5)}
    alone = companion_bytes(companions, plan_for({}))
    assert list(alone) == [CPU]


@pytest.mark.parametrize(
    ("sizes", "computed"),
    [
        ({}, 127_139_840),
        ({"image": 448}, 47_120_384),
        ({"image": 448, "layers": 24, "width": 1024, "feed_forward": 4096}, 42_991_616),
    ],
)
def test_what_vision_computes_with_is_not_underestimated(
    sizes: dict[str, int], computed: int, tmp_path: Path
) -> None:
    """`computed`: libmtmd of llama.cpp 0.3.36 for the same header."""
    header = _projector(tmp_path, **sizes)
    assert computed <= projector_compute_bytes(header) <= 1.4 * computed


def test_pictures_of_any_size_take_as_many_patches_as_llama_cpp_tries(tmp_path: Path) -> None:
    header = _projector(tmp_path)
    any_size = {**header.metadata, "clip.projector_type": "qwen2.5vl_merger"}
    more = replace(header, metadata=MappingProxyType(any_size))
    assert projector_compute_bytes(more) > 1.9 * projector_compute_bytes(header)


def test_sound_is_counted_too() -> None:
    values = {"clip.audio.embedding_length": 1280, "clip.audio.feed_forward_length": 5120}
    header = ModelHeader((), 3, "little", MappingProxyType(values), (), 0, 0, 32)
    assert projector_compute_bytes(header) > 100 << 20


def test_a_draft_model_follows_the_model_onto_the_graphics() -> None:
    draft = shapes()["qwen3-0.6b"].header()
    footprint = Footprint(draft)
    plan = plan_for({"ngl": 99, "ctx": 8192})
    taken = companion_bytes(Companions(draft=draft), plan, GPU)
    whole = footprint.place(replace(plan, gpu_layers=footprint.all_layers), GPU)
    assert taken["CUDA0"].weights_bytes == whole["CUDA0"].weights_bytes
    assert taken["CUDA0"].context_bytes == whole["CUDA0"].context_bytes > 0
    assert taken["CUDA0"].compute_bytes > 0
    assert taken[CPU].compute_bytes >= output_bytes(draft, plan)


def test_a_draft_model_that_cannot_quantize_its_context_keeps_f16() -> None:
    draft = shapes()["qwen3-0.6b"].header()
    narrow = dict(draft.metadata) | {"qwen3.attention.key_length": 80}
    draft = replace(draft, metadata=MappingProxyType(narrow))
    full = companion_bytes(Companions(draft=draft), plan_for({}))
    asked = companion_bytes(Companions(draft=draft), plan_for({"kv": "q8_0"}))
    assert asked[CPU].context_bytes == full[CPU].context_bytes


def test_a_draft_of_a_cpu_that_rearranges_holds_its_tied_rows_twice() -> None:
    model, draft = shapes()["qwen3-14b"].header(), shapes()["qwen3-0.6b"].header()
    plan = plan_for({})
    plain = companion_bytes(Companions(draft=draft), plan, (), Footprint(model))
    twice = companion_bytes(
        Companions(draft=draft), plan, (), Footprint(model, frozenset({"Q4_K"}))
    )
    embedding = draft.tensor("token_embd.weight")
    assert embedding is not None
    assert twice[CPU].weights_bytes - plain[CPU].weights_bytes == embedding.nbytes


def test_adapters_lie_where_the_tensors_lie_that_they_change() -> None:
    footprint = Footprint(shapes()["qwen3-14b"].header())
    lora = _lora(
        "blk.0.attn_q.weight.lora_a",
        "blk.39.attn_q.weight.lora_a",
        "token_embd.weight.lora_a",
        "output.weight.lora_a",
    )
    plan = plan_for({"ngl": 20})
    taken = companion_bytes(Companions(loras=(lora, lora)), plan, GPU, footprint)
    assert taken[CPU].weights_bytes == 2 * 2 * 2048
    assert taken["CUDA0"].weights_bytes == 2 * 2 * 2048


def test_prediction_layers_when_asked(family: FamilyHeader) -> None:
    """As llama.cpp says with load_mtp and a context of that kind: 34,244,608 and 8,388,608."""
    footprint = Footprint(family("qwen35"))
    ahead = Companions(predict_ahead=True, drafted_tokens=0)
    taken = companion_bytes(ahead, plan_for({}), (), footprint)
    assert taken[CPU].weights_bytes == 34_244_608
    assert taken[CPU].context_bytes == 8_388_608
    assert 46_155_808 <= taken[CPU].compute_bytes <= 1.5 * 46_155_808


@pytest.mark.parametrize("drafted_tokens", [2, 3, 6])
def test_a_state_is_kept_for_every_drafted_token(family: FamilyHeader, drafted_tokens: int) -> None:
    """With n_rs_seq 2 and 3 and two sequences llama.cpp keeps 2 and 3 x 40,402,944 bytes more."""
    footprint = Footprint(family("qwen35"))
    plan = plan_for({"par": 2, "ctx": 1024, "ngl": 8})
    without, with_copies = (
        companion_bytes(Companions(predict_ahead=True, drafted_tokens=n), plan, GPU, footprint)
        for n in (0, drafted_tokens)
    )
    more = {name: with_copies[name].context_bytes - without[name].context_bytes for name in without}
    assert sum(more.values()) == drafted_tokens * 40_402_944
    assert min(more.values()) > 0  # each where its layer lies


def test_no_way_back_for_states_that_llama_cpp_keeps_once(family: FamilyHeader) -> None:
    footprint = Footprint(family("mamba"))
    assert companion_bytes(Companions(predict_ahead=True), plan_for({}), (), footprint) == {}


def test_nothing_ahead_where_the_model_has_no_such_layers() -> None:
    footprint = Footprint(shapes()["qwen3-14b"].header())
    assert companion_bytes(Companions(predict_ahead=True), plan_for({}), (), footprint) == {}


def test_companions_take_part_in_the_plan(tmp_path: Path) -> None:
    """A model that fills the card alone keeps layers back for its eyes."""
    header = shapes()["llama-3.1-8b"].header()
    vision = Companions(projector=_projector(tmp_path))
    machine = desktop(8)
    wish = Wish(context=8192, kv_type="f16")
    alone = make_plan(machine, header, wish)
    together = make_plan(machine, header, wish, companions=vision)
    assert together.total_bytes > alone.total_bytes
    assert together.plan.gpu_layers < alone.plan.gpu_layers


@pytest.mark.parametrize(
    ("name", "bits"),
    [("Q4_K_M", 4), ("IQ2_XXS", 2), ("MXFP4", 4), ("BF16", 16), ("F32", 32), ("unknown", 16)],
)
def test_bits_as_the_name_says(name: str, bits: int) -> None:
    assert nominal_bits(name) == bits


def test_the_rule_of_thumb_stands_beside_the_figure() -> None:
    header = shapes()["llama-3.1-8b"].header()
    assert rule_of_thumb_bytes(header) == header.parameters * 4 * 12 // 80
    report = make_plan(laptop(), header, Wish())
    assert report.rule_of_thumb_bytes == rule_of_thumb_bytes(header)


@pytest.mark.parametrize("backend", ["cuda", "rocm", "vulkan", "metal", "sycl", ""])
def test_drivers_take_their_part(backend: Backend) -> None:
    taken = driver_bytes(Gpu("A card", "nvidia", backend, 8 << 30, 7 << 30))
    assert 0 <= taken < 1 << 30
    assert (taken > 0) == (backend in ("cuda", "rocm", "vulkan", "sycl"))
