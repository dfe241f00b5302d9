"""Windows: what leaves the battery, as the system reports it."""

from __future__ import annotations

import ctypes
from typing import Any

from desktop.hardware.energy_integral import Integral

_SYSTEM_BATTERY_STATE = 5  # POWER_INFORMATION_LEVEL
_UNKNOWN_RATE = -0x80000000
_MILLI = 1e-3


class BatteryState(ctypes.Structure):
    """SYSTEM_BATTERY_STATE of winnt.h."""

    _fields_ = (
        ("ac_on_line", ctypes.c_ubyte),
        ("battery_present", ctypes.c_ubyte),
        ("charging", ctypes.c_ubyte),
        ("discharging", ctypes.c_ubyte),
        ("spare", ctypes.c_ubyte * 3),
        ("tag", ctypes.c_ubyte),
        ("max_capacity", ctypes.c_uint32),
        ("remaining_capacity", ctypes.c_uint32),
        ("rate", ctypes.c_int32),
        ("estimated_time", ctypes.c_uint32),
        ("default_alert_1", ctypes.c_uint32),
        ("default_alert_2", ctypes.c_uint32),
    )


class WindowsBattery:
    """Milliwatts out of the batteries, summed over time."""

    def __init__(self, integral: Integral | None = None) -> None:
        self._integral = integral or Integral()

    def joules(self) -> float | None:
        """None while nothing drains them."""
        watts = drain_w(_state())
        so_far = self._integral.add(watts)
        return None if watts is None else so_far

    def close(self) -> None:
        """Nothing stays open."""


def drain_w(state: BatteryState | None) -> float | None:
    """Watts; the rate is negative while a battery is discharged."""
    if state is None or not (state.battery_present and state.discharging):
        return None
    if state.rate == _UNKNOWN_RATE or state.rate == 0:
        return None
    return float(abs(state.rate)) * _MILLI


def _state() -> BatteryState | None:
    library: Any = getattr(ctypes, "WinDLL", None)
    if library is None:
        return None
    state = BatteryState()
    call = library("powrprof").CallNtPowerInformation
    code: int = call(_SYSTEM_BATTERY_STATE, None, 0, ctypes.byref(state), ctypes.sizeof(state))
    return state if code == 0 else None
