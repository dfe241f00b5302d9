"""Plans, verdicts and their reasons on machines of all sizes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from desktop.common.errors import UnsafeModelError, UsageError
from desktop.common.messages import Messages
from desktop.fit.memory import CPU
from desktop.fit.planner import plan
from desktop.fit.types import DeviceMemory, FitReport, Plan, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header_from
from desktop.hardware.machine import Cpu, EngineInfo, Gpu, Machine, Memory
from tests.fit.conftest import FamilyHeader
from tests.fit.machines import GIB, LAPTOP_CPU, desktop, laptop, unified
from tests.gguf.test_reader import Bytes
from tests.gguf_files import LlamaShape, header_bytes


def _fits(report: FitReport) -> bool:
    return all(row.total_bytes < (row.available_bytes or 0) for row in report.memory)


def test_a_laptop_without_graphics(eight_billion: ModelHeader) -> None:
    report = plan(laptop(), eight_billion, Wish())
    assert report.verdict == "cpu"
    assert (report.plan.gpu_layers, report.plan.device) == (0, "")
    assert report.plan.context == 8_192
    assert _fits(report)
    assert report.method == "header"
    assert report.model.quantization == "Q4_K_M"
    assert report.model.layers == 32


def test_a_margin_stays_free(eight_billion: ModelHeader) -> None:
    for free in (5.2, 5.6, 6.0, 7.0, 9.0):
        report = plan(laptop(16, free), eight_billion, Wish())
        row = report.memory[0]
        if report.verdict != "too_large":
            assert row.total_bytes + 256 * 1024 * 1024 <= free * GIB


def test_less_memory_means_a_shorter_and_then_a_cheaper_context(
    eight_billion: ModelHeader,
) -> None:
    """A processor reads a quantized context more slowly: half of the length goes before."""
    plans = [plan(laptop(8, free), eight_billion, Wish()).plan for free in (6.5, 5.7, 5.25)]
    assert [(chosen.context, chosen.kv_type) for chosen in plans] == [
        (8_192, "f16"),
        (4_096, "f16"),
        (4_096, "q8_0"),
    ]


def test_too_large(eight_billion: ModelHeader) -> None:
    report = plan(laptop(4, 3), eight_billion, Wish())
    assert report.verdict == "too_large"
    assert report.reason_key == "fit.too_large"
    assert 2 * GIB < int(report.reason_params["usable"]) < 3 * GIB
    assert int(report.reason_params["needed"]) > 4_600_000_000


def test_too_large_only_for_now(eight_billion: ModelHeader) -> None:
    report = plan(laptop(16, 2), eight_billion, Wish())
    assert report.reason_key == "fit.too_large_for_now"


def test_what_closing_programs_can_cure_is_said_so(eight_billion: ModelHeader) -> None:
    report = plan(laptop(8, 4.8), eight_billion, Wish())  # as Windows leaves an 8 GB laptop
    assert report.reason_key == "fit.too_large_for_now"


@pytest.mark.parametrize("free", [4.6, 4.8, 5.0, 5.1, 5.2, 5.3, 5.5, 5.6])
@pytest.mark.parametrize("context", [None, 8192, 32_768])
def test_too_large_never_says_that_more_can_be_used_than_is_needed(
    eight_billion: ModelHeader, free: float, context: int | None
) -> None:
    machines = (laptop(8, free), unified(8, free, wired=None), desktop(2, total=8, free=free))
    seen = 0
    for machine in machines:
        report = plan(machine, eight_billion, Wish(context=context))
        if report.verdict == "too_large":
            seen += 1
            assert int(report.reason_params["needed"]) > int(report.reason_params["usable"])
    assert seen or free > 5


def test_too_many_layers_for_the_card_are_told_of_the_card(eight_billion: ModelHeader) -> None:
    report = plan(desktop(4, total=64, free=50), eight_billion, Wish(gpu_layers=33))
    assert report.verdict == "too_large"
    assert report.reason_key == "fit.too_large_gpu"
    assert int(report.reason_params["needed"]) > 4 * GIB > int(report.reason_params["usable"])


def test_a_card_of_unknown_size_is_left_out_and_named(eight_billion: ModelHeader) -> None:
    card = Gpu("A card", "amd", "vulkan", 0, None)
    report = plan(replace(laptop(), gpus=(card,)), eight_billion, Wish())
    assert report.verdict == "cpu"
    assert [warning.kind for warning in report.warnings] == ["gpu_size_unknown"]


def test_a_card_is_judged_by_its_own_memory(eight_billion: ModelHeader) -> None:
    """Seen: "needs 6 GB of 82 GB" on a card of 12."""
    whole = plan(desktop(12, total=64), eight_billion, Wish())
    assert whole.reason_params["total"] == 12 * GIB
    assert whole.reason_params["needed"] == whole.memory[1].total_bytes
    part = plan(desktop(4, total=64, free=50), eight_billion, Wish())
    assert part.reason_params["total"] == 4 * GIB
    assert part.reason_params["main_total"] == 64 * GIB
    assert part.reason_params["main_needed"] == part.memory[0].total_bytes


def test_nothing_free_at_all(eight_billion: ModelHeader) -> None:
    report = plan(laptop(16, 0), eight_billion, Wish())
    assert report.verdict == "too_large"
    assert report.memory[0].available_bytes == 0


def test_too_long_a_context_says_which_would_fit(eight_billion: ModelHeader) -> None:
    report = plan(laptop(), eight_billion, Wish(context=100_000))
    assert report.verdict == "too_large"
    assert report.reason_key == "fit.too_large_context"
    suggested = int(report.reason_params["context"])
    assert plan(laptop(), eight_billion, Wish(context=suggested)).verdict == "cpu"


def test_free_memory_that_nobody_knows(eight_billion: ModelHeader) -> None:
    report = plan(laptop(16, None), eight_billion, Wish())
    assert report.verdict == "cpu"
    assert [warning.kind for warning in report.warnings] == ["free_memory_guessed"]
    assert 0 < (report.memory[0].available_bytes or 0) < 16 * GIB


def test_all_layers_on_a_large_card(eight_billion: ModelHeader) -> None:
    report = plan(desktop(12), eight_billion, Wish())
    assert report.verdict == "gpu"
    assert report.plan.gpu_layers == 33
    assert report.plan.device == "CUDA0"
    assert report.plan.context == 16_384
    assert _fits(report)
    assert [row.device for row in report.memory] == ["CPU", "CUDA0"]


def test_some_layers_on_a_small_card(eight_billion: ModelHeader) -> None:
    report = plan(desktop(4), eight_billion, Wish())
    assert report.verdict == "partly_gpu"
    assert 10 < report.plan.gpu_layers < 33
    assert _fits(report)
    faster = plan(desktop(6), eight_billion, Wish())
    assert faster.speed.tokens_per_s is not None
    assert report.speed.tokens_per_s is not None
    assert faster.speed.tokens_per_s > report.speed.tokens_per_s


def test_a_tiny_card_is_not_preferred_to_much_memory(eight_billion: ModelHeader) -> None:
    """Seen in the field: 1 GB of graphics memory taken before 32 GB of main memory."""
    report = plan(desktop(1), eight_billion, Wish())
    assert report.verdict == "cpu"
    assert report.plan.gpu_layers == 0
    assert [row.device for row in report.memory] == ["CPU"]


def test_two_cards_hold_what_one_cannot(eight_billion: ModelHeader) -> None:
    assert plan(desktop(4), eight_billion, Wish()).verdict == "partly_gpu"
    report = plan(desktop(4, 4), eight_billion, Wish())
    assert report.verdict == "gpu"
    assert report.plan.device == ""
    assert [row.device for row in report.memory] == ["CPU", "CUDA0", "CUDA1"]
    assert _fits(report)


def test_experts_leave_the_card_before_whole_layers(family: FamilyHeader) -> None:
    report = plan(desktop(8), family("qwen3moe"), Wish())
    assert report.verdict == "partly_gpu"
    assert report.plan.gpu_layers == 49
    assert 0 < report.plan.expert_layers_on_cpu < 48
    assert _fits(report)


def test_unified_memory_is_counted_once(eight_billion: ModelHeader) -> None:
    report = plan(unified(), eight_billion, Wish())
    assert report.verdict == "gpu"
    assert sum(row.total_bytes for row in report.memory) < 10 * GIB
    assert report.reason_params["total"] == 16 * GIB
    tight = plan(unified(8, 4.9), eight_billion, Wish())
    assert tight.verdict == "too_large"


def test_what_metal_may_wire_is_respected(eight_billion: ModelHeader) -> None:
    report = plan(unified(16, 12, wired=3), eight_billion, Wish())
    on_gpu = next((row for row in report.memory if row.device == "MTL0"), None)
    assert report.verdict in ("cpu", "partly_gpu")
    assert on_gpu is None or on_gpu.total_bytes < 3 * GIB


def test_integrated_graphics_yield_to_a_card(eight_billion: ModelHeader) -> None:
    integrated = unified(32, 20, vendor="intel", wired=None).gpus[0]
    machine = desktop(12)
    both = replace(machine, gpus=(integrated, *machine.gpus))
    assert plan(both, eight_billion, Wish()).plan.device == "CUDA0"


def test_a_card_that_this_engine_cannot_use(eight_billion: ModelHeader) -> None:
    machine = desktop(12)
    nameless = tuple(replace(gpu, device="") for gpu in machine.gpus)
    without = replace(machine, gpus=nameless, engine=EngineInfo("1", ("CPU", "RPC")))
    assert plan(without, eight_billion, Wish()).verdict == "cpu"
    by_cuda = replace(machine, gpus=nameless, engine=EngineInfo("1", ("CPU", "CUDA")))
    assert plan(by_cuda, eight_billion, Wish()).verdict == "gpu"
    by_vulkan = replace(machine, gpus=nameless, engine=EngineInfo("1", ("CPU", "Vulkan")))
    assert plan(by_vulkan, eight_billion, Wish()).verdict == "gpu"


def test_a_wish_is_kept_to_the_letter(eight_billion: ModelHeader) -> None:
    wish = Wish(context=4_096, kv_type="q8_0", parallel=2, gpu_layers=20, ubatch=256, threads=3)
    chosen = plan(desktop(8), eight_billion, wish).plan
    assert (chosen.context, chosen.kv_type, chosen.parallel) == (4_096, "q8_0", 2)
    assert (chosen.gpu_layers, chosen.ubatch, chosen.threads) == (20, 256, 3)


def test_a_wish_that_does_not_fit_is_answered_as_it_is(eight_billion: ModelHeader) -> None:
    report = plan(desktop(4), eight_billion, Wish(gpu_layers=33))
    assert report.verdict == "too_large"
    assert report.plan.gpu_layers == 33


def test_more_layers_than_there_are_means_all(eight_billion: ModelHeader) -> None:
    assert plan(desktop(12), eight_billion, Wish(gpu_layers=999)).plan.gpu_layers == 33


def test_layers_without_graphics_are_ignored_and_said(eight_billion: ModelHeader) -> None:
    report = plan(laptop(), eight_billion, Wish(gpu_layers=10))
    assert report.verdict == "cpu"
    assert [warning.kind for warning in report.warnings] == ["gpu_layers_ignored"]


def test_a_context_beyond_the_training_is_warned_of(family: FamilyHeader) -> None:
    report = plan(laptop(64, 60), family("qwen3"), Wish(context=50_000))
    assert report.verdict == "cpu"
    assert [warning.kind for warning in report.warnings] == ["beyond_training"]
    assert report.warnings[0].params == {"context": 50_176, "trained": 40_960}


def test_the_automatic_context_stays_within_the_training() -> None:
    shape = LlamaShape(context=1_000)
    header = _header(shape)
    assert plan(laptop(), header, Wish()).plan.context == 1_024
    assert not plan(laptop(), header, Wish()).warnings


@pytest.mark.parametrize(
    ("wish", "kind", "field"),
    [
        (Wish(context=0), "bad_wish", "context"),
        (Wish(context=-1), "bad_wish", "context"),
        (Wish(context=1 << 40), "bad_wish", "context"),
        (Wish(parallel=0), "bad_wish", "parallel"),
        (Wish(parallel=10_000), "bad_wish", "parallel"),
        (Wish(gpu_layers=-1), "bad_wish", "gpu_layers"),
        (Wish(ubatch=0), "bad_wish", "ubatch"),
        (Wish(threads=-2), "bad_wish", "threads"),
        (Wish(threads=100_000), "bad_wish", "threads"),
        (Wish(kv_type="q3_K"), "bad_kv_type", None),  # type: ignore[arg-type]
        (Wish(priority="cheap"), "bad_priority", None),  # type: ignore[arg-type]
        (Wish(ubatch=1 << 15), "bad_wish", "ubatch"),
        (Wish(context=256, parallel=64), "wish_too_narrow", None),
    ],
)
def test_impossible_wishes(
    eight_billion: ModelHeader, wish: Wish, kind: str, field: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        plan(laptop(), eight_billion, wish)
    assert caught.value.kind == kind
    assert caught.value.params.get("field") == field


def test_an_unsafe_header_is_not_planned() -> None:
    with pytest.raises(UnsafeModelError):
        plan(laptop(), _header(LlamaShape(), llama__block_count=4_000_000_000), Wish())


def test_a_context_type_that_the_model_cannot_have() -> None:
    shape = LlamaShape(embedding=320, heads=4, kv_heads=1, type="F16", output_type="F16")
    report = plan(laptop(), _header(shape), Wish(kv_type="q8_0"))
    assert report.plan.kv_type == "f16"
    assert [warning.kind for warning in report.warnings] == ["kv_type_refused"]


def test_a_file_of_which_only_the_header_is_there(eight_billion: ModelHeader) -> None:
    report = plan(laptop(), replace(eight_billion, complete=False), Wish())
    assert report.verdict == "cpu"
    assert [warning.kind for warning in report.warnings] == ["incomplete_file"]


def test_more_threads_than_cores(eight_billion: ModelHeader) -> None:
    report = plan(laptop(), eight_billion, Wish(threads=32))
    assert report.plan.threads == 32
    assert [warning.kind for warning in report.warnings] == ["more_threads_than_cores"]


@pytest.mark.parametrize(
    ("cpu", "threads"),
    [
        (Cpu(physical_cores=1, logical_cores=1), 1),
        (Cpu(physical_cores=2, logical_cores=4), 2),
        (Cpu(physical_cores=4, logical_cores=8), 3),
        (Cpu(physical_cores=8, logical_cores=16), 6),
        (Cpu(physical_cores=14, logical_cores=20, performance_cores=6), 5),
        (Cpu(physical_cores=16, logical_cores=32, usable_cores=2), 2),
        (Cpu(logical_cores=8), 3),
        (Cpu(), 3),
    ],
)
def test_threads(eight_billion: ModelHeader, cpu: Cpu, threads: int) -> None:
    machine = Machine(Memory(16 * GIB, 11 * GIB), cpu)
    assert plan(machine, eight_billion, Wish()).plan.threads == threads


def test_a_rearranged_file_is_not_mapped(family: FamilyHeader) -> None:
    """Mapped and rearranged it would lie in memory twice: 1,333 MiB instead of 794."""
    assert not plan(laptop(), family("qwen3"), Wish()).plan.use_mmap
    plain = Machine(Memory(16 * GIB, 11 * GIB), replace(LAPTOP_CPU, features=("sse4_2",)))
    assert plan(plain, family("qwen3"), Wish()).plan.use_mmap
    assert plan(desktop(8), family("qwen3"), Wish()).plan.use_mmap
    # A small one is read in a second, and then its file may go.
    assert not plan(plain, family("lfm2"), Wish()).plan.use_mmap


class Oracle:
    """A compute estimator that notes what it was asked."""

    def __init__(self, answer: Mapping[str, int] | None) -> None:
        self.answer = answer or {}
        self.knows = answer is not None
        self.asked: list[Plan] = []

    def __call__(self, wanted: Plan, /) -> Mapping[str, int] | None:
        self.asked.append(wanted)
        return self.answer if self.knows else None


def test_llama_cpps_own_figures_are_taken(eight_billion: ModelHeader) -> None:
    oracle = Oracle({"CPU": 123_000_000, "CUDA0": 456_000_000, "CUDA_Host": 7_000_000})
    report = plan(desktop(12), eight_billion, Wish(), oracle)
    assert report.method == "dry_run"
    assert oracle.asked == [report.plan]
    logits = 128_256 * 4 * report.plan.output_rows
    assert {row.device: row.compute_bytes for row in report.memory} == {
        "CPU": 130_000_000,
        "CUDA0": 456_000_000,
    }
    assert {row.device: row.output_bytes for row in report.memory} == {"CPU": logits, "CUDA0": 0}


def test_where_llama_cpp_needs_more_the_plan_shrinks(eight_billion: ModelHeader) -> None:
    oracle = Oracle({"CPU": int(1.6 * GIB)})
    report = plan(laptop(16, 7.5), eight_billion, Wish(), oracle)
    assert 1 < len(oracle.asked) <= 4
    assert report.verdict == "cpu"
    assert report.memory[0].context_bytes < 8_192 * 32 * 4_096  # of the first plan's f16
    assert report.memory[0].compute_bytes == oracle.answer["CPU"]


def test_where_llama_cpp_cannot_be_asked_the_estimate_stays(eight_billion: ModelHeader) -> None:
    report = plan(laptop(), eight_billion, Wish(), Oracle(None))
    assert report.method == "header"
    assert report.memory[0].compute_bytes > 0


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_answer_has_its_sentence(eight_billion: ModelHeader, language: str) -> None:
    messages = Messages("de" if language == "de" else "en")
    machines = [laptop(), laptop(4, 3), laptop(16, None), desktop(12), desktop(4), unified()]
    for machine in machines:
        for wish in (Wish(), Wish(context=200_000), Wish(gpu_layers=4, threads=99)):
            report = plan(machine, eight_billion, wish)
            sentence = messages.text(report.reason_key, **report.reason_params)
            assert sentence.count("{") == 0
            for warning in report.warnings:
                messages.text(f"fit.warning.{warning.kind}", **warning.params)


def test_the_sentence_of_a_good_fit(eight_billion: ModelHeader) -> None:
    report = plan(laptop(), eight_billion, Wish())
    params = {**report.reason_params, "tokens_per_s": 7.4, "page_s": 54.0}
    english = Messages("en").text(report.reason_key, **params)
    german = Messages("de").text(report.reason_key, **params)
    assert english == (
        "Fits well: needs 5.5 GB of 16 GB, about 7.4 tokens a second, a page in about 55 seconds."
    )
    assert german == (
        "Passt gut: braucht 5,5 GB von 16 GB, etwa 7,4 Tokens in der Sekunde, "
        "eine Seite in etwa 55 Sekunden."
    )
    tokens_per_s = report.speed.tokens_per_s
    assert tokens_per_s is not None
    assert report.reason_params["tokens_per_s"] == round(tokens_per_s, 1)
    assert report.reason_params["page_s"] == round(400 / tokens_per_s, 1)


def test_the_json_is_as_promised(eight_billion: ModelHeader) -> None:
    document = plan(desktop(4), eight_billion, Wish()).to_json("A sentence.")
    assert set(document) >= {"model", "plan", "memory", "verdict", "speed", "method", "reason"}
    expected = {
        "model": ["name", "architecture", "quantization", "parameters", "file_bytes", "layers"],
        "plan": [
            "gpu_layers",
            "context",
            "kv_type",
            "parallel",
            "flash_attention",
            "expert_layers_on_cpu",
        ],
        "speed": ["prompt_tokens_per_s", "tokens_per_s", "basis"],
    }
    for key, names in expected.items():
        part = document[key]
        assert isinstance(part, dict)
        assert set(names) <= set(part)
    rows = document["memory"]
    assert isinstance(rows, list)
    assert set(rows[0]) >= {
        "device",
        "weights_bytes",
        "context_bytes",
        "compute_bytes",
        "total_bytes",
        "capacity_bytes",
        "available_bytes",
    }
    assert rows[0]["device"] == CPU
    assert document["reason"] == "A sentence."


def test_planning_takes_little_time(family: FamilyHeader) -> None:
    deep = _header(LlamaShape(layers=512, embedding=1024, feed_forward=4096))
    for machine in (laptop(2, 1), desktop(2, 2, 2), desktop(1, total=2, free=1)):
        for header in (family("qwen3moe"), deep):
            begin = time.process_time()  # however busy the machine is
            plan(machine, header, Wish())
            assert time.process_time() - begin < 2


def test_as_many_layers_as_the_card_holds(eight_billion: ModelHeader) -> None:
    report = plan(desktop(4), eight_billion, Wish())
    chosen = report.plan
    more = Wish(
        chosen.context, chosen.kv_type, gpu_layers=chosen.gpu_layers + 1, ubatch=chosen.ubatch
    )
    assert plan(desktop(4), eight_billion, more).verdict == "too_large"


def test_the_fewest_experts_that_must_leave(family: FamilyHeader) -> None:
    report = plan(desktop(8), family("qwen3moe"), Wish())
    layer = family("qwen3moe").tensor("blk.0.ffn_up_exps.weight")
    assert layer is not None
    on_gpu = next(row for row in report.memory if row.device == "CUDA0")
    spare = (on_gpu.available_bytes or 0) - on_gpu.total_bytes
    assert spare < 4 * layer.nbytes + GIB  # one layer's experts and the margin


def test_a_graphics_device_without_memory_is_no_device(eight_billion: ModelHeader) -> None:
    machine = replace(laptop(), gpus=(Gpu("x", "other", "", 0, 0),))
    assert plan(machine, eight_billion, Wish()).verdict == "cpu"


def _header(shape: LlamaShape, **more: object) -> ModelHeader:
    raw = header_bytes(shape.metadata(**more), shape.tensors())
    return replace(read_header_from(Bytes(raw), "m.gguf"), complete=True)


def test_a_devices_total_is_what_the_plan_takes_of_it() -> None:
    """It once was the device's capacity, which nobody who adds up the parts expects."""
    row = DeviceMemory("CPU", 5, 3, 2, capacity_bytes=100, available_bytes=50)
    assert row.total_bytes == 10
    assert row.to_json()["total_bytes"] == 10
    assert row.to_json()["capacity_bytes"] == 100
