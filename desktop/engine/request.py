"""What somebody asks of an engine, as plain picklable data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from desktop.common.errors import RequestError

MAX_STOP_STRINGS = 64
MAX_STOP_CHARACTERS = 1024
MAX_SEED = 2**32 - 2
"""One below llama.cpp's LLAMA_DEFAULT_SEED, which means "random" there."""


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as one prompt, and the strings that end an answer to it."""

    prompt: str
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen: top-k, repeat penalty, top-p, min-p, temperature in turn.

    `temperature` 0 takes the likeliest token; `top_k` 0, `top_p` 1, `min_p` 0 and
    `repeat_penalty` 1 switch that step off; `seed` None is a new one for each request.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int | None = None

    def check(self) -> None:
        """Raise RequestError("bad_sampling") for a value that llama.cpp must not see."""
        _within("temperature", self.temperature, 0.0, 100.0)
        _whole("top_k", self.top_k, 0, 2**31 - 1)
        _within("top_p", self.top_p, 0.0, 1.0)
        _within("min_p", self.min_p, 0.0, 1.0)
        _within("repeat_penalty", self.repeat_penalty, 0.01, 100.0)
        if self.seed is not None:
            _whole("seed", self.seed, 0, MAX_SEED)


@dataclass(frozen=True, slots=True)
class Request:
    """One answer wanted. `max_tokens` None writes until the model ends or the context is full.

    `conversation` names the chat, so that its next turn finds its own sequence again;
    of two waiting requests the one with the higher `priority` goes first.
    """

    id: str
    prompt: str
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    conversation: str = ""
    priority: int = 0
    ignore_eos: bool = False

    def check(self) -> None:
        """Raise RequestError for parameters out of range; the prompt's length is checked later.

        Types are checked too: requests come from JSON and pipes, and a wrong type that reaches
        llama.cpp's bindings would end the engine's thread.
        """
        for name, value in (("id", self.id), ("prompt", self.prompt)):
            if not isinstance(value, str):
                raise RequestError("bad_request", name=name)
        self.sampling.check()
        _whole("priority", self.priority, -(2**31), 2**31)
        if self.max_tokens is not None:
            _whole("max_tokens", self.max_tokens, 0, 2**31 - 1)
        if len(self.stop) > MAX_STOP_STRINGS:
            raise RequestError("too_many_stop_strings", limit=MAX_STOP_STRINGS)
        if not all(_is_stop_string(text) for text in self.stop):
            raise RequestError("bad_stop_string", limit=MAX_STOP_CHARACTERS)


def _is_stop_string(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= MAX_STOP_CHARACTERS


def _whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise RequestError("bad_sampling", name=name, value=str(value), low=low, high=high)


def _within(name: str, value: object, low: float, high: float) -> None:
    number = value if isinstance(value, int | float) else math.nan
    if not math.isfinite(number) or not low <= number <= high:
        raise RequestError("bad_sampling", name=name, value=str(value), low=low, high=high)
