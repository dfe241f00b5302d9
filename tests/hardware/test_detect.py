from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.common.errors import StorageError
from desktop.common.messages import Messages
from desktop.hardware import detect as detect_module
from desktop.hardware.abc import GpuScan, MemoryScan
from desktop.hardware.bandwidth import BandwidthCache, machine_key
from desktop.hardware.detect import detect, native_platform, survey, with_bandwidth
from desktop.hardware.linux import LinuxPlatform
from desktop.hardware.machine import Machine, Memory, Note, machine_from_json
from desktop.hardware.memory_speed import MemorySpeed
from desktop.hardware.nvidia import NvidiaProbe
from tests.hardware.fakes import CARD, GIB, RTX, FakeNvidia, FakePlatform, Hang
from tests.hardware.trees import PCI, Tree, add_radeon_card, add_ryzen_apu


@pytest.fixture
def hang() -> Iterator[Hang]:
    call = Hang()
    yield call
    call.release()


def _kinds(machine: Machine) -> list[str]:
    return [note.kind for note in machine.notes]


def _survey(platform: FakePlatform, nvidia: NvidiaProbe | None = None, **more: Any) -> Machine:
    more = {"disk_path": Path(), "measure": False, **more}
    return survey(platform, nvidia or FakeNvidia(), **more)


def test_everything_together(tmp_path: Path) -> None:
    note = Note.of("memory_limited", limit_bytes=1, total_bytes=2)
    platform = FakePlatform(
        lambda: GpuScan((CARD,), (Note.of("gpu_no_driver", name="Old"),)),
        memory=MemoryScan(Memory(8 * GIB, GIB), (note,)),
        nvidia=("GeForce RTX 4090",),
        npus=("Intel AI Boost",),
        on_battery=True,
    )
    nvidia = FakeNvidia()
    machine = _survey(platform, nvidia, disk_path=tmp_path)
    assert machine.memory == Memory(8 * GIB, GIB)
    assert machine.cpu.name == "Test CPU"
    assert machine.gpus == (RTX, CARD)
    assert nvidia.asked_for == [("GeForce RTX 4090",)]
    assert machine.npus == ("Intel AI Boost",)
    assert _kinds(machine) == ["memory_limited", "gpu_no_driver", "npu_unused"]
    assert machine.on_battery is True
    assert machine.disk is not None
    assert machine.disk.free_bytes > 0
    assert machine.engine is None


def test_nvidia_is_not_asked_where_there_is_no_trace_of_it() -> None:
    nvidia = FakeNvidia()
    assert _survey(FakePlatform(nvidia=None), nvidia).gpus == ()
    assert nvidia.asked_for == []


def test_a_gpu_scan_that_hangs_is_given_up_on(hang: Hang) -> None:
    started = time.monotonic()
    machine = _survey(FakePlatform(hang, nvidia=()), gpu_limit_s=0.2)
    assert time.monotonic() - started < 2
    assert machine.gpus == (RTX,)  # the other probe's answer is kept
    assert _kinds(machine) == ["gpu_no_answer"]


def test_both_probes_hang_and_two_seconds_are_enough(hang: Hang) -> None:
    """The whole of it with the real limits: a hanging child and a hanging thread at once."""
    child = NvidiaProbe([sys.executable, "-c", "import threading; threading.Event().wait()"])
    started = time.monotonic()
    machine = _survey(FakePlatform(hang, nvidia=("GeForce RTX 4090",)), child)
    assert time.monotonic() - started < 4  # 2 s, and what a busy machine adds
    assert machine.gpus == ()
    assert sorted(_kinds(machine)) == ["gpu_no_answer", "nvidia_no_answer"]
    assert detect_module.GPU_LIMIT_S < 2


@pytest.mark.parametrize("error", [OSError("I/O error"), ValueError("nonsense"), KeyError("x")])
def test_a_gpu_scan_that_fails(error: Exception) -> None:
    def fail() -> GpuScan:
        raise error

    machine = _survey(FakePlatform(fail))
    assert machine.gpus == ()
    assert _kinds(machine) == ["gpu_failed"]


def test_a_mistake_of_ours_is_not_hidden() -> None:
    def fail() -> GpuScan:
        raise AttributeError("a typing error")

    with pytest.raises(AttributeError):
        _survey(FakePlatform(fail))


def test_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    machine = _survey(FakePlatform(), disk_path=tmp_path / "models" / "new")
    assert machine.disk is not None
    assert machine.disk.path == str(tmp_path / "models" / "new")


def test_bandwidth_is_looked_up_and_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect_module, "measure_bandwidth", lambda *_: pytest.fail("measured"))
    cache = BandwidthCache(tmp_path / "bandwidth.json")
    platform = FakePlatform()
    assert _survey(platform, bandwidth=cache).cpu.memory_bandwidth_bytes_per_s is None
    cache.put(
        machine_key(platform.cpu(), platform.memory().memory),
        MemorySpeed(50 * 10**9, is_steady=True),
    )
    assert _survey(platform, bandwidth=cache).cpu.memory_bandwidth_bytes_per_s == 50 * 10**9
    fresh = _survey(platform, bandwidth=cache, measure=True)
    assert fresh.cpu.memory_bandwidth_bytes_per_s == 50 * 10**9


def test_bandwidth_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = [MemorySpeed(40 * 10**9, is_steady=True)]
    monkeypatch.setattr(detect_module, "measure_bandwidth", lambda *_: rates.pop())
    cache = BandwidthCache(tmp_path / "bandwidth.json")
    for _ in range(2):
        machine = _survey(FakePlatform(), bandwidth=cache, measure=True)
        assert machine.cpu.memory_bandwidth_bytes_per_s == 40 * 10**9


def test_bandwidth_that_could_not_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect_module, "measure_bandwidth", lambda *_: None)
    cache = BandwidthCache(tmp_path / "bandwidth.json")
    machine = _survey(FakePlatform(), bandwidth=cache, measure=True)
    assert machine.cpu.memory_bandwidth_bytes_per_s is None


def test_bandwidth_added_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = [MemorySpeed(40 * 10**9, is_steady=True)]
    monkeypatch.setattr(detect_module, "measure_bandwidth", lambda *_: rates.pop())
    cache = BandwidthCache(tmp_path / "bandwidth.json")
    machine = _survey(FakePlatform(), bandwidth=cache)
    for _ in range(2):
        later = with_bandwidth(machine, cache)
        assert later.cpu.memory_bandwidth_bytes_per_s == 40 * 10**9
        assert replace(later, cpu=machine.cpu) == machine


def test_this_computer(tmp_path: Path) -> None:
    threads = threading.active_count()
    machine = detect(disk_path=tmp_path, measure=False)
    assert machine.memory.total_bytes > 1 << 28
    assert machine.cpu.name
    assert machine.cpu.features
    assert 1 <= machine.cpu.physical_cores <= machine.cpu.logical_cores
    assert machine_from_json(machine.to_json()) == machine
    for note in machine.notes:
        assert Messages("de").text(f"notes.{note.kind}", **dict(note.params))
    assert threading.active_count() <= threads + 1


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ("linux", "LinuxPlatform"),
        ("win32", "WindowsPlatform"),
        ("darwin", "MacPlatform"),
        ("freebsd14", "LinuxPlatform"),
    ],
)
def test_the_platform_is_chosen(monkeypatch: pytest.MonkeyPatch, system: str, name: str) -> None:
    for each in ("LinuxPlatform", "WindowsPlatform", "MacPlatform"):
        monkeypatch.setattr(detect_module, each, lambda chosen=each, **_: chosen)
    monkeypatch.setattr(sys, "platform", system)
    chosen: object = native_platform()
    assert chosen == name


def test_a_file_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, hang: Hang) -> None:
    monkeypatch.setattr(detect_module, "free_bytes", lambda _: hang())
    machine = _survey(FakePlatform(), gpu_limit_s=0.1)
    assert machine.disk is None


def test_a_disk_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> int:
        raise StorageError("storage", path=str(path))

    monkeypatch.setattr(detect_module, "free_bytes", fail)
    assert _survey(FakePlatform()).disk is None


def test_names_that_would_upset_a_terminal() -> None:
    evil = replace(CARD, name="Rade\x1b[2Jon\n" + "x" * 5000, driver="\ud800")
    note = Note.of("gpu_unreadable", name="a\tb", detail="line\nline")
    machine = _survey(FakePlatform(lambda: GpuScan((evil,), (note,)), npus=("N\0PU",)))
    assert machine.gpus[0].name.startswith("Rade [2Jon xxx")
    assert machine.npus == ("N PU",)
    assert dict(machine.notes[0].params) == {"name": "a b", "detail": "line line"}
    assert machine_from_json(machine.to_json()) == machine


_WORDS = st.sampled_from(
    (
        "",
        "0",
        "-1",
        "0x1002",
        "0x8086",
        "0x10de",
        "0x030000",
        "0x744c",
        "max",
        "nan",
        "1e9",
        "9" * 30,
    )
)
_PLACES = (
    f"{PCI}/0000:03:00.0/vendor",
    f"{PCI}/0000:03:00.0/device",
    f"{PCI}/0000:03:00.0/class",
    f"{PCI}/0000:03:00.0/revision",
    f"{PCI}/0000:03:00.0/mem_info_vram_total",
    f"{PCI}/0000:03:00.0/mem_info_vram_used",
    f"{PCI}/0000:03:00.0/mem_info_gtt_total",
    f"{PCI}/0000:03:00.0/mem_info_gtt_used",
    f"{PCI}/0000:03:00.0/gpu_metrics",
    f"{PCI}/0000:03:00.0/resource",
    "proc/cpuinfo",
    "proc/self/cgroup",
    "proc/self/mountinfo",
    "sys/fs/cgroup/memory.max",
    "sys/fs/cgroup/cpu.max",
    "sys/devices/system/cpu/online",
    "sys/devices/cpu_core/cpus",
    "usr/share/libdrm/amdgpu.ids",
    "usr/share/hwdata/pci.ids",
)


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(st.sampled_from(_PLACES), _WORDS.map(str.encode) | st.binary(max_size=60)),
    st.sampled_from((add_radeon_card, add_ryzen_apu)),
)
def test_whatever_stands_in_the_files_there_is_a_machine(
    contents: dict[str, bytes], add_gpu: Callable[[Tree, str], str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(Path(folder))
        add_gpu(tree, "0000:03:00.0")
        for name, content in contents.items():
            tree.write(name, content)
        linux = LinuxPlatform(tree.files, lambda: Memory(16 * GIB, GIB), lambda: None)
        machine = survey(linux, FakeNvidia(GpuScan()), disk_path=Path(folder), measure=False)
    assert machine_from_json(machine.to_json()) == machine
    assert "gpu_failed" not in _kinds(machine)
