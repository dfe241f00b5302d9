"""Sensors on Linux: files of /proc and /sys as real machines have them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from desktop.common.errors import MachineError
from desktop.hardware.drm_clients import own_use
from desktop.hardware.hwmon import Hwmon
from desktop.hardware.linux_live import LinuxLive
from desktop.hardware.live import CpuLive, GpuLive, MemoryLive, PowerLive
from desktop.hardware.live_sensors import NativeSensors, PsutilProcessor
from desktop.hardware.live_system import OtherLive
from desktop.hardware.machine import Memory
from desktop.hardware.nvidia_live import NvidiaLive
from desktop.hardware.own_processes import OwnProcesses, OwnUse
from desktop.hardware.pci import AMD, INTEL, NVIDIA
from desktop.hardware.rates import Rate
from desktop.hardware.sysfs_live import SysfsLive, nvidia_sleeps
from tests.hardware.trees import GIB, MIB, Tree

MEMORY = Memory(16 * GIB, 8 * GIB)
OWN = OwnUse((100,), 1.0, GIB, 0, 0)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_rate_needs_two_readings_and_survives_a_counter_that_begins_anew() -> None:
    rate = Rate()
    assert rate.per_s(100, 1.0) is None
    assert rate.per_s(160, 3.0) == 30
    assert rate.per_s(10, 4.0) is None
    assert rate.per_s(30, 5.0) == 20
    assert rate.per_s(None, 6.0) is None
    assert rate.per_s(50, 7.0) is None
    assert rate.per_s(60, 7.0) is None


def test_rate_of_a_counter_that_wraps() -> None:
    rate = Rate(wraps_at=1000)
    rate.per_s(990, 0.0)
    assert rate.per_s(10, 1.0) == 20


def test_intel_processor_by_its_package(tree: Tree) -> None:
    tree.write("sys/class/hwmon/hwmon0/name", "nvme")
    tree.write("sys/class/hwmon/hwmon0/temp1_input", 91000)
    tree.write("sys/class/hwmon/hwmon3/name", "coretemp")
    tree.write("sys/class/hwmon/hwmon3/temp1_input", 71000)
    tree.write("sys/class/hwmon/hwmon3/temp1_label", "Package id 0")
    tree.write("sys/class/hwmon/hwmon3/temp2_input", 78000)
    tree.write("sys/class/hwmon/hwmon3/temp2_label", "Core 0")
    assert Hwmon(tree.files).temperature_c() == 71.0


def test_amd_processor_and_a_sensor_that_tells_nonsense(tree: Tree) -> None:
    tree.write("sys/class/hwmon/hwmon1/name", "k10temp")
    tree.write("sys/class/hwmon/hwmon1/temp1_input", 62500)
    tree.write("sys/class/hwmon/hwmon1/temp1_label", "Tctl")
    sensors = Hwmon(tree.files)
    assert sensors.temperature_c() == 62.5
    tree.write("sys/class/hwmon/hwmon1/temp1_input", -128000)
    assert sensors.temperature_c() is None


def test_thermal_zone_where_there_is_no_chip(tree: Tree) -> None:
    tree.write("sys/class/thermal/thermal_zone0/type", "iwlwifi_1")
    tree.write("sys/class/thermal/thermal_zone0/temp", 40000)
    tree.write("sys/class/thermal/thermal_zone1/type", "x86_pkg_temp")
    tree.write("sys/class/thermal/thermal_zone1/temp", 55000)
    assert Hwmon(tree.files).temperature_c() == 55.0


def test_no_sensors_at_all(tree: Tree) -> None:
    sensors = Hwmon(tree.files)
    assert sensors.temperature_c() is None
    assert sensors.cpu_power_w(0.0) is None
    assert sensors.throttled(0.0) is None
    assert sensors.system_power_w() is None
    assert sensors.saving() is None


def test_power_of_the_packages_without_their_parts(tree: Tree) -> None:
    for name, label, energy in (
        ("intel-rapl:0", "package-0", 1_000_000),
        ("intel-rapl:0:0", "core", 900_000),
        ("intel-rapl:1", "psys", 5_000_000),
    ):
        tree.write(f"sys/class/powercap/{name}/name", label)
        tree.write(f"sys/class/powercap/{name}/energy_uj", energy)
        tree.write(f"sys/class/powercap/{name}/max_energy_range_uj", 262_143_328_850)
    sensors = Hwmon(tree.files)
    assert sensors.cpu_power_w(0.0) is None
    tree.write("sys/class/powercap/intel-rapl:0/energy_uj", 31_000_000)
    assert sensors.cpu_power_w(2.0) == 15.0


def test_throttling_is_what_was_counted_since_the_last_look(tree: Tree) -> None:
    name = "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"
    tree.write(name, 4)
    sensors = Hwmon(tree.files)
    assert sensors.throttled(0.0) is None
    assert sensors.throttled(1.0) is False
    tree.write(name, 6)
    assert sensors.throttled(2.0) is True


def test_computers_power_is_what_its_batteries_give(tree: Tree) -> None:
    tree.write("sys/class/power_supply/AC/type", "Mains")
    tree.write("sys/class/power_supply/BAT0/type", "Battery")
    tree.write("sys/class/power_supply/BAT0/status", "Discharging")
    tree.write("sys/class/power_supply/BAT0/power_now", 14_200_000)
    tree.write("sys/class/power_supply/BAT1/type", "Battery")
    tree.write("sys/class/power_supply/BAT1/status", "Discharging")
    tree.write("sys/class/power_supply/BAT1/current_now", 500_000)
    tree.write("sys/class/power_supply/BAT1/voltage_now", 12_000_000)
    tree.write("sys/class/power_supply/hidpp_0/type", "Battery")
    tree.write("sys/class/power_supply/hidpp_0/scope", "Device")
    tree.write("sys/class/power_supply/hidpp_0/status", "Discharging")
    tree.write("sys/class/power_supply/hidpp_0/power_now", 9_000_000)
    assert Hwmon(tree.files).system_power_w() == pytest.approx(20.2)
    tree.write("sys/class/power_supply/BAT0/status", "Charging")
    tree.write("sys/class/power_supply/BAT1/status", "Full")
    assert Hwmon(tree.files).system_power_w() is None


@pytest.mark.parametrize(("profile", "saves"), [("low-power", True), ("balanced", False)])
def test_firmwares_power_profile(tree: Tree, profile: str, saves: bool) -> None:
    tree.write("sys/firmware/acpi/platform_profile", profile)
    assert Hwmon(tree.files).saving() is saves


def amd_card(tree: Tree) -> str:
    folder = tree.pci("0000:03:00.0", AMD, 0x744C, driver="amdgpu", render=128)
    tree.write(f"{folder}/mem_info_vram_total", 24 * GIB)
    tree.write(f"{folder}/mem_info_vram_used", 6 * GIB)
    tree.write(f"{folder}/mem_info_gtt_total", 16 * GIB)
    tree.write(f"{folder}/mem_info_gtt_used", 300 * MIB)
    tree.write(f"{folder}/gpu_busy_percent", 42)
    tree.write(f"{folder}/hwmon/hwmon5/temp1_input", 61000)
    tree.write(f"{folder}/hwmon/hwmon5/power1_average", 120_000_000)
    tree.write(f"{folder}/hwmon/hwmon5/power1_cap", 300_000_000)
    return folder


def drm_file(tree: Tree, number: int, text: str, pid: int = 100) -> None:
    tree.link(f"proc/{pid}/fd/{number}", "/dev/dri/renderD128")
    tree.write(f"proc/{pid}/fdinfo/{number}", text)


CLIENT = """pos:\t0
drm-driver:\tamdgpu
drm-client-id:\t{client}
drm-pdev:\t0000:03:00.0
drm-total-vram0:\t9 MiB
drm-memory-vram:\t{vram} KiB
drm-memory-gtt:\t2048 KiB
drm-engine-gfx:\t{busy} ns
drm-engine-compute:\t0 ns
drm-engine-capacity-gfx:\t99999999999
"""


def test_amd_card_with_our_share_of_it(tree: Tree) -> None:
    amd_card(tree)
    drm_file(tree, 7, CLIENT.format(client=1, vram=4 * MIB, busy=1_000_000_000))
    drm_file(tree, 8, CLIENT.format(client=1, vram=4 * MIB, busy=1_000_000_000))
    drm_file(tree, 9, CLIENT.format(client=2, vram=1024, busy=5), pid=200)
    live = SysfsLive(tree.files, MEMORY)
    (first,) = live.sample((100,), 10.0)
    assert first.ours_load is None
    drm_file(tree, 10, CLIENT.format(client=3, vram=0, busy=250_000_000))
    (gpu,) = live.sample((100,), 11.0)
    assert gpu.total_bytes == 24 * GIB
    assert gpu.used_bytes == 6 * GIB
    assert gpu.ours_bytes == 4 * GIB  # each client once, by one kind of figure
    assert gpu.shared_bytes == 300 * MIB
    assert gpu.load == 0.42
    assert gpu.ours_load == 0.25
    assert (gpu.temperature_c, gpu.power_w, gpu.power_limit_w) == (61.0, 120.0, 300.0)


def test_sleeping_card_is_not_woken(tree: Tree) -> None:
    folder = amd_card(tree)
    live = SysfsLive(tree.files, MEMORY)
    tree.write(f"{folder}/power/runtime_status", "suspended")
    (gpu,) = live.sample((), 1.0)
    assert gpu.load == 0.0
    assert gpu.used_bytes is None
    assert gpu.temperature_c is None


def test_integrated_intel_tells_only_our_share(tree: Tree) -> None:
    tree.pci("0000:00:02.0", INTEL, 0x9A49, driver="i915", render=128)
    info = "drm-pdev: 0000:00:02.0\ndrm-client-id: 4\ndrm-resident-system0: 512 MiB\n"
    drm_file(tree, 5, info)
    (gpu,) = SysfsLive(tree.files, MEMORY).sample((100,), 1.0)
    assert gpu.ours_bytes == 512 * MIB
    assert gpu.used_bytes is None
    assert gpu.load is None


def test_files_that_are_no_gpus_and_lines_that_say_nothing(tree: Tree) -> None:
    tree.link("proc/100/fd/3", "/dev/null")
    drm_file(tree, 4, "drm-pdev:\ndrm-memory-vram: many KiB\n")
    drm_file(tree, 5, "drm-pdev: a\ndrm-memory-vram: many KiB\ndrm-engine-gfx: ns\n")
    assert own_use(tree.files, (100, 101))["a"].own_bytes == 0


class CountingNvidia(NvidiaLive):
    def __init__(self) -> None:
        super().__init__([])
        self.asked = self.paused = 0

    def sample(self, pids: Sequence[int]) -> tuple[GpuLive, ...]:
        assert tuple(pids) == OWN.pids
        self.asked += 1
        return (GpuLive("RTX"),)

    def pause(self) -> None:
        self.paused += 1


def test_nvidia_is_asked_unless_all_its_cards_sleep(tree: Tree) -> None:
    folder = tree.pci("0000:01:00.0", NVIDIA, 0x2684, driver="nvidia")
    nvidia = CountingNvidia()
    live = LinuxLive(tree.files, MEMORY, nvidia)
    assert [gpu.name for gpu in live.gpus(OWN, 1.0)] == ["RTX"]
    tree.write(f"{folder}/power/runtime_status", "suspended")
    assert nvidia_sleeps(tree.files)
    assert live.gpus(OWN, 2.0) == ()
    assert (nvidia.asked, nvidia.paused) == (1, 1)
    live.close()
    assert nvidia.paused == 2


def test_no_nvidia_no_child(tree: Tree) -> None:
    nvidia = CountingNvidia()
    live = LinuxLive(tree.files, MEMORY, nvidia)
    assert live.gpus(OWN, 1.0) == ()
    live.close()
    assert (nvidia.asked, nvidia.paused) == (0, 0)


def test_swapping_and_stalls(tree: Tree) -> None:
    tree.write("proc/meminfo", "MemTotal: 100 kB\nSwapTotal:  2048 kB\nSwapFree:   1024 kB")
    tree.write("proc/vmstat", "nr_free_pages 9\npswpin 100\npswpout 7")
    tree.write("proc/pressure/memory", "some avg10=12.50 avg60=1.0 total=9\nfull avg10=3.0 total=1")
    live = LinuxLive(tree.files, MEMORY)
    first = live.memory(1.0)
    assert (first.swap_total_bytes, first.swap_used_bytes) == (2 * MIB, MIB)
    assert first.stalled == 0.125
    assert first.swap_in_bytes_per_s is None
    tree.write("proc/vmstat", "pswpin 356\npswpout 7")
    second = live.memory(2.0)
    assert second.swap_in_bytes_per_s == 256 * 4096
    assert second.swap_out_bytes_per_s == 0


def test_a_proc_that_says_nothing(tree: Tree) -> None:
    tree.write("proc/meminfo", "SwapTotal: lots kB\nSwapFree")
    tree.write("proc/pressure/memory", "some avg10=often")
    live = LinuxLive(tree.files, MEMORY)
    assert live.memory(1.0) == MemoryLive()
    assert live.cpu(1.0) == CpuLive()
    assert live.power() == PowerLive()


def test_memory_adds_up_with_a_mapped_model() -> None:
    memory = MemoryLive(16 * GIB, 9 * GIB, 2 * GIB, 5 * GIB)
    assert memory.free_bytes == 4 * GIB
    assert memory.held_bytes == 7 * GIB
    assert memory.others_bytes == 5 * GIB
    assert MemoryLive(16 * GIB).others_bytes is None
    # More mapped than the system counts as available: nothing is negative.
    tight = MemoryLive(16 * GIB, GIB, 2 * GIB, 5 * GIB)
    assert (tight.free_bytes, tight.others_bytes) == (0, 9 * GIB)


class FakeSystem(OtherLive):
    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeProcessor:
    def __init__(self) -> None:
        self.now: tuple[float, float] | None = (0.0, 0.0)
        self.read: int | None = 0
        self.fed: tuple[float, bool | None, int | None] | None = (0.8, True, 3600)

    def times(self) -> tuple[float, float] | None:
        return self.now

    def read_bytes(self) -> int | None:
        return self.read

    def battery(self) -> tuple[float, bool | None, int | None] | None:
        return self.fed


class FakeOwn(OwnProcesses):
    def __init__(self) -> None:
        super().__init__(listing=lambda _: ())
        self.use = OWN

    def read(self) -> OwnUse:
        return self.use


def test_sample_puts_all_together(tmp_path: Path) -> None:
    system, processor, own = FakeSystem(), FakeProcessor(), FakeOwn()
    moment = [100.0]
    sensors = NativeSensors(
        tmp_path,
        lambda: MEMORY,
        system=system,
        own=own,
        processor=processor,
        clock=lambda: moment[0],
    )
    first = sensors.sample()
    assert first.cpu.load is None
    assert first.memory.total_bytes == 16 * GIB
    assert first.power == PowerLive(on_battery=True, battery=0.8, seconds_left=3600)
    assert first.disk.free_bytes
    cores = psutil.cpu_count() or 1
    moment[0] += 2.0
    processor.now, processor.read = (3.0, 4.0), 8_000_000
    own.use = OwnUse((100,), 1.0 + 0.5 * cores, GIB, GIB, 2_000_000)
    second = sensors.sample()
    assert second.cpu.load == 0.75
    assert second.cpu.ours == 0.25
    assert second.disk.read_bytes_per_s == 4_000_000
    assert second.disk.ours_read_bytes_per_s == 1_000_000
    assert second.memory.held_bytes == 2 * GIB
    sensors.close()
    assert system.closed


def test_memory_that_nobody_tells_leaves_our_own(tmp_path: Path) -> None:
    def unknown() -> Memory:
        raise MachineError("memory_unknown")

    processor = FakeProcessor()
    processor.now, processor.fed = None, None
    sensors = NativeSensors(
        tmp_path, unknown, system=FakeSystem(), own=FakeOwn(), processor=processor
    )
    sample = sensors.sample()
    assert sample.memory.total_bytes == 0
    assert sample.memory.ours_bytes == GIB
    assert sample.cpu.load is None
    assert sample.power.battery is None


def test_this_computer_for_real(tmp_path: Path) -> None:
    """Whatever this machine has: numbers in their bounds, and this process in its own share."""
    sensors = NativeSensors(tmp_path, lambda: Memory(psutil.virtual_memory().total))
    sensors.sample()
    deadline = time.monotonic() + 0.05
    while time.monotonic() < deadline:
        pass
    sample = sensors.sample()
    sensors.close()
    assert sample.cpu.ours is not None
    assert sample.cpu.load is not None
    assert 0 < sample.cpu.ours <= sample.cpu.load <= 1
    assert sample.memory.ours_bytes > 5 * MIB
    assert sample.disk.free_bytes


def test_own_processes_with_a_child_that_ends() -> None:
    class Child:
        pid = 4711
        alive = True

        def oneshot(self) -> Child:
            if not self.alive:
                raise psutil.NoSuchProcess(self.pid)
            return self

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

        def cpu_times(self) -> object:
            return type("T", (), {"user": 100.0, "system": 20.0})

        def memory_info(self) -> object:
            return type("M", (), {"rss": 5 * GIB, "shared": 4 * GIB})

    child = Child()
    own = OwnProcesses(listing=lambda _: [child])  # type: ignore[list-item]
    with_child = own.read()
    assert child.pid in with_child.pids
    assert with_child.mapped_bytes >= 4 * GIB
    child.alive = False
    without = own.read()
    assert child.pid not in without.pids
    assert without.cpu_s >= with_child.cpu_s
    assert without.mapped_bytes < 4 * GIB


def test_windows_counts_private_bytes() -> None:
    class Info:
        rss = 3 * GIB
        private = GIB

    class Fake:
        pid = 1

        def oneshot(self) -> Fake:
            return self

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

        def cpu_times(self) -> object:
            return type("T", (), {"user": 1.0, "system": 0.0})

        def memory_info(self) -> type[Info]:
            return Info

    own = OwnProcesses(this=Fake(), platform="win32", listing=lambda _: ())  # type: ignore[arg-type]
    use = own.read()
    assert (use.bytes, use.mapped_bytes, use.read_bytes) == (GIB, 2 * GIB, None)


def test_psutil_that_fails_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError

    for name in ("cpu_times", "disk_io_counters", "swap_memory"):
        monkeypatch.setattr(psutil, name, fail)
    monkeypatch.setattr(psutil, "sensors_battery", fail, raising=False)
    processor = PsutilProcessor()
    assert processor.times() is None
    assert processor.read_bytes() is None
    assert processor.battery() is None
    assert OtherLive().memory(1.0) == MemoryLive()


def test_psutil_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    class Battery:
        percent = 81.0
        secsleft = psutil.POWER_TIME_UNLIMITED
        power_plugged = True

    monkeypatch.setattr(psutil, "sensors_battery", lambda: Battery, raising=False)
    assert PsutilProcessor().battery() == (0.81, False, None)
