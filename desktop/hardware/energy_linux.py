"""Linux: RAPL's counters (powercap), counters of graphics cards (hwmon), the battery's drain.

RAPL: microjoules that wrap at `max_energy_range_uj` (Documentation/power/powercap). Since 2020
most distributions let only root read them; then the processor's energy is unknown.
"""

from __future__ import annotations

from pathlib import Path

from desktop.hardware.energy import Counter, EnergySource
from desktop.hardware.energy_integral import Integral

_POWERCAP = Path("/sys/class/powercap")
_HWMON = Path("/sys/class/hwmon")
_SUPPLIES = Path("/sys/class/power_supply")
# Graphics drivers whose hwmon counts energy (i915 and xe: discrete cards).
_GRAPHICS = ("i915", "xe")
_MICRO = 1e-6


def linux_counters(
    *,
    with_gpu: bool,
    powercap: Path = _POWERCAP,
    hwmon: Path = _HWMON,
    supplies: Path = _SUPPLIES,
) -> dict[EnergySource, Counter]:
    """What this computer counts and this user may read."""
    found: dict[EnergySource, Counter] = {}
    domains = rapl_domains(powercap)
    if domains:
        found["cpu"] = Counters(domains)
    cards = [one for one in hwmon_counters(hwmon) if one.joules() is not None] if with_gpu else []
    if cards:
        found["gpu"] = Counters(cards)
    batteries = sorted(path for path in _folders(supplies) if _text(path / "type") == "Battery")
    if batteries:
        found["battery"] = BatteryDrain(batteries)
    return found


def rapl_domains(powercap: Path) -> list[FileCounter]:
    """The packages, and memory where it is not part of one; not the cores inside a package.

    The folders are named intel-rapl:N for packages (AMD's too) and intel-rapl:N:M inside them.
    """
    wanted = []
    for folder in _folders(powercap):
        name, depth = _text(folder / "name"), folder.name.count(":")
        if (depth == 1 and name.startswith("package")) or (depth == 2 and name == "dram"):
            counter = FileCounter(folder / "energy_uj", folder / "max_energy_range_uj")
            if counter.joules() is not None:
                wanted.append(counter)
    return wanted


def hwmon_counters(hwmon: Path) -> list[FileCounter]:
    """Of graphics cards alone: other chips count the same energy once more."""
    return [
        FileCounter(folder / "energy1_input")
        for folder in _folders(hwmon)
        if _text(folder / "name") in _GRAPHICS and (folder / "energy1_input").exists()
    ]


class FileCounter:
    """Microjoules in a file; one that is smaller than before has wrapped at `range_file`'s."""

    def __init__(self, path: Path, range_file: Path | None = None) -> None:
        self._path = path
        self._range = _number(range_file) if range_file is not None else None
        self._last: int | None = None
        self._wrapped = 0

    def joules(self) -> float | None:
        now = _number(self._path)
        if now is None:
            return None
        if self._last is not None and now < self._last:
            if self._range is None:
                return None  # set back: nobody knows by how much
            self._wrapped += self._range
        self._last = now
        return (self._wrapped + now) * _MICRO

    def close(self) -> None:
        """Nothing stays open."""


class Counters:
    """The sum of several; None as soon as one is gone."""

    def __init__(self, counters: list[FileCounter]) -> None:
        self._counters = counters

    def joules(self) -> float | None:
        total = 0.0
        for counter in self._counters:
            one = counter.joules()
            if one is None:
                return None
            total += one
        return total

    def close(self) -> None:
        """Nothing stays open."""


class BatteryDrain:
    """Power out of all batteries, summed over time; nothing while they are charged or full."""

    def __init__(self, batteries: list[Path], integral: Integral | None = None) -> None:
        self._batteries = batteries
        self._integral = integral or Integral()

    def joules(self) -> float | None:
        """None while nothing drains: then the wall feeds the computer, which nobody measures."""
        watts = [drain_w(path) for path in self._batteries]
        drained = [one for one in watts if one is not None]
        so_far = self._integral.add(sum(drained) if drained else None)
        return so_far if drained else None

    def close(self) -> None:
        """Nothing stays open."""


def drain_w(battery: Path) -> float | None:
    """Watts that leave the battery: power_now, or current_now times voltage_now (micro units)."""
    if _text(battery / "status") != "Discharging":
        return None
    power = _number(battery / "power_now")
    if power is not None:
        return abs(power) * _MICRO
    current, voltage = _number(battery / "current_now"), _number(battery / "voltage_now")
    if current is None or voltage is None:
        return None
    return abs(current) * _MICRO * voltage * _MICRO


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(parent.iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    try:
        return int(text)
    except ValueError:
        return None
