"""Windows' performance counters, with the instances' names as Windows writes them."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.hardware import windows_counters as counters
from desktop.hardware.dxgi import Adapter
from desktop.hardware.live import GpuLive
from desktop.hardware.nvidia_live import NvidiaLive
from desktop.hardware.own_processes import OwnUse
from desktop.hardware.windows_counters import Values
from desktop.hardware.windows_live import WindowsLive
from tests.hardware.trees import GIB, MIB

RTX = Adapter("NVIDIA GeForce RTX 4070 Laptop GPU", 0x10DE, 1, 8 * GIB, 16 * GIB, 0xE4B2)
IRIS = Adapter("Intel(R) Iris(R) Xe Graphics", 0x8086, 2, 128 * MIB, 8 * GIB, 1 << 32 | 0xD2A1)
SOFTWARE = Adapter("Microsoft Basic Render Driver", 0x1414, 3, 0, 8 * GIB, 9, is_software=True)
ADAPTERS = (RTX, IRIS, SOFTWARE)
ON_RTX, ON_IRIS = "luid_0x00000000_0x0000E4B2_phys_0", "luid_0x00000001_0x0000D2A1_phys_0"
OWN = OwnUse((100, 101), 1.0, GIB, 0, 0)

VALUES: Values = {
    counters.ADAPTER_OWN: [(ON_RTX, 7.0 * GIB), (ON_IRIS, 100.0 * MIB), ("garbage", 1.0)],
    counters.ADAPTER_SHARED: [(ON_RTX, 1.0 * GIB), (ON_IRIS, 900.0 * MIB)],
    counters.PROCESS_OWN: [
        (f"pid_100_{ON_RTX}", 4.0 * GIB),
        (f"pid_101_{ON_RTX}", 1.0 * GIB),
        (f"pid_4242_{ON_RTX}", 2.0 * GIB),
    ],
    counters.PROCESS_SHARED: [(f"pid_100_{ON_RTX}", 0.75 * GIB), (f"pid_9_{ON_IRIS}", 1.0 * GIB)],
    counters.ENGINE_LOAD: [
        (f"pid_100_{ON_RTX}_eng_0_engtype_3D", 10.0),
        (f"pid_100_{ON_RTX}_eng_3_engtype_Compute 0", 55.0),
        (f"pid_4242_{ON_RTX}_eng_3_engtype_Compute 0", 60.0),
        (f"pid_4242_{ON_IRIS}_eng_0_engtype_3D", 12.0),
    ],
    counters.PAGES_IN: [("", 1000.0)],
    counters.LIMIT: [("_Total", 100.0)],
}


class FakeCounters:
    def __init__(self) -> None:
        self.values = VALUES
        self.closed = False

    def collect(self) -> Values:
        return self.values

    def close(self) -> None:
        self.closed = True


class FakeNvidia(NvidiaLive):
    def __init__(self) -> None:
        super().__init__([])
        self.paused = False

    def sample(self, pids: Sequence[int]) -> tuple[GpuLive, ...]:
        assert pids == OWN.pids
        return (GpuLive(RTX.name, "GPU-1", 8 * GIB, 6 * GIB, None, load=0.9, temperature_c=70.0),)

    def pause(self) -> None:
        self.paused = True


def test_cards_and_integrated_graphics_with_our_share() -> None:
    rtx, iris = counters.gpus(VALUES, ADAPTERS, OWN.pids)
    assert (rtx.total_bytes, rtx.used_bytes, rtx.ours_bytes) == (8 * GIB, 7 * GIB, 5 * GIB)
    assert rtx.shared_bytes == round(0.75 * GIB)
    assert (rtx.load, rtx.ours_load) == (1.0, 0.55)  # 115 % on one engine
    # Its memory is main memory: what is shared is what it uses.
    assert iris.total_bytes == 128 * MIB + 8 * GIB
    assert (iris.used_bytes, iris.ours_bytes, iris.shared_bytes) == (1000 * MIB, 0, None)
    assert iris.load == 0.12


def test_counters_that_are_missing_leave_everything_open() -> None:
    rtx, _ = counters.gpus({}, ADAPTERS, OWN.pids)
    assert rtx == GpuLive(RTX.name, "e4b2", 8 * GIB)
    assert counters.swap_rates({}) == (None, None)
    assert counters.throttled({}) is None


def test_paging_and_the_performance_limit() -> None:
    assert counters.swap_rates(VALUES) == (4_096_000.0, None)
    assert counters.throttled(VALUES) is False
    assert counters.throttled({counters.LIMIT: [("_Total", 62.0)]}) is True


def test_heat_and_power_come_from_nvml_and_sizes_from_windows() -> None:
    source, nvidia = FakeCounters(), FakeNvidia()
    live = WindowsLive(source, ADAPTERS, lambda: True, nvidia)
    assert live.cpu(1.0).throttled is False
    assert live.memory(1.0).swap_in_bytes_per_s == 4_096_000.0
    rtx, iris = live.gpus(OWN, 1.0)
    assert (rtx.ours_bytes, rtx.used_bytes, rtx.temperature_c) == (5 * GIB, 6 * GIB, 70.0)
    assert iris.temperature_c is None
    assert live.power().saving is True
    live.close()
    assert source.closed
    assert nvidia.paused


def test_windows_without_counters() -> None:
    live = WindowsLive(None, (IRIS,), lambda: None)
    live.cpu(1.0)
    assert live.gpus(OWN, 1.0) == (GpuLive(IRIS.name, "10000d2a1", 128 * MIB + 8 * GIB),)
    live.close()
