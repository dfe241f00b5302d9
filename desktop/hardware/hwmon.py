"""Linux' sensors below /sys: temperatures, power, throttling. Most need no rights, RAPL does."""

from __future__ import annotations

from desktop.hardware.files import Files
from desktop.hardware.rates import Rate

_HWMON = "/sys/class/hwmon"
_THERMAL = "/sys/class/thermal"
_POWERCAP = "/sys/class/powercap"
_SUPPLIES = "/sys/class/power_supply"
_THROTTLED = "/sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count"
_PROFILE = "/sys/firmware/acpi/platform_profile"
_SAVING_PROFILES = ("low-power", "quiet", "cool")

# Drivers of processors' own sensors, and the input that stands for the whole package.
_CPU_CHIPS = {
    "coretemp": ("Package id",),
    "k10temp": ("Tctl", "Tdie"),
    "zenpower": ("Tdie", "Tctl"),
    "cpu_thermal": (),
    "soc_thermal": (),
    "scpi_sensors": (),
}
_CPU_ZONES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc-thermal", "acpitz")


class Hwmon:
    """The processor's and the computer's sensors; found once, read again and again."""

    def __init__(self, files: Files | None = None) -> None:
        self._files = files or Files()
        self._temperatures = self._find_chips() or self._find_zones()
        self._packages = self._find_packages()
        self._throttled = Rate()

    def temperature_c(self) -> float | None:
        """The hottest processor package."""
        found = [self._files.number_or_none(name) for name in self._temperatures]
        known = [value / 1000 for value in found if value is not None]
        plausible = [value for value in known if 0 < value < 150]
        return max(plausible, default=None)

    def cpu_power_w(self, at: float) -> float | None:
        """All processor packages together, since the last call (RAPL counts microjoules)."""
        total: float | None = None
        for name, rate in self._packages:
            watts = rate.per_s(self._files.number_or_none(f"{name}/energy_uj"), at)
            if watts is not None:
                total = (total or 0.0) + watts / 1e6
        return total

    def throttled(self, at: float) -> bool | None:
        """Whether the processor slowed down for its heat since the last call; Intel's tell it."""
        count = self._files.number_or_none(_THROTTLED)
        grown = self._throttled.per_s(count, at)
        return None if grown is None else grown > 0

    def system_power_w(self) -> float | None:
        """What the batteries give: the whole computer's power while it runs on them."""
        total: float | None = None
        for name in self._files.names(_SUPPLIES):
            folder = f"{_SUPPLIES}/{name}"
            if self._files.text_or(f"{folder}/type") != "Battery":
                continue
            if self._files.text_or(f"{folder}/scope") == "Device":  # a mouse's, a headset's
                continue
            if self._files.text_or(f"{folder}/status") != "Discharging":
                continue
            if (watts := self._battery_w(folder)) is not None:
                total = (total or 0.0) + watts
        return total

    def saving(self) -> bool | None:
        """Whether the firmware's profile saves power; None where it has none."""
        profile = self._files.text_or(_PROFILE)
        return profile in _SAVING_PROFILES if profile else None

    def _battery_w(self, folder: str) -> float | None:
        power = self._files.number_or_none(f"{folder}/power_now")
        if power is not None:
            return abs(power) / 1e6
        current = self._files.number_or_none(f"{folder}/current_now")
        voltage = self._files.number_or_none(f"{folder}/voltage_now")
        return None if current is None or voltage is None else abs(current) * voltage / 1e12

    def _find_chips(self) -> list[str]:
        found: list[str] = []
        for name in self._files.names(_HWMON):
            folder = f"{_HWMON}/{name}"
            wanted = _CPU_CHIPS.get(self._files.text_or(f"{folder}/name"))
            if wanted is None:
                continue
            inputs = [
                entry.removesuffix("_input")
                for entry in self._files.names(folder)
                if entry.startswith("temp") and entry.endswith("_input")
            ]
            labels = {entry: self._files.text_or(f"{folder}/{entry}_label") for entry in inputs}
            whole = [entry for entry in inputs if wanted and labels[entry].startswith(wanted)]
            found += [f"{folder}/{entry}_input" for entry in whole or inputs]
        return found

    def _find_zones(self) -> list[str]:
        zones = {
            self._files.text_or(f"{_THERMAL}/{name}/type"): f"{_THERMAL}/{name}/temp"
            for name in self._files.names(_THERMAL)
            if name.startswith("thermal_zone")
        }
        return [zones[kind] for kind in _CPU_ZONES if kind in zones][:1]

    def _find_packages(self) -> list[tuple[str, Rate]]:
        found: list[tuple[str, Rate]] = []
        for name in self._files.names(_POWERCAP):
            folder = f"{_POWERCAP}/{name}"
            if name.count(":") == 1 and self._files.text_or(f"{folder}/name").startswith("package"):
                wraps = self._files.number_or_none(f"{folder}/max_energy_range_uj")
                found.append((folder, Rate(wraps)))
        return found
