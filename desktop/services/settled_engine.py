"""An engine that answers as the settings of its model say, whoever asks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from desktop.engine.device_usage import DeviceUsage
from desktop.engine.engine import Engine, ModelInfo
from desktop.engine.request import Message, Rendered, Request
from desktop.engine.stream import Stream
from desktop.library.model_settings import ModelSettings
from desktop.services.model_settings import sampling_of


class SettledEngine:
    """See `Engine`. What is asked for explicitly (a system message, a sampling) wins."""

    def __init__(self, engine: Engine, settings: ModelSettings) -> None:
        self._engine = engine
        self._system = (settings.system_prompt or "").strip()
        self._info = replace(engine.info, sampling=sampling_of(engine, settings))

    @property
    def info(self) -> ModelInfo:
        return self._info

    def submit(self, request: Request) -> Stream:
        return self._engine.submit(request)

    def count_tokens(self, text: str) -> int:
        return self._engine.count_tokens(text)

    def render(
        self, messages: Sequence[Message], *, add_generation_prompt: bool = True
    ) -> Rendered:
        if self._system and not any(message.role == "system" for message in messages):
            messages = [Message("system", self._system), *messages]
        return self._engine.render(messages, add_generation_prompt=add_generation_prompt)

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        return self._engine.memory_usage()

    def close(self) -> None:
        self._engine.close()


def settled(engine: Engine, settings: ModelSettings) -> Engine:
    """`engine` itself where its model has no settings of its own."""
    plain = replace(settings, context_tokens=None, template=None) == ModelSettings()
    return engine if plain else SettledEngine(engine, settings)
