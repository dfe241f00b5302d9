"""The child's job behind `rehearse`: take buffers until there are enough, or no more."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

from desktop.common.errors import EngineError
from desktop.engine import rpc
from desktop.engine.llama import llama

_STEPS = 64
_LEAST_STEP_BYTES = 1 << 20


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    order = next(messages)
    engine = llama()
    pointer = ctypes.c_void_p
    buffer_type = engine.ggml("ggml-base", "ggml_backend_dev_buffer_type", pointer, pointer)
    allocate = engine.ggml(
        "ggml-base", "ggml_backend_buft_alloc_buffer", pointer, pointer, ctypes.c_size_t
    )
    try:
        rpc.connect(engine, order["servers"])
    except EngineError:
        answer({"event": "done"})  # its devices have given nothing
        return
    for name, wanted in order["wanted"].items():
        device = engine.find_device(name)
        if device is None:
            continue
        kind, given = buffer_type(device), 0
        step = max(_LEAST_STEP_BYTES, wanted // _STEPS)
        # Never given back: this process ends soon, and until then no device may count them free.
        while given < wanted and step >= _LEAST_STEP_BYTES:
            size = min(step, wanted - given)
            if not allocate(kind, size):
                step //= 2
                continue
            given += size
            answer({"event": "given", "device": name, "given_bytes": given})
    answer({"event": "done"})
