"""Ask NVIDIA's management library (NVML). Runs in a child process: drivers hang and crash.

`python -m desktop.hardware.nvml` prints one JSON document; `nvidia.py` starts and reads it.
"""

from __future__ import annotations

import json
import os
from typing import Any, TypedDict


class NvmlCard(TypedDict):
    """One card; a missing number is None, `error` is NVML's word for a card that did not answer."""

    name: str
    total_bytes: int | None
    free_bytes: int | None
    compute_capability: str
    error: str


class NvmlAnswer(TypedDict):
    """`code` is NVML's return code, 0 for success; `detail` what it said."""

    code: int
    detail: str
    driver: str
    cards: list[NvmlCard]


def ask(nvml: Any) -> NvmlAnswer:
    """All cards through the module `nvml` (pynvml); NVML's errors become its `code`."""
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return NvmlAnswer(code=int(error.value), detail=str(error), driver="", cards=[])
    try:
        driver = _text(nvml.nvmlSystemGetDriverVersion())
        cards = [_card(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError as error:
        return NvmlAnswer(code=int(error.value), detail=str(error), driver="", cards=[])
    # No nvmlShutdown: the process ends now, and shutting down is one more call that can hang.
    return NvmlAnswer(code=0, detail="", driver=driver, cards=cards)


def _card(nvml: Any, index: int) -> NvmlCard:
    card = NvmlCard(name="", total_bytes=None, free_bytes=None, compute_capability="", error="")
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        card["name"] = _text(nvml.nvmlDeviceGetName(handle))
        major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
        card["compute_capability"] = f"{major}.{minor}"
    except nvml.NVMLError as error:
        card["error"] = str(error)
        return card
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        card["total_bytes"], card["free_bytes"] = int(memory.total), int(memory.free)
    except nvml.NVMLError as error:
        # Chips that share main memory (Jetson, GB10) have none of their own to report.
        if error.value != nvml.NVML_ERROR_NOT_SUPPORTED:
            card["error"] = str(error)
    return card


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def main() -> None:
    import pynvml

    print("\n" + json.dumps(ask(pynvml)), flush=True)  # noqa: T201  (the child's one answer)
    # Without the farewells of the driver's library, which can hang as well.
    os._exit(0)


if __name__ == "__main__":
    main()
