"""How fast this machine's devices compute, measured through ggml itself in child processes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from desktop.common.errors import MachineError
from desktop.common.logs import get_logger
from desktop.engine.backends import report_in_child
from desktop.engine.kernel_types import WEIGHT_TYPES
from desktop.engine.process import Child, ChildDiedError
from desktop.hardware.speeds import DeviceSpeed, speed_from_json

MEASURING_S = 1.8
"""What measuring one device takes at most, the first seconds of its driver apart."""

CPU = "CPU"

_LEAST_WEIGHTS = 48 << 20
_MOST_WEIGHTS = 256 << 20
_CACHES_OVER = 1.5  # the weights are so many times the last cache

_log = get_logger("engine")


def measure_kernels(
    threads: int,
    timeout_s: float,
    devices: tuple[str, ...] | None = None,
    *,
    cache_bytes: int | None = None,
    types: tuple[str, ...] = WEIGHT_TYPES,
    in_processor_time: bool = False,
    servers: tuple[str, ...] = (),
    seconds: float = MEASURING_S,
) -> tuple[DeviceSpeed, ...]:
    """Speeds of `devices` (None: all that the backends find), the processor with `threads`.

    One device after the other, each in a child of its own: one whose driver crashes, or is not
    through within `timeout_s`, has no figures and costs the others nothing. `cache_bytes` is
    the processor's last cache, where it is known. `in_processor_time`: one thread, and only the
    time counts in which it ran, for busy machines. `servers` are llama.cpp's RPC servers, whose
    devices are ``RPC0``...; `seconds` is what each device may be measured for. Raises EngineError
    for what starts no child.
    """
    names = devices
    if names is None:
        names = tuple(device.name for device in report_in_child(timeout_s).devices)
    orders = (
        {
            "device": name,
            "threads": 1 if in_processor_time else max(1, threads),
            "weights_bytes": _weights_bytes(name, cache_bytes),
            "seconds": min(seconds, timeout_s / 2),
            "types": list(types),
            "in_processor_time": in_processor_time,
            "servers": list(servers),
        }
        for name in names
    )
    found = (_measure(order, timeout_s) for order in orders)
    return tuple(speed for speed in found if speed is not None)


def _measure(order: Mapping[str, Any], timeout_s: float) -> DeviceSpeed | None:
    name = order["device"]
    so_far: object = None
    deadline_s = time.monotonic() + timeout_s
    with Child("kernels") as child:
        try:
            child.send(order)
            while answer := child.receive(max(0.0, deadline_s - time.monotonic())):
                so_far = answer.get("speed", answer.get("so_far"))
                if "so_far" not in answer:
                    break
        except ChildDiedError as death:
            _log.warning("measuring %s ended: %s", name, death)
            return None
    if so_far is None:
        problem = "no figures in time" if answer is None else answer.get("error", "no figures")
        _log.warning("measuring %s failed: %s", name, problem)
        return None
    try:
        # A device too slow for the rest has shown that by its first figures.
        return speed_from_json(so_far)
    except MachineError as error:  # figures that no device has
        _log.warning("measuring %s gave nonsense: %s", name, error)
        return None


def _weights_bytes(name: str, cache_bytes: int | None) -> int:
    if name != CPU or cache_bytes is None:
        return _MOST_WEIGHTS if name != CPU else _LEAST_WEIGHTS
    return min(max(int(_CACHES_OVER * cache_bytes), _LEAST_WEIGHTS), _MOST_WEIGHTS)
