"""Predicted speed: from bytes and bandwidth, in the right order and of the right size."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from desktop.common.resources import resources_folder
from desktop.fit.corrections import Corrections
from desktop.fit.gpu_speed import gpu_bandwidth_bytes_per_s
from desktop.fit.memory import Footprint, Share
from desktop.fit.planner import plan
from desktop.fit.speed import SpeedModel
from desktop.fit.types import Plan, Speed, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Cpu, Gpu, Machine, Memory, machine_from_json
from desktop.hardware.speeds import ATTENTION, VALUES, DeviceSpeed, KernelSpeed
from tests.fit.architectures import MODELS
from tests.fit.conftest import FamilyHeader
from tests.fit.machines import GIB, LAPTOP_CPU, desktop, laptop
from tests.fit.test_memory import CPU_PLAN
from tests.fit.test_speed_recorded import RECORD


def _speed(machine: Machine, header: ModelHeader, wish: Wish | None = None) -> float:
    speed = plan(machine, header, wish or Wish()).speed
    assert speed.basis == "predicted"
    assert speed.tokens_per_s is not None
    assert speed.prompt_tokens_per_s is not None
    assert speed.prompt_tokens_per_s > speed.tokens_per_s / 2
    return speed.tokens_per_s


def test_generation_follows_the_bandwidth(eight_billion: ModelHeader) -> None:
    many = replace(LAPTOP_CPU, physical_cores=16, logical_cores=32)
    slow, fast = (
        _speed(
            Machine(
                Memory(32 * GIB, 26 * GIB),
                replace(many, memory_bandwidth_bytes_per_s=bandwidth),
            ),
            eight_billion,
        )
        for bandwidth in (20_000_000_000, 60_000_000_000)
    )
    assert fast == pytest.approx(3 * slow, rel=0.05)
    # 60 GB/s read at three quarters, 4.4 GB a token.
    assert fast == pytest.approx(60 * 0.75 / 4.4, rel=0.1)


def test_few_cores_cannot_use_much_bandwidth(eight_billion: ModelHeader) -> None:
    machine = Machine(
        Memory(32 * GIB, 26 * GIB),
        replace(LAPTOP_CPU, physical_cores=2, memory_bandwidth_bytes_per_s=200_000_000_000),
    )
    assert _speed(machine, eight_billion) < 10


def test_a_mixture_reads_its_active_experts_only(family: FamilyHeader) -> None:
    """30 billion parameters of which 3 are active: as fast as a model of 3 to 5."""
    machine = laptop(64, 60)
    mixture = _speed(machine, family("qwen3moe"))
    assert mixture > 1.5 * _speed(machine, family("qwen3"))
    assert mixture < 3 * _speed(machine, family("llama"))


def test_graphics_are_faster(eight_billion: ModelHeader) -> None:
    assert _speed(desktop(12), eight_billion) > 4 * _speed(laptop(), eight_billion)


def test_a_quantized_cache_costs_a_processor_speed(eight_billion: ModelHeader) -> None:
    machine = laptop(64, 60)
    plain = _speed(machine, eight_billion, Wish(context=8_192, kv_type="f16"))
    # A processor unpacks a quantized cache for every head anew.
    assert _speed(machine, eight_billion, Wish(context=8_192, kv_type="q4_0")) < plain


def test_something_is_predicted_for_an_unknown_processor(eight_billion: ModelHeader) -> None:
    assert 1 < _speed(Machine(Memory(16 * GIB, 11 * GIB), Cpu()), eight_billion) < 10


def test_a_model_without_tensors_has_no_speed(eight_billion: ModelHeader) -> None:
    report = plan(laptop(), replace(eight_billion, tensors=()), Wish())
    assert report.speed.tokens_per_s is None
    assert report.reason_key == "fit.cpu_no_speed"


CPU_SPEED = DeviceSpeed(
    "CPU",
    3,
    (
        KernelSpeed("Q4_K", 20e9, 200e9),
        KernelSpeed("Q6_K", 25e9, 250e9),
        KernelSpeed(ATTENTION + "f16", 30e9, 100e9),
        KernelSpeed(VALUES, 16e9, 4e9),
    ),
    step_s=0.0,
    node_s=1e-6,
)


def measured(machine: Machine, *speeds: DeviceSpeed) -> Machine:
    return replace(machine, speeds=speeds)


def test_measured_kernels_decide(eight_billion: ModelHeader) -> None:
    """By hand: bytes of each type ÷ its speed, and little else."""
    machine = measured(laptop(), CPU_SPEED)
    by_type: dict[str, float] = {}
    for tensor in eight_billion.tensors:
        if tensor.name != "token_embd.weight" and len(tensor.dims) > 1:
            by_type[tensor.type_name] = by_type.get(tensor.type_name, 0) + tensor.nbytes
    rates = {"Q4_K": 20e9, "Q6_K": 25e9}
    weights_s = sum(size / rates[name] for name, size in by_type.items())
    wish = Wish(threads=3, context=4096)
    found = _speed(machine, eight_billion, wish)
    assert 1 / weights_s > found > 0.93 / weights_s
    faster = replace(CPU_SPEED, kernels=(KernelSpeed("Q4_K", 40e9, 200e9), *CPU_SPEED.kernels[1:]))
    assert _speed(measured(laptop(), faster), eight_billion, wish) > 1.5 * found


def test_what_was_learned_from_sessions_corrects(eight_billion: ModelHeader) -> None:
    wish = Wish(context=4096)
    half = Corrections(generation={"CPU": 0.5}, prompt={"CPU": 2.0})
    plain = plan(laptop(), eight_billion, wish).speed
    corrected = plan(laptop(), eight_billion, wish, corrections=half).speed
    assert plain.tokens_per_s
    assert plain.prompt_tokens_per_s
    assert corrected.tokens_per_s == pytest.approx(plain.tokens_per_s / 2)
    assert corrected.prompt_tokens_per_s == pytest.approx(plain.prompt_tokens_per_s * 2)


def _predicted(header: ModelHeader, given: Plan, *speeds: DeviceSpeed) -> Speed:
    machine = measured(desktop(12), *speeds)
    gpus = {gpu.device: gpu for gpu in machine.gpus}
    shares = (Share("CUDA0"),) if given.gpu_layers else ()
    return SpeedModel(Footprint(header), machine).predict(given, shares, gpus)


def test_every_layer_on_a_faster_card_is_faster(eight_billion: ModelHeader) -> None:
    base = plan(laptop(), eight_billion, Wish(context=4096)).plan
    found = [
        _predicted(eight_billion, replace(base, gpu_layers=layers)).tokens_per_s or 0
        for layers in range(34)
    ]
    assert found[1:] == sorted(found[1:])
    assert found[33] > 5 * found[0]


def test_experts_on_the_cpu_cost_as_far_as_they_are_used(family: FamilyHeader) -> None:
    header = family("qwen3moe")
    base = plan(desktop(80), header, Wish(context=4096)).plan
    found = [
        _predicted(header, replace(base, gpu_layers=49, expert_layers_on_cpu=layers)).tokens_per_s
        or 0
        for layers in (0, 12, 24, 48)
    ]
    assert found == sorted(found, reverse=True)
    # All layers in main memory, with the rest of each layer too, are slower still.
    assert (_predicted(header, replace(base, gpu_layers=0)).tokens_per_s or 0) < found[-1]


def test_a_card_that_was_measured_slow_is_believed(eight_billion: ModelHeader) -> None:
    slow = DeviceSpeed("CUDA0", 0, (KernelSpeed("Q4_K", 1e9, 10e9),), 0.001)
    machine = measured(desktop(12), CPU_SPEED, slow)
    report = plan(machine, eight_billion, Wish(context=4096), advise=False)
    assert report.plan.gpu_layers == 0
    assert report.verdict == "cpu"


def test_a_busy_machine_s_figures_of_one_thread_are_scaled(eight_billion: ModelHeader) -> None:
    alone = replace(CPU_SPEED, threads=1, steady=False)
    one = _speed(measured(laptop(), alone), eight_billion, Wish(threads=1))
    three = _speed(measured(laptop(), alone), eight_billion, Wish(threads=3))
    assert 1.3 * one < three < 3 * one


def test_prompts_may_have_threads_of_their_own(eight_billion: ModelHeader) -> None:
    base = plan(laptop(), eight_billion, Wish(context=4096, threads=2)).plan
    plain = _predicted(eight_billion, base)
    more = _predicted(eight_billion, replace(base, threads_batch=4))
    assert plain.prompt_tokens_per_s
    assert more.prompt_tokens_per_s
    assert more.tokens_per_s == plain.tokens_per_s
    assert more.prompt_tokens_per_s > 1.5 * plain.prompt_tokens_per_s


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_family_has_a_speed(name: str, family: FamilyHeader) -> None:
    for machine in (laptop(64, 60), measured(laptop(64, 60), CPU_SPEED), desktop(48)):
        assert 0.1 < _speed(machine, family(name)) < 5000


@pytest.mark.parametrize(
    ("name", "gigabytes"),
    [
        ("NVIDIA GeForce RTX 4090", 1008),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 576),
        ("NVIDIA GeForce RTX 3060", 360),
        ("NVIDIA GeForce RTX 3060 Ti", 448),
        ("AMD Radeon RX 7900 XTX", 960),
        ("Apple M1", 68),
        ("Apple M3 Max", 400),
        ("Apple M4 Pro", 273),
    ],
)
def test_bandwidth_by_name(name: str, gigabytes: int) -> None:
    gpu = Gpu(name, "other", "", 8 * GIB, None)
    assert gpu_bandwidth_bytes_per_s(gpu) == gigabytes * 1e9


def test_bandwidth_by_size_where_the_name_says_nothing() -> None:
    sizes = [
        gpu_bandwidth_bytes_per_s(Gpu("?", "other", "", gibibytes * GIB, None))
        for gibibytes in (2, 4, 8, 12, 24)
    ]
    assert sizes == sorted(sizes)
    shared = Gpu("?", "intel", "vulkan", 16 * GIB, None, unified=True, integrated=True)
    assert gpu_bandwidth_bytes_per_s(shared) < 100e9


def test_a_tiny_model_is_not_slowed_by_what_lies_around_a_step() -> None:
    """The guide wrote 3,300 tokens a second where 0.3 ms a step, whatever the model, gave 1,600."""
    guide = read_header(resources_folder() / "models" / "hausgeist-guide.gguf")
    machine = machine_from_json(json.loads(RECORD.read_text())["machine"])
    plan = replace(CPU_PLAN, context=512, threads=1)
    found = SpeedModel(Footprint(guide), machine).predict(plan, (), {}, 128)
    assert found.tokens_per_s is not None
    assert 2_000 < found.tokens_per_s < 6_000
