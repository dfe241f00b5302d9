"""The child's job behind `pool_devices`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from desktop.common.errors import EngineError
from desktop.engine import rpc
from desktop.engine.llama import llama


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    order = next(messages)
    engine = llama()
    if "RPC" not in engine.backends():
        answer({"error": "no_rpc", "detail": ""})
        return
    before = {device.name for device in engine.devices()}
    try:
        rpc.connect(engine, [order["server"]])
    except EngineError as error:
        answer({"error": "pool_server_unusable", "detail": error.detail})
        return
    found = [device for device in engine.devices() if device.name not in before]
    answer({"devices": [asdict(device) for device in found]})
