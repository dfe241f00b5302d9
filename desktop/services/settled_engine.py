"""An engine that answers as the settings of its model say, whoever asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from desktop.engine.chat import Chat, Rendered
from desktop.engine.engine import Engine, ModelInfo
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from desktop.library.model_settings import ModelSettings
from desktop.services.model_settings import sampling_of
from desktop.services.wrapped_engine import WrappedEngine

_NO_SAMPLING: dict[str, Any] = dict.fromkeys(
    ("context_tokens", "template", "system_prompt", "reasoning")
)


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

    def submit(self, request: Request) -> Stream:
        if request.chat is not None:
            request = replace(request, chat=self._settled(request.chat))
        return self._engine.submit(request)

    def render(self, chat: Chat) -> Rendered:
        return self._engine.render(self._settled(chat))

    def _settled(self, chat: Chat) -> Chat:
        settings = self._settings()
        system = (settings.system_prompt or "").strip()
        if system and not chat.default_system:
            chat = replace(chat, default_system=system)
        if settings.reasoning and chat.reasoning == "auto" and not chat.reasoning_effort:
            chat = replace(chat, reasoning=settings.reasoning)
        return chat
