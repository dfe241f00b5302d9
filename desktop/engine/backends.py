"""What llama.cpp's backends find on this machine."""

from __future__ import annotations

from desktop.common.errors import EngineError
from desktop.engine.llama import llama
from desktop.engine.process import ChildDiedError, open_child
from desktop.hardware.machine import Device, EngineInfo


def report() -> EngineInfo:
    """Version, backends and devices, asked in this process: a driver may hang or take it down."""
    engine = llama()
    return EngineInfo(engine.version, engine.backends(), engine.devices())


def report_in_child(timeout_s: float = 5.0) -> EngineInfo:
    """The same from a child, so that a broken driver costs at most `timeout_s`.

    Raises EngineError("backends_died") or EngineError("backends_hang").
    """
    with open_child("report") as child:
        try:
            found = child.receive(timeout_s)
        except ChildDiedError as death:
            raise EngineError("backends_died", detail=str(death)) from death
    if found is None:
        raise EngineError("backends_hang", timeout_s=timeout_s)
    devices = tuple(Device(**device) for device in found["devices"])
    return EngineInfo(found["version"], tuple(found["backends"]), devices)
