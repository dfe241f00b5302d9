"""Joules from counters that wrap, vanish and come back, and from a battery's drain."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from desktop.hardware.energy import Counted, EnergyReading, NativeEnergy
from desktop.hardware.energy_integral import LONGEST_GAP_S, Integral
from desktop.hardware.energy_linux import BatteryDrain, FileCounter, drain_w, linux_counters
from desktop.hardware.energy_nvidia import NvidiaCounter, total_joules
from desktop.hardware.energy_windows import BatteryState
from desktop.hardware.energy_windows import drain_w as windows_drain_w


def put(folder: Path, **files: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name).write_text(f"{value}\n")
    return folder


def counters(root: Path, *, with_gpu: bool = True) -> NativeEnergy:
    return NativeEnergy(
        linux_counters(
            with_gpu=with_gpu,
            powercap=root / "powercap",
            hwmon=root / "hwmon",
            supplies=root / "power_supply",
        )
    )


def test_a_computer_without_counters_tells_nothing(tmp_path: Path) -> None:
    assert counters(tmp_path).read() == EnergyReading()


def test_packages_and_their_memory_count_once(tmp_path: Path) -> None:
    cap = tmp_path / "powercap"
    for name, kind in (
        ("intel-rapl:0", "package-0"),
        ("intel-rapl:0:0", "core"),  # part of the package
        ("intel-rapl:0:1", "dram"),
        ("intel-rapl:1", "package-1"),
        ("intel-rapl:2", "psys"),  # all of it once more
    ):
        put(cap / name, name=kind, energy_uj=1_000_000, max_energy_range_uj=10_000_000)
    assert counters(tmp_path).read() == EnergyReading({"cpu": Counted(3.0)})


def test_a_counter_that_wraps_goes_on(tmp_path: Path) -> None:
    domain = put(tmp_path, energy_uj=9_500_000, max_energy_range_uj=10_000_000)
    counter = FileCounter(domain / "energy_uj", domain / "max_energy_range_uj")
    assert counter.joules() == pytest.approx(9.5)
    put(domain, energy_uj=500_000)
    assert counter.joules() == pytest.approx(10.5)


def test_a_counter_set_back_without_a_range_is_no_counter(tmp_path: Path) -> None:
    put(tmp_path, energy1_input=5_000_000)
    counter = FileCounter(tmp_path / "energy1_input")
    assert counter.joules() == 5.0
    put(tmp_path, energy1_input=4_000_000)
    assert counter.joules() is None


def test_only_graphics_chips_count_as_such(tmp_path: Path) -> None:
    put(tmp_path / "hwmon" / "hwmon0", name="i915", energy1_input=2_000_000)
    put(tmp_path / "hwmon" / "hwmon1", name="corsairpsu", energy1_input=9_000_000)
    assert counters(tmp_path).read() == EnergyReading({"gpu": Counted(2.0)})
    assert counters(tmp_path, with_gpu=False).read() == EnergyReading()


class Flaky:
    """A counter that is sometimes not there."""

    def __init__(self, *values: float | None) -> None:
        self._values = list(values)

    def joules(self) -> float | None:
        return self._values.pop(0)

    def close(self) -> None:
        self._values.clear()


def test_a_difference_over_a_gap_is_none() -> None:
    meter = NativeEnergy({"cpu": Flaky(1.0, None, 9.0, 10.0)})
    first, nothing, second, third = (meter.read() for _ in range(4))
    assert nothing.counted == {}
    assert second.since(first) == {}
    assert third.since(second) == {"cpu": 1.0}


@pytest.mark.parametrize(
    ("files", "watts"),
    [
        ({"status": "Discharging", "power_now": 12_500_000}, 12.5),
        ({"status": "Discharging", "power_now": -8_000_000}, 8.0),
        ({"status": "Discharging", "current_now": 1_000_000, "voltage_now": 11_000_000}, 11.0),
        ({"status": "Charging", "power_now": 12_500_000}, None),
        ({"status": "Discharging"}, None),
        ({"status": "Discharging", "power_now": "unknown"}, None),
    ],
    ids=str,
)
def test_what_leaves_a_battery(
    tmp_path: Path, files: dict[str, object], watts: float | None
) -> None:
    assert drain_w(put(tmp_path, **files)) == (None if watts is None else pytest.approx(watts))


def test_drain_is_power_times_time(tmp_path: Path) -> None:
    now = [0.0]
    battery = put(tmp_path / "BAT0", type="Battery", status="Discharging", power_now=10_000_000)
    drain = BatteryDrain([battery], Integral(lambda: now[0]))
    assert drain.joules() == 0.0
    now[0] = 2.0
    put(battery, power_now=20_000_000)
    assert drain.joules() == pytest.approx(30.0)  # 15 W for 2 s
    put(battery, status="Charging")
    assert drain.joules() is None


def test_nobody_knows_what_a_long_gap_took() -> None:
    now = [0.0]
    integral = Integral(lambda: now[0])
    integral.add(10.0)
    now[0] = LONGEST_GAP_S + 1
    assert integral.add(10.0) == 0.0
    now[0] += 1
    assert integral.add(10.0) == 10.0


def test_batteries_alone_are_batteries(tmp_path: Path) -> None:
    supplies = tmp_path / "power_supply"
    put(supplies / "AC", type="Mains", online=0)
    put(supplies / "BAT0", type="Battery", status="Discharging", power_now=5_000_000)
    assert counters(tmp_path).read() == EnergyReading({"battery": Counted(0.0)})


def test_windows_tells_milliwatts() -> None:
    state = BatteryState(battery_present=1, discharging=1, rate=-7_500)
    assert windows_drain_w(state) == 7.5
    assert windows_drain_w(BatteryState(battery_present=1, charging=1, rate=7_500)) is None
    unknown = BatteryState(battery_present=1, discharging=1, rate=-0x80000000)
    assert windows_drain_w(unknown) is None
    assert windows_drain_w(None) is None


def test_cards_that_count_are_summed() -> None:
    assert total_joules('[{"energy_mj": 1500}, {"energy_mj": null}, {"energy_mj": 500}]') == 2.0
    for line in ("[]", "nonsense", "{}", '[{"energy_mj": null}]', '[{"energy_mj": "9"}]', "[7]"):
        assert total_joules(line) is None


def child(answer: str) -> list[str]:
    """A child that answers every line with `answer`."""
    code = f"import sys\nfor _ in sys.stdin:\n    print({answer!r}, flush=True)"
    return [sys.executable, "-c", code]


def test_a_driver_is_asked_again_and_again() -> None:
    counter = NvidiaCounter(child(json.dumps([{"energy_mj": 2000}])))
    assert counter.joules() == 2.0
    assert counter.joules() == 2.0
    counter.close()


def test_a_driver_that_dies_is_no_counter() -> None:
    counter = NvidiaCounter([sys.executable, "-c", "pass"])
    assert [counter.joules() for _ in range(4)] == [None] * 4
    assert NvidiaCounter(["/nowhere/at/all"]).joules() is None
