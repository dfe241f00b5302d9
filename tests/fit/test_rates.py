"""Speeds of devices: what was measured stands, what was not follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.fit.rates import CpuTable, GpuTable, MeasuredRates
from desktop.hardware.machine import Cpu, Gpu
from desktop.hardware.speeds import ATTENTION, EXPERTS, VALUES, DeviceSpeed, KernelSpeed
from tests.fit.machines import GIB, LAPTOP_CPU

MEASURED = DeviceSpeed(
    "CPU",
    4,
    (
        KernelSpeed("Q4_K", 30e9, 400e9),
        KernelSpeed("Q8_0", 35e9, 300e9),
        KernelSpeed(EXPERTS + "Q4_K", 30e9, 200e9),
        KernelSpeed(ATTENTION + "f16", 20e9, 100e9),
        KernelSpeed(VALUES, 8e9, 2e9),
    ),
    step_s=1e-5,
    node_s=2e-6,
)
IRIS = Gpu("Intel Iris Xe", "intel", "vulkan", 8 * GIB, None, unified=True, integrated=True)


def rates(threads: int = 4, speed: DeviceSpeed = MEASURED) -> MeasuredRates:
    return MeasuredRates(speed, threads, LAPTOP_CPU)


def test_what_was_measured_is_not_changed() -> None:
    found = rates()
    assert found.reads_per_s("Q4_K") == 30e9
    assert found.operations_per_s("Q8_0", of_experts=False) == 300e9
    assert found.operations_per_s("Q8_0", of_experts=True) == 150e9
    assert found.attention_reads_per_s("f16") == 20e9
    assert found.attention_operations_per_s("f16") == 100e9
    assert found.values_per_s == 2e9
    assert found.node_s == 2e-6


def test_other_types_follow_from_those_measured() -> None:
    found, table = rates(), CpuTable(replace(LAPTOP_CPU, memory_bandwidth_bytes_per_s=10**13), 4)
    for name in ("Q5_K", "IQ3_S", "Q4_1", "SOMETHING_NEW"):
        assert found.reads_per_s(name) / found.reads_per_s("Q4_K") == pytest.approx(
            table.reads_per_s(name) / table.reads_per_s("Q4_K")
        )
        assert found.operations_per_s(name, of_experts=False) > 0
    assert found.attention_reads_per_s("q4_0") < found.attention_reads_per_s("q8_0") < 20e9


def test_nothing_but_one_type_is_enough() -> None:
    bare = rates(speed=replace(MEASURED, kernels=(KernelSpeed("Q6_K", 20e9, 300e9),)))
    assert bare.reads_per_s("Q4_K") == pytest.approx(20e9)
    assert bare.operations_per_s("Q4_K", of_experts=True) > 0
    assert bare.attention_reads_per_s("q8_0") > 0
    assert bare.attention_operations_per_s("f16") > 0
    assert bare.values_per_s > 0


def test_threads_add_speed_until_memory_is_the_end() -> None:
    reads = [rates(threads).reads_per_s("Q4_K") for threads in (1, 2, 3, 4)]
    assert reads == sorted(reads)
    assert reads[0] > 30e9 / 4  # four threads share memory, one has it for itself
    assert reads[1] < 2 * reads[0] * 1.001
    assert rates(8).reads_per_s("Q4_K") == 30e9  # there are four cores
    one = MeasuredRates(replace(MEASURED, threads=1), 4, LAPTOP_CPU)
    # 40 GB/s is what this laptop's memory delivers.
    assert 30e9 < one.reads_per_s("Q4_K") <= 40e9
    assert one.operations_per_s("Q4_K", of_experts=False) == 4 * 400e9


def test_a_card_has_threads_of_its_own() -> None:
    card = MeasuredRates(replace(MEASURED, device="CUDA0", threads=0), 2, LAPTOP_CPU)
    assert card.reads_per_s("Q4_K") == 30e9


def test_shared_graphics_read_no_faster_than_memory() -> None:
    slow = replace(LAPTOP_CPU, memory_bandwidth_bytes_per_s=15_000_000_000)
    fast = replace(LAPTOP_CPU, memory_bandwidth_bytes_per_s=200_000_000_000)
    assert GpuTable(IRIS, slow).reads_per_s("Q4_K") < 15e9
    assert GpuTable(IRIS, fast).reads_per_s("Q4_K") > GpuTable(IRIS, slow).reads_per_s("Q4_K")
    assert GpuTable(IRIS, Cpu()).reads_per_s("Q4_K") > 0


@pytest.mark.parametrize(
    "name",
    [
        "Intel(R) UHD Graphics 620",
        "Intel HD Graphics 5500",
        "Intel(R) Iris(R) Plus Graphics",
        "Mesa Intel UHD (CML GT2)",
    ],
)
def test_old_graphics_are_slower_than_a_good_processor(name: str) -> None:
    old = GpuTable(replace(IRIS, name=name), LAPTOP_CPU)
    processor = CpuTable(LAPTOP_CPU, 4)
    assert old.reads_per_s("Q4_K") < processor.reads_per_s("Q4_K")
    assert GpuTable(IRIS, LAPTOP_CPU).reads_per_s("Q4_K") > old.reads_per_s("Q4_K")


# Public measurements of 7B and 8B models with llama.cpp (llama-bench tg128 and pp512): the
# device, the file's bytes, tokens a second generating and reading. Sources: llama.cpp's issues
# and pull requests 4766 (P40), 5835 (6700 XT), 5301 (Iris Xe), ipex-llm 12991 (B580).
PUBLIC = [
    (Gpu("Tesla P40", "nvidia", "cuda", 24 * GIB, None), 3.83e9, 56.8, 912.0),
    (Gpu("AMD Radeon RX 6700 XT", "amd", "vulkan", 12 * GIB, None), 4.11e9, 59.0, 1017.0),
    (Gpu("Intel Arc B580", "intel", "vulkan", 12 * GIB, None), 4.68e9, 66.5, 2336.0),
]


@pytest.mark.parametrize(("gpu", "size", "writes", "reads"), PUBLIC, ids=lambda v: str(v)[:20])
def test_tables_are_near_public_measurements(
    gpu: Gpu, size: float, writes: float, reads: float
) -> None:
    table = GpuTable(gpu, Cpu())
    assert table.reads_per_s("Q4_0") / size == pytest.approx(writes, rel=0.35)
    operations = 2 * size * 8 / 4.5
    ratio = table.operations_per_s("Q4_0", of_experts=False) / operations / reads
    assert 0.4 < ratio < 2.5
