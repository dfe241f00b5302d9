"""Whether the machine runs on its battery: then it computes slower and not for long."""

from __future__ import annotations

import psutil


def on_battery() -> bool | None:
    """None where there is no battery, or nothing tells (psutil then lacks the call or fails)."""
    read = getattr(psutil, "sensors_battery", None)
    if read is None:
        return None
    try:
        battery = read()
    except (OSError, ValueError, RuntimeError, psutil.Error):
        return None
    plugged = None if battery is None else battery.power_plugged
    return None if plugged is None else not plugged
