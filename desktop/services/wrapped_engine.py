"""An engine around another one: what it does not do otherwise, it hands on."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.engine.device_usage import DeviceUsage
from desktop.engine.engine import Engine, ModelInfo
from desktop.engine.request import Message, Rendered, Request
from desktop.engine.stream import Stream


class WrappedEngine:
    """See `Engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def info(self) -> ModelInfo:
        return self._engine.info

    def submit(self, request: Request) -> Stream:
        return self._engine.submit(request)

    def count_tokens(self, text: str) -> int:
        return self._engine.count_tokens(text)

    def render(
        self, messages: Sequence[Message], *, add_generation_prompt: bool = True
    ) -> Rendered:
        return self._engine.render(messages, add_generation_prompt=add_generation_prompt)

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        return self._engine.memory_usage()

    def close(self) -> None:
        self._engine.close()
