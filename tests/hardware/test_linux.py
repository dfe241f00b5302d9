from __future__ import annotations

import sys
from pathlib import Path

import pytest

from desktop.hardware.abc import GpuScan
from desktop.hardware.linux import LinuxPlatform
from desktop.hardware.machine import Memory
from tests.hardware.trees import GIB, SKYLAKE_FLAGS, Tree, add_processors, x86_cpuinfo

MEMORY = Memory(16 * GIB, 10 * GIB)


def _linux(tree: Tree) -> LinuxPlatform:
    return LinuxPlatform(tree.files, lambda: MEMORY, lambda: None)


def test_a_container_without_proc_and_sys(tree: Tree) -> None:
    linux = _linux(tree)
    assert linux.memory().memory == MEMORY
    assert linux.gpus(MEMORY) == GpuScan()
    assert linux.nvidia_cards() is None
    assert linux.npus() == ()
    cpu = linux.cpu()
    assert (cpu.name, cpu.logical_cores) == ("", 0)
    assert cpu.usable_cores >= 1


def test_a_container_with_two_cores_of_time(tree: Tree) -> None:
    add_processors(tree, x86_cpuinfo("AMD Ryzen 9", 16, 2, SKYLAKE_FLAGS))
    tree.write("sys/fs/cgroup/cpu.max", "100000 100000")
    tree.write("sys/fs/cgroup/memory.max", 4 * GIB)
    linux = _linux(tree)
    assert (linux.cpu().physical_cores, linux.cpu().usable_cores) == (16, 1)
    scan = linux.memory()
    assert scan.memory == Memory(4 * GIB, 4 * GIB)
    assert [note.kind for note in scan.notes] == ["memory_limited"]


def test_nvidia_cards_are_named_by_the_systems_list(tree: Tree) -> None:
    tree.pci("0000:01:00.0", 0x10DE, 0x2684)
    tree.pci("0000:01:00.1", 0x10DE, 0x22BA, kind=0x040300)  # the card's sound device
    tree.pci("0000:02:00.0", 0x10DE, 0x9999, kind=0x030200)  # a compute card: "3D controller"
    listing = "10de  NVIDIA Corporation\n\t2684  AD102 [GeForce RTX 4090]\n"
    tree.write("usr/share/hwdata/pci.ids", listing)
    assert _linux(tree).nvidia_cards() == ("GeForce RTX 4090", "NVIDIA 9999")


@pytest.mark.parametrize(
    "trace",
    [
        "proc/driver/nvidia/version",
        "dev/nvidiactl",
        "usr/lib/wsl/lib/libnvidia-ml.so.1",
        "opt/driver/libnvidia-ml.so.1",
    ],
)
def test_a_trace_of_nvidia_without_a_listed_card(tree: Tree, trace: str) -> None:
    tree.write(trace, "")
    linux = LinuxPlatform(tree.files, lambda: MEMORY, lambda: None, library_path=":/opt/driver")
    assert linux.nvidia_cards() == ()


def test_npus_by_driver_and_by_number(tree: Tree) -> None:
    tree.pci("0000:00:0b.0", 0x8086, 0x7D1D, kind=0x120000, driver="intel_vpu")
    tree.link("sys/class/accel/accel0/device/driver", "../../../bus/pci/drivers/intel_vpu")
    assert _linux(tree).npus() == ("Intel AI Boost",)


def test_an_npu_without_a_driver(tree: Tree) -> None:
    tree.pci("0000:c5:00.1", 0x1022, 0x17F0, kind=0x118000)
    assert _linux(tree).npus() == ("AMD XDNA",)


def test_npus_of_other_makers(tree: Tree) -> None:
    tree.link("sys/class/accel/accel0/device/driver", "../../../bus/pci/drivers/habanalabs")
    tree.write("dev/fastrpc-cdsp", "")
    assert _linux(tree).npus() == ("Qualcomm Hexagon",)


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="asks the running Linux")
@pytest.mark.skipif(sys.platform != "linux", reason="asks the running Linux")
def test_the_machine_that_this_runs_on() -> None:
    linux = LinuxPlatform()
    cpu, memory = linux.cpu(), linux.memory().memory
    assert cpu.logical_cores >= 1
    assert 1 <= cpu.physical_cores <= cpu.logical_cores
    assert memory.available_bytes is not None
    assert 0 < memory.available_bytes <= memory.total_bytes
