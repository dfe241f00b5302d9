from __future__ import annotations

import pytest

from desktop.hardware import procfs
from desktop.hardware.files import parse_cpu_list
from tests.hardware.trees import (
    GRAVITON_3,
    MIB,
    RASPBERRY_PI_5,
    SAPPHIRE_RAPIDS_FLAGS,
    SKYLAKE_FLAGS,
    Tree,
    add_processors,
    x86_cpuinfo,
)


def test_a_laptop_with_two_threads_a_core(tree: Tree) -> None:
    name = "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz"
    text = x86_cpuinfo(name, 4, 2, SKYLAKE_FLAGS)
    add_processors(tree, text, online="0-7", l3="6144K", shared="0-7")
    cpu = procfs.read_cpu(tree.files)
    assert cpu.name == name
    assert (cpu.physical_cores, cpu.logical_cores) == (4, 8)
    assert cpu.features == ("sse4_2", "avx", "f16c", "fma", "bmi2", "avx2")
    assert cpu.l3_bytes == 6 * MIB
    assert cpu.performance_cores == 0


def test_a_server_with_matrix_instructions(tree: Tree) -> None:
    text = x86_cpuinfo("Intel(R) Xeon(R) Platinum 8480+", 2, 1, SAPPHIRE_RAPIDS_FLAGS)
    add_processors(tree, text)
    features = procfs.read_cpu(tree.files).features
    for name in ("avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "amx_tile"):
        assert name in features


def test_fast_and_slow_cores_of_one_processor(tree: Tree) -> None:
    """A Core i7-1365U: 2 fast cores with 2 threads each, 8 slow ones with one."""
    blocks = x86_cpuinfo("13th Gen Intel(R) Core(TM) i7-1365U", 12, 1, SKYLAKE_FLAGS)
    add_processors(tree, blocks, online="0-11")
    tree.write("sys/devices/cpu_core/cpus", "0-3")
    tree.write("sys/devices/cpu_atom/cpus", "4-11")
    for cpu in range(12):
        core = cpu // 2 if cpu < 4 else cpu
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/topology/core_id", core)
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", 0)
    assert procfs.read_cpu(tree.files).performance_cores == 2


def test_a_raspberry_pi(tree: Tree) -> None:
    add_processors(tree, RASPBERRY_PI_5, online="0-3")
    for cpu in range(4):
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/topology/core_id", cpu)
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", 0)
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity", 1024)
    cpu_facts = procfs.read_cpu(tree.files)
    assert cpu_facts.name == "ARM Cortex-A76"
    assert (cpu_facts.physical_cores, cpu_facts.logical_cores) == (4, 4)
    assert cpu_facts.features == ("neon", "fp16", "dotprod")
    assert cpu_facts.performance_cores == 0


def test_an_arm_server(tree: Tree) -> None:
    add_processors(tree, GRAVITON_3)
    cpu = procfs.read_cpu(tree.files)
    assert cpu.name == "ARM Neoverse-V1"
    assert cpu.features == ("neon", "fp16", "dotprod", "i8mm", "bf16", "sve")


def test_an_m1_under_linux(tree: Tree) -> None:
    """Asahi: two kinds of cores, told apart by their capacity."""
    blocks = [
        f"processor\t: {cpu}\nFeatures\t: fp asimd asimdhp asimddp\n"
        f"CPU implementer\t: 0x61\nCPU part\t: {'0x022' if cpu < 4 else '0x023'}"
        for cpu in range(8)
    ]
    add_processors(tree, "\n\n".join(blocks), online="0-7")
    for cpu in range(8):
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/topology/core_id", cpu)
        tree.write(f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity", 485 if cpu < 4 else 1024)
    facts = procfs.read_cpu(tree.files)
    assert (facts.name, facts.performance_cores) == ("Apple M1", 4)


def test_an_unknown_arm_chip_is_named_by_its_board(tree: Tree) -> None:
    add_processors(tree, "processor\t: 0\nCPU implementer\t: 0x99\nCPU part\t: 0x1")
    tree.write("sys/firmware/devicetree/base/model", b"Pine64 Quartz64\0")
    assert procfs.read_cpu(tree.files).name == "Pine64 Quartz64"


def test_riscv_with_vectors(tree: Tree) -> None:
    add_processors(
        tree, "processor\t: 0\nhart\t: 0\nisa\t: rv64imafdcv_zicbom\nuarch\t: spacemit,x60"
    )
    cpu = procfs.read_cpu(tree.files)
    assert (cpu.name, cpu.features) == ("spacemit,x60", ("rvv",))


def test_riscv_without_vectors(tree: Tree) -> None:
    add_processors(tree, "processor\t: 0\nhart\t: 0\nisa\t: rv64imafdc_zicbom_svpbmt\nuarch\t: u74")
    assert procfs.read_cpu(tree.files).features == ()


def test_two_sockets(tree: Tree) -> None:
    one = x86_cpuinfo("AMD EPYC 7302", 2, 1, "avx2")
    two = one.replace("physical id\t: 0", "physical id\t: 1")
    add_processors(tree, f"{one}\n\n{two}", online="0-3", l3="16384K", shared="0-1")
    tree.write("sys/devices/system/cpu/cpu2/cache/index3/size", "16384K")
    tree.write("sys/devices/system/cpu/cpu2/cache/index3/shared_cpu_list", "2-3")
    cpu = procfs.read_cpu(tree.files)
    assert (cpu.physical_cores, cpu.logical_cores, cpu.l3_bytes) == (4, 4, 32 * MIB)


def test_nothing_is_told(tree: Tree) -> None:
    cpu = procfs.read_cpu(tree.files)
    assert (cpu.name, cpu.physical_cores, cpu.logical_cores, cpu.features) == ("", 0, 0, ())


@pytest.mark.parametrize(
    ("text", "cores"),
    [("0-3,8", (0, 1, 2, 3, 8)), ("", ()), ("5", (5,)), ("0-1, 4-5", (0, 1, 4, 5))],
)
def test_the_kernels_lists(text: str, cores: tuple[int, ...]) -> None:
    assert parse_cpu_list(text) == cores


@pytest.mark.parametrize("text", ["0-99999999999", "x", "-5", "1-2-3"])
def test_lists_that_make_no_sense(tree: Tree, text: str) -> None:
    with pytest.raises(ValueError, match=r"core|literal"):
        parse_cpu_list(text)
    tree.write("sys/devices/system/cpu/online", text)
    tree.write("sys/devices/cpu_core/cpus", text)
    assert procfs.read_cpu(tree.files).logical_cores == 0


def test_usable_cores_are_what_affinity_and_quota_leave() -> None:
    here = procfs.usable_cores(None)
    assert here >= 1
    assert procfs.usable_cores(1) == 1
    assert procfs.usable_cores(here + 5) == here
