"""What the planner prefers, and that it says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from desktop.common.messages import Messages
from desktop.fit.companions import Companions
from desktop.fit.corrections import Corrections
from desktop.fit.memory import Footprint
from desktop.fit.other_sizes import requantized
from desktop.fit.planner import judge, plan
from desktop.fit.types import FitReport, Plan, Priority, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Gpu, Machine, Memory
from tests.fit.conftest import FamilyHeader
from tests.fit.machines import GIB, LAPTOP_CPU, desktop, laptop, unified
from tests.fit.made_headers import MadeShape

PRIORITIES: tuple[Priority, ...] = ("speed", "balanced", "quality")


def _tokens(report: FitReport) -> float:
    assert report.speed.tokens_per_s is not None
    return report.speed.tokens_per_s


def _named(machine: Machine, *names: str) -> Machine:
    gpus = [replace(gpu, name=name) for gpu, name in zip(machine.gpus, names, strict=True)]
    return replace(machine, gpus=tuple(gpus))


def test_a_full_precision_context_unless_it_decides(eight_billion: ModelHeader) -> None:
    assert plan(desktop(12), eight_billion, Wish()).plan.kv_type == "f16"
    tight = plan(desktop(6), eight_billion, Wish()).plan
    assert (tight.kv_type, tight.gpu_layers) == ("q8_0", 33)  # f16 would leave layers out
    wished = plan(desktop(6), eight_billion, Wish(kv_type="f16"))
    assert wished.plan.kv_type == "f16"
    assert wished.plan.context < tight.context or wished.verdict == "partly_gpu"


@pytest.mark.parametrize("vram", [4, 5, 6, 7])
def test_speed_before_quality_and_the_reverse(eight_billion: ModelHeader, vram: float) -> None:
    reports = [plan(desktop(vram), eight_billion, Wish(priority=each)) for each in PRIORITIES]
    speeds = [_tokens(report) for report in reports]
    assert speeds == sorted(speeds, reverse=True)
    contexts = [report.plan.context for report in reports]
    assert contexts == sorted(contexts)


def test_quality_takes_a_longer_context_where_there_is_room(eight_billion: ModelHeader) -> None:
    assert plan(desktop(24), eight_billion, Wish(priority="quality")).plan.context == 32_768
    assert plan(desktop(24), eight_billion, Wish()).plan.context == 16_384


def test_experts_on_the_processor_read_prompts_in_larger_steps(family: FamilyHeader) -> None:
    """The weights of the experts cross to the card once for each micro-batch."""
    report = plan(desktop(8), family("qwen3moe"), Wish())
    assert report.plan.expert_layers_on_cpu > 0
    assert report.plan.ubatch > 512
    usual = plan(desktop(8), family("qwen3moe"), Wish(ubatch=512))
    assert usual.plan.ubatch == 512
    assert _tokens(report) > 0.9 * _tokens(usual)
    several = plan(desktop(8), family("qwen3moe"), Wish(parallel=4))
    assert several.plan.ubatch == 512  # the others would wait for a long step


def test_a_smaller_step_where_nothing_else_fits() -> None:
    """A long context of a small model: the work of 512 tokens takes more than the weights."""
    header = MadeShape(layers=4, embedding=1024, feed_forward=2048, context=1 << 20).header()
    machine = laptop(8, 1.6)
    longest = next(
        context
        for context in range(1 << 19, 0, -8192)
        if plan(machine, header, Wish(context=context)).verdict == "cpu"
    )
    chosen = plan(machine, header, Wish(context=longest)).plan
    assert chosen.ubatch == 128
    assert plan(machine, header, Wish(context=longest, ubatch=512)).verdict == "too_large"


def test_a_file_is_read_where_its_copies_would_not_fit_beside_it(
    eight_billion: ModelHeader,
) -> None:
    """A third of this file's weights is rearranged: mapped, they lie in memory twice."""
    header = requantized(eight_billion, "Q3_K_M")
    roomy, tight = (plan(laptop(16, free), header, Wish(context=2048)) for free in (12, 5))
    assert roomy.plan.use_mmap
    assert roomy.memory[0].repacked_bytes > 0
    assert tight.verdict == "cpu"
    assert not tight.plan.use_mmap
    assert tight.total_bytes < roomy.total_bytes


def test_metal_maps_no_file_of_which_it_holds_a_part(eight_billion: ModelHeader) -> None:
    """Seen: Metal maps a whole file, also for some of its layers."""
    whole = plan(unified(16, 12), eight_billion, Wish())
    assert (whole.verdict, whole.plan.use_mmap) == ("gpu", True)
    part = plan(unified(16, 12, wired=4.5), eight_billion, Wish(gpu_layers=12, context=2048))
    assert (part.verdict, part.plan.use_mmap) == ("partly_gpu", False)
    assert plan(desktop(4), eight_billion, Wish()).plan.use_mmap


def test_an_encoder_takes_a_text_as_a_whole() -> None:
    """llama.cpp aborts where a text is longer than a micro-batch."""
    header = MadeShape(layers=4, embedding=1024, feed_forward=2048, context=8192).header()
    keys = {key.replace("llama.", "nomic-bert."): v for key, v in header.metadata.items()}
    header = replace(header, metadata={**keys, "general.architecture": "nomic-bert"})
    report = plan(laptop(), header, Wish())
    assert (report.plan.context, report.plan.ubatch) == (8192, 8192)
    assert report.memory[0].context_bytes == 0
    assert plan(laptop(), header, Wish(ubatch=512)).plan.ubatch == 512


@pytest.mark.parametrize("name", ["lfm2", "granitehybrid"])
def test_no_split_costs_flash_attention(family: FamilyHeader, name: str) -> None:
    """Measured: LFM2 with 8 of 16 layers on a card needs 290 MB of buffers instead of 20."""
    header = family(name)
    footprint = Footprint(header)
    avoided, seen = 0, 0
    for share in range(2, 19):
        free = header.file_bytes * share / 20 / GIB
        machine = replace(desktop(24), gpus=(_with_free(desktop(24).gpus[0], free + 0.9),))
        chosen = plan(machine, header, Wish(context=4096, ubatch=512), advise=False).plan
        seen += 0 < chosen.gpu_layers < footprint.all_layers
        avoided += footprint.flash_attention_fails(chosen.gpu_layers + 1)
        assert not footprint.flash_attention_fails(chosen.gpu_layers)
    assert seen > 3
    assert avoided


def _with_free(gpu: Gpu, free: float) -> Gpu:
    return replace(gpu, free_bytes=int(free * GIB))


def test_grok_has_no_flash_attention_and_no_quantized_context() -> None:
    """llama.cpp turns it off there and then refuses to open a quantized one."""
    header = MadeShape(layers=4).header(general__architecture="grok")
    grok = {key.replace("llama.", "grok."): value for key, value in header.metadata.items()}
    header = replace(header, metadata=grok)
    report = plan(laptop(16, 1.9), header, Wish(context=32_768))
    assert not report.plan.flash_attention
    assert report.plan.kv_type == "f16"


def test_a_step_holds_a_token_of_every_conversation() -> None:
    header = MadeShape(layers=2, context=1 << 20).header()
    assert plan(laptop(64, 60), header, Wish(parallel=200, ubatch=8)).plan.ubatch == 200


def test_weak_graphics_lose_to_a_good_processor() -> None:
    """Seen: Vulkan recommended on old Intel graphics where the processor is faster."""
    header = MadeShape(layers=24).header()
    gpu = Gpu(
        "Intel HD Graphics 520",
        "intel",
        "vulkan",
        8 * GIB,
        None,
        unified=True,
        integrated=True,
        device="Vulkan0",
    )
    cpu = replace(LAPTOP_CPU, physical_cores=8, logical_cores=16)
    report = plan(Machine(Memory(16 * GIB, 10 * GIB), cpu, (gpu,)), header, Wish())
    assert report.verdict == "cpu"
    assert [warning.kind for warning in report.warnings] == ["gpu_left_out"]


def test_a_slow_second_card_is_used_only_for_what_the_fast_one_cannot_hold() -> None:
    small = MadeShape(layers=24).header()
    machine = _named(desktop(2, 8), "NVIDIA GeForce GTX 1050", "NVIDIA GeForce RTX 4070")
    alone = plan(machine, small, Wish())
    assert (alone.verdict, alone.plan.device, alone.plan.split) == ("gpu", "CUDA1", ())
    large = MadeShape(layers=60).header()
    both = plan(machine, large, Wish(context=4096, kv_type="f16", ubatch=512))
    assert both.plan.device == ""
    assert both.verdict == "partly_gpu"
    counts = dict(both.plan.split)
    # Weights in main memory are lent to the first one: that is the faster.
    assert list(counts) == ["CUDA1", "CUDA0"]
    assert counts["CUDA1"] > 4 * counts["CUDA0"]
    for more in ({"CUDA1": 1}, {"CUDA0": 1}):
        split = tuple((name, count + more.get(name, 0)) for name, count in both.plan.split)
        layers = both.plan.gpu_layers + 1
        one_more = replace(both.plan, split=split, gpu_layers=layers)
        assert judge(machine, large, one_more).verdict == "too_large"


def test_the_faster_of_two_cards_takes_the_output_where_they_hold_everything() -> None:
    machine = _named(desktop(8, 2), "NVIDIA GeForce RTX 4070", "NVIDIA GeForce GTX 1050")
    wish = Wish(context=4096, kv_type="f16", ubatch=512)
    reports = (plan(machine, MadeShape(layers=n).header(), wish) for n in range(60, 30, -2))
    whole = next(report for report in reports if report.verdict == "gpu")
    (slow, few), (fast, many) = whole.plan.split
    assert (slow, fast) == ("CUDA1", "CUDA0")
    assert few < many


def test_equal_cards_are_filled_alike() -> None:
    header = MadeShape(layers=60).header()
    report = plan(desktop(12, 12), header, Wish(context=16_384, kv_type="f16"))
    assert report.verdict == "gpu"
    first, second = (row.total_bytes for row in report.memory[1:])
    assert first == pytest.approx(second, rel=0.15)


def test_layers_asked_for_are_divided_among_cards(eight_billion: ModelHeader) -> None:
    report = plan(desktop(4, 4), eight_billion, Wish(gpu_layers=30, context=4096))
    assert report.plan.gpu_layers == 30
    assert sum(count for _, count in report.plan.split) == 30
    assert report.verdict == "partly_gpu"
    few = plan(desktop(4, 4), eight_billion, Wish(gpu_layers=5))
    assert (few.plan.device, few.plan.split) == ("CUDA0", ())


def test_on_windows_fewer_layers_than_on_linux(eight_billion: ModelHeader) -> None:
    wish = Wish(context=8192, kv_type="f16", ubatch=512)
    layers = [
        plan(replace(desktop(4), system=system), eight_billion, wish).plan.gpu_layers
        for system in ("windows", "linux")
    ]
    assert layers[0] < layers[1]


def test_a_failed_trial_moves_layers_off_the_card(eight_billion: ModelHeader) -> None:
    wish = Wish(context=8192, kv_type="f16", ubatch=512)
    learned = Corrections(margin_bytes={"CUDA0": 600 << 20})
    before = plan(desktop(4), eight_billion, wish)
    after = plan(desktop(4), eight_billion, wish, corrections=learned)
    assert after.plan.gpu_layers < before.plan.gpu_layers
    (row,) = (row for row in after.memory if row.device == "CUDA0")
    assert row.total_bytes + row.margin_bytes <= (row.available_bytes or 0)
    assert row.margin_bytes > 600 << 20


def test_what_unloading_frees_may_be_planned_with(eight_billion: ModelHeader) -> None:
    busy = desktop(8)
    busy = replace(busy, gpus=(replace(busy.gpus[0], free_bytes=1 * GIB),))
    assert plan(busy, eight_billion, Wish()).verdict == "cpu"
    report = plan(busy, eight_billion, Wish(), ours={"CUDA0": 6 * GIB})
    assert report.verdict == "gpu"
    (row,) = (row for row in report.memory if row.device == "CUDA0")
    assert (row.ours_bytes, row.available_bytes, row.others_bytes) == (6 * GIB, 1 * GIB, 1 * GIB)
    assert (row.available_bytes or 0) < row.total_bytes


def test_other_programs_are_shown(eight_billion: ModelHeader) -> None:
    row = plan(laptop(16, 11), eight_billion, Wish()).memory[0]
    assert row.others_bytes == 5 * GIB


def test_a_projector_needs_its_room_too(eight_billion: ModelHeader, family: FamilyHeader) -> None:
    """Seen: the vision projector forgotten by everyone once."""
    projector = family("qwen3")  # any header: what counts is its size
    alone = plan(desktop(7), eight_billion, Wish(context=4096, kv_type="f16"))
    assert alone.verdict == "gpu"
    wish = Wish(context=4096, kv_type="f16")
    both = plan(desktop(7), eight_billion, wish, companions=Companions(projector=projector))
    assert both.total_bytes > alone.total_bytes + 0.9 * projector.tensor_bytes
    assert both.verdict != "gpu"


def _memory(report: FitReport) -> Mapping[str, int]:
    return {row.device: row.total_bytes for row in report.memory}


def test_judging_a_plan_says_what_planning_said(eight_billion: ModelHeader) -> None:
    for machine in (laptop(), desktop(4), desktop(12), desktop(4, 4), unified()):
        report = plan(machine, eight_billion, Wish())
        judged = judge(machine, eight_billion, report.plan)
        assert judged.plan == report.plan
        assert judged.verdict == report.verdict
        assert _memory(judged) == _memory(report)
        assert judged.speed == report.speed


def test_a_full_context_is_slower_to_answer_from(eight_billion: ModelHeader) -> None:
    chosen = plan(laptop(), eight_billion, Wish()).plan
    speeds = [
        _tokens(judge(laptop(), eight_billion, chosen, filled_tokens=filled))
        for filled in (1, 512, 4096, 8192, 100_000)
    ]
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[0] > 1.05 * speeds[-1]
    assert speeds[1] == _tokens(judge(laptop(), eight_billion, chosen))
    assert speeds[-2] == speeds[-1]  # there is no more context than that


def test_a_plan_is_judged_by_what_is_free_now(eight_billion: ModelHeader) -> None:
    chosen = plan(desktop(12), eight_billion, Wish()).plan
    busy = desktop(12)
    busy = replace(busy, gpus=(replace(busy.gpus[0], free_bytes=2 * GIB),))
    judged = judge(busy, eight_billion, chosen)
    assert judged.verdict == "too_large"
    assert judged.plan == chosen
    assert judge(busy, eight_billion, chosen, ours={"CUDA0": 8 * GIB}).verdict == "gpu"


@pytest.mark.parametrize("split", [(), (("CUDA0", 20), ("CUDA1", 13))])
def test_a_card_that_is_gone_holds_nothing(
    eight_billion: ModelHeader, split: tuple[tuple[str, int], ...]
) -> None:
    chosen = plan(desktop(12), eight_billion, Wish()).plan
    chosen = replace(chosen, split=split, device="" if split else "CUDA0")
    judged = judge(laptop(64, 60), eight_billion, chosen)
    assert judged.verdict == "too_large"
    gone = [row for row in judged.memory if row.device != "CPU"]
    assert [(row.capacity_bytes, row.available_bytes) for row in gone] == [(0, 0)] * len(gone)
    assert gone
    Messages("de").text(judged.reason_key, **judged.reason_params)


class Oracle:
    """llama.cpp's answer: by device, the same for every plan."""

    def __init__(self, answer: Mapping[str, int]) -> None:
        self.answer = answer
        self.asked: list[Plan] = []

    def __call__(self, wanted: Plan, /) -> Mapping[str, int] | None:
        self.asked.append(wanted)
        return self.answer


def test_where_llama_cpp_needs_much_less_more_layers_are_tried(
    eight_billion: ModelHeader,
) -> None:
    wish = Wish(context=8192, kv_type="f16", ubatch=4096)
    estimated = plan(desktop(4), eight_billion, wish)
    oracle = Oracle({"CPU": 10 << 20, "CUDA0": 10 << 20})
    report = plan(desktop(4), eight_billion, wish, oracle)
    assert report.plan.gpu_layers >= estimated.plan.gpu_layers + 2
    assert report.method == "dry_run"
    assert len(oracle.asked) == 2


def test_where_llama_cpp_needs_less_the_context_gets_better(eight_billion: ModelHeader) -> None:
    estimated = plan(laptop(8, 5.7), eight_billion, Wish())
    assert (estimated.plan.context, estimated.plan.kv_type) == (4096, "f16")
    free = (estimated.total_bytes + (440 << 20) + estimated.memory[0].margin_bytes) / GIB
    assert plan(laptop(8, free), eight_billion, Wish()).plan.context == 4096
    oracle = Oracle({"CPU": 1 << 20})
    report = plan(laptop(8, free), eight_billion, Wish(), oracle)
    assert (report.plan.context, report.plan.kv_type) == (8192, "f16")
    assert len(oracle.asked) == 2


def test_where_llama_cpp_needs_more_the_card_gets_just_so_much_less(
    eight_billion: ModelHeader,
) -> None:
    wish = Wish(context=8192, kv_type="f16", ubatch=512)
    oracle = Oracle({"CPU": 100 << 20, "CUDA0": 1200 << 20})
    report = plan(desktop(4), eight_billion, wish, oracle)
    assert report.verdict == "partly_gpu"
    assert report.plan.gpu_layers > 0
    (row,) = (row for row in report.memory if row.device == "CUDA0")
    assert row.compute_bytes == 1200 << 20
    more = replace(report.plan, gpu_layers=report.plan.gpu_layers + 2)
    assert judge(desktop(4), eight_billion, more, compute=oracle).verdict == "too_large"
