"""Predicted speed: from bytes and bandwidth, in the right order and of the right size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.fit.gpu_speed import gpu_bandwidth_bytes_per_s
from desktop.fit.planner import plan
from desktop.fit.types import Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Cpu, Gpu, Machine, Memory
from tests.fit.conftest import FamilyHeader
from tests.fit.machines import GIB, LAPTOP_CPU, desktop, laptop


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
