from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import IO, Any

import pytest

from desktop.hardware import sysfs_gpus
from desktop.hardware.abc import GpuScan
from desktop.hardware.machine import Gpu, Memory
from tests.hardware.trees import (
    GIB,
    MIB,
    Tree,
    add_intel_graphics,
    add_radeon_card,
    add_ryzen_apu,
)

MEMORY = Memory(16 * GIB, 10 * GIB)


def _scan(tree: Tree, memory: Memory = MEMORY) -> GpuScan:
    return sysfs_gpus.scan(tree.files, memory)


def _kinds(scan: GpuScan) -> list[str]:
    return [note.kind for note in scan.notes]


def test_a_radeon_card(tree: Tree) -> None:
    add_radeon_card(tree)
    scan = _scan(tree)
    assert scan.notes == ()
    assert scan.gpus == (
        Gpu(
            name="AMD Radeon RX 7900 XTX",
            vendor="amd",
            backend="vulkan",
            total_bytes=25753026560,
            free_bytes=25753026560 - 1610612736,
            driver="amdgpu",
        ),
    )


def test_an_apu_counts_main_memory_once(tree: Tree) -> None:
    add_ryzen_apu(tree)
    (gpu,) = _scan(tree).gpus
    assert gpu.unified
    assert gpu.integrated
    assert gpu.total_bytes == 512 * MIB + 8 * GIB
    assert gpu.dedicated_bytes == 512 * MIB
    assert gpu.free_bytes == 312 * MIB + 8 * GIB - 64 * MIB


def test_an_apu_cannot_have_more_than_there_is(tree: Tree) -> None:
    """A 128 GB machine with 96 GB set aside, whose driver may map 105 GB of the other 31."""
    folder = tree.pci("0000:c5:00.0", 0x1002, 0x1586, driver="amdgpu", render=128)
    tree.amd_memory(folder, vram=(96 * GIB, GIB), gtt=(105 * GIB, 0))
    tree.gpu_metrics(folder, 3)
    (gpu,) = _scan(tree, Memory(31 * GIB, 20 * GIB)).gpus
    assert gpu.total_bytes == 127 * GIB
    assert gpu.free_bytes == 95 * GIB + 20 * GIB
    assert gpu.dedicated_bytes == 96 * GIB


@pytest.mark.parametrize(
    ("device", "label", "is_apu"),
    [
        (0x744C, "", False),
        (0x1681, "", True),
        (0x9999, "vddnb", True),
        (0x9999, "vddgfx", False),
    ],
)
def test_an_apu_without_metrics(tree: Tree, device: int, label: str, is_apu: bool) -> None:
    """Older kernels: told by the voltage that only APUs show, else by the device's number."""
    folder = tree.pci("0000:03:00.0", 0x1002, device, driver="amdgpu", render=128)
    tree.amd_memory(folder, vram=(2 * GIB, 0), gtt=(2 * GIB, 0))
    if label:
        tree.write(f"{folder}/hwmon/hwmon4/in1_label", label)
    (gpu,) = _scan(tree).gpus
    assert gpu.integrated is is_apu


def test_metrics_cut_short_decide_nothing(tree: Tree) -> None:
    folder = tree.pci("0000:03:00.0", 0x1002, 0x744C, driver="amdgpu", render=128)
    tree.amd_memory(folder, vram=(8 * GIB, 0), gtt=(8 * GIB, 0))
    tree.write(f"{folder}/gpu_metrics", struct.pack("<H", 128))
    assert not _scan(tree).gpus[0].integrated


def test_integrated_intel_graphics(tree: Tree) -> None:
    add_intel_graphics(tree)
    tree.write(
        "usr/share/misc/pci.ids",
        "# comment\n1002  Advanced Micro Devices\n\ta7a0  Wrong vendor\n8086  Intel Corporation\n"
        "\ta721  Raptor Lake-P\n\ta7a0  Raptor Lake-P [Iris Xe Graphics]\n"
        "\t\t1043 1a63  subsystem\n"
        "8087  Other\n",
    )
    (gpu,) = _scan(tree).gpus
    assert gpu.name == "Intel Iris Xe Graphics"
    assert (gpu.unified, gpu.integrated, gpu.dedicated_bytes) == (True, True, 0)
    assert gpu.total_bytes == 12 * GIB
    assert gpu.free_bytes == 10 * GIB


@pytest.mark.parametrize(
    ("device", "window", "name", "total"),
    [
        (0xE20B, 256 * MIB, "Intel Arc B580", 12 * GIB),
        (0x56A0, 16 * GIB, "Intel Arc A770", 16 * GIB),
        (0x56A0, 8 * GIB, "Intel Arc A770", 8 * GIB),
        (0xFFFF, 32 * GIB, "Intel Graphics (ffff)", 32 * GIB),
    ],
)
def test_arc_cards(tree: Tree, device: int, window: int, name: str, total: int) -> None:
    folder = tree.pci("0000:03:00.0", 0x8086, device, driver="xe", render=129)
    start = 0x4000000000
    tree.write(
        f"{folder}/resource",
        "0x0000000080000000 0x0000000080ffffff 0x0000000000140204\n"
        "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
        f"0x{start:016x} 0x{start + window - 1:016x} 0x000000000014220c\nbroken line",
    )
    (gpu,) = _scan(tree).gpus
    assert (gpu.name, gpu.total_bytes, gpu.free_bytes) == (name, total, None)
    assert (gpu.unified, gpu.integrated, gpu.driver) == (False, False, "xe")


def test_a_laptop_with_both(tree: Tree) -> None:
    add_ryzen_apu(tree, render=129)
    add_radeon_card(tree)
    assert [(gpu.integrated, gpu.unified) for gpu in _scan(tree).gpus] == [
        (False, False),
        (True, True),
    ]


@pytest.mark.parametrize(
    ("vendor", "device", "driver"),
    [
        (0x1234, 0x1111, "bochs-drm"),
        (0x15AD, 0x0405, "vmwgfx"),
        (0x80EE, 0xBEEF, "vboxvideo"),
        (0x1AF4, 0x1050, "virtio-pci"),
        (0x1A03, 0x2000, "ast"),
        (0x1414, 0x5353, "hyperv_drm"),
    ],
)
def test_virtual_machines_adapters_are_no_gpus(
    tree: Tree, vendor: int, device: int, driver: str
) -> None:
    tree.pci("0000:00:02.0", vendor, device, driver=driver, render=128)
    assert _scan(tree) == GpuScan()


def test_a_card_without_its_driver(tree: Tree) -> None:
    tree.pci("0000:03:00.0", 0x1002, 0x744C)
    scan = _scan(tree)
    assert scan.gpus == ()
    assert _kinds(scan) == ["gpu_no_driver"]


@pytest.mark.parametrize("driver", ["radeon", "vfio-pci"])
def test_a_driver_that_cannot_compute(tree: Tree, driver: str) -> None:
    tree.pci("0000:03:00.0", 0x1002, 0x6738, driver=driver, render=128)
    scan = _scan(tree)
    assert scan.gpus == ()
    assert _kinds(scan) == ["gpu_unsupported"]


def test_a_container_that_does_not_pass_the_device_on(tree: Tree) -> None:
    add_radeon_card(tree)
    (tree.root / "dev/dri/renderD128").unlink()
    scan = _scan(tree)
    assert scan.gpus == ()
    assert _kinds(scan) == ["gpu_no_access"]
    assert dict(scan.notes[0].params) == {"name": "AMD Radeon RX 7900 XTX"}


def test_a_user_outside_the_render_group(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    add_radeon_card(tree)
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("renderD128"))
    assert _kinds(_scan(tree)) == ["gpu_no_access"]


@pytest.mark.parametrize("content", ["", "many", None])
def test_memory_files_that_do_not_let_themselves_be_read(tree: Tree, content: str | None) -> None:
    folder = add_radeon_card(tree)
    path = tree.root / folder / "mem_info_vram_total"
    path.unlink()
    if content is not None:
        path.write_text(content)
    scan = _scan(tree)
    assert scan.gpus == ()
    assert _kinds(scan) == ["gpu_unreadable"]


def test_a_driver_that_answers_with_an_error(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sleeping or lost card: reading its file fails with EIO."""
    add_radeon_card(tree)
    add_intel_graphics(tree, render=129)
    real = Path.open

    def broken(path: Path, mode: str = "r") -> IO[Any]:
        if path.name.startswith("mem_info"):
            raise OSError(5, "Input/output error")
        return real(path, mode)

    monkeypatch.setattr(Path, "open", broken)
    scan = _scan(tree)
    assert [gpu.vendor for gpu in scan.gpus] == ["intel"]  # the other GPU is still there
    assert _kinds(scan) == ["gpu_unreadable"]
    assert "Input/output error" in str(dict(scan.notes[0].params)["detail"])


@pytest.mark.parametrize("total", [0, -5, 1 << 62])
def test_a_driver_that_lies(tree: Tree, total: int) -> None:
    folder = add_radeon_card(tree)
    tree.write(f"{folder}/mem_info_vram_total", total)
    scan = _scan(tree)
    assert scan.gpus == ()
    assert _kinds(scan) == ["gpu_implausible"]


@pytest.mark.parametrize(("used", "free"), [(1 << 60, 0), (-1, 25753026560)])
def test_a_use_that_cannot_be(tree: Tree, used: int, free: int) -> None:
    """Found by the test that writes anything into the files: -1 made more free than there is."""
    folder = add_radeon_card(tree)
    tree.write(f"{folder}/mem_info_vram_used", used)
    assert _scan(tree).gpus[0].free_bytes == free


def test_no_sys_at_all(tree: Tree) -> None:
    assert _scan(tree) == GpuScan()
