"""Ask NVIDIA's management library again and again. Runs in a child process, as `nvml.py` does.

`python -m desktop.hardware.nvml_live` answers each line on its standard input with one JSON line,
and ends with its input. `nvidia_live.py` starts and reads it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO, TypedDict, TypeVar

T = TypeVar("T")

# nvmlClocksEventReasons: software and hardware thermal slowdown, hardware slowdown, power brake.
_TOO_HOT_OR_STARVED = 0x20 | 0x40 | 0x08 | 0x80


class NvmlLive(TypedDict):
    """One card now; a number that the driver does not tell is None."""

    name: str
    key: str
    total_bytes: int | None
    used_bytes: int | None
    load_percent: int | None
    temperature_c: int | None
    power_mw: int | None
    power_limit_mw: int | None
    throttle: int | None
    energy_mj: int | None  # since the driver was loaded; newer cards count it
    processes: list[tuple[int, int]]  # process id, bytes


def cards(nvml: Any, handles: Sequence[Any]) -> list[NvmlLive]:
    """What every card does at this moment."""
    return [_card(nvml, handle) for handle in handles]


def _card(nvml: Any, handle: Any) -> NvmlLive:
    def ask(call: Callable[[], T]) -> T | None:
        try:
            return call()
        except nvml.NVMLError:
            return None  # each value is missing on some card or system

    memory = ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    load = ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
    reasons = ask(lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle))
    return NvmlLive(
        name=_text(ask(lambda: nvml.nvmlDeviceGetName(handle)) or ""),
        key=_text(ask(lambda: nvml.nvmlDeviceGetUUID(handle)) or ""),
        total_bytes=None if memory is None else int(memory.total),
        used_bytes=None if memory is None else int(memory.used),
        load_percent=None if load is None else int(load.gpu),
        temperature_c=ask(
            lambda: int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        ),
        power_mw=ask(lambda: int(nvml.nvmlDeviceGetPowerUsage(handle))),
        power_limit_mw=ask(lambda: int(nvml.nvmlDeviceGetEnforcedPowerLimit(handle))),
        throttle=None if reasons is None else int(reasons) & _TOO_HOT_OR_STARVED,
        energy_mj=ask(lambda: int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))),
        processes=_processes(ask(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle)) or ()),
    )


def _processes(found: Sequence[Any]) -> list[tuple[int, int]]:
    """Windows' display driver manages memory itself and tells NVML no sizes."""
    return [(int(p.pid), int(p.usedGpuMemory)) for p in found if p.usedGpuMemory]


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def serve(nvml: Any, requests: TextIO, answers: TextIO) -> None:
    """Answer until the requests end; NVML's refusal at the start is one empty answer each."""
    handles: list[Any] = []
    try:
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError:
        handles = []
    for _ in requests:
        answers.write(json.dumps(cards(nvml, handles)) + "\n")
        answers.flush()


def main() -> None:
    import pynvml

    serve(pynvml, sys.stdin, sys.stdout)
    os._exit(0)  # without the farewells of the driver's library, which can hang


if __name__ == "__main__":
    main()
