"""The child's job behind `measure_kernels`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from desktop.common.errors import EngineError
from desktop.engine.ggml import Backend
from desktop.engine.kernel_timing import Measurement
from desktop.engine.llama import llama
from desktop.engine.rpc import connect


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    order = next(messages)
    try:
        connect(llama(), order["servers"])
        with Backend(llama(), order["device"], order["threads"]) as backend:
            measurement = Measurement(
                backend,
                order["threads"],
                order["weights_bytes"],
                order["seconds"],
                tuple(order["types"]),
                in_processor_time=order["in_processor_time"],
            )
            speed = measurement.run(lambda so_far: answer({"so_far": so_far.to_json()}))
            answer({"speed": speed.to_json()})
    except EngineError as error:
        answer({"error": error.kind, "params": dict(error.params)})
