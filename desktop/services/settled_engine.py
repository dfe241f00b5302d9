"""An engine that answers as the settings of its model say, whoever asks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from desktop.engine.chat import Message, Rendered
from desktop.engine.engine import Engine, ModelInfo
from desktop.library.model_settings import ModelSettings
from desktop.services.model_settings import sampling_of
from desktop.services.wrapped_engine import WrappedEngine

_NO_SAMPLING: dict[str, Any] = {"context_tokens": None, "template": None, "system_prompt": None}


class SettledEngine(WrappedEngine):
    """See `Engine`. What is asked for explicitly (a system message, a sampling) wins.

    Sampling and system prompt are asked for at every answer: a change holds from the next one on.
    """

    def __init__(self, engine: Engine, settings: Callable[[], ModelSettings]) -> None:
        """`settings` never raises."""
        super().__init__(engine)
        self._settings = settings

    @property
    def info(self) -> ModelInfo:
        info, settings = self._engine.info, self._settings()
        if replace(settings, **_NO_SAMPLING) == ModelSettings():
            return info
        return replace(info, sampling=sampling_of(self._engine, settings))

    def render(
        self, messages: Sequence[Message], *, add_generation_prompt: bool = True
    ) -> Rendered:
        system = (self._settings().system_prompt or "").strip()
        if system and not any(message.role == "system" for message in messages):
            messages = [Message("system", system), *messages]
        return self._engine.render(messages, add_generation_prompt=add_generation_prompt)
