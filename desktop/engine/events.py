"""What a stream of an answer tells, as plain picklable data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from desktop.common.errors import Param

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Stats:
    """What an answer took. `cached_tokens` of `prompt_tokens` were not read again.

    `first_token_s` counts from submission and so holds the time spent waiting for a free
    sequence; `prompt_s` and `generation_s` count the reading and the writing alone.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    prompt_s: float = 0.0
    generation_s: float = 0.0
    first_token_s: float = 0.0
    context_tokens_used: int = 0
    context_tokens: int = 0

    @property
    def prompt_tokens_per_s(self) -> float:
        """Speed of reading the part of the prompt that was not cached; 0 where nothing was read."""
        read_tokens = self.prompt_tokens - self.cached_tokens
        return read_tokens / self.prompt_s if self.prompt_s > 0 else 0.0

    @property
    def tokens_per_s(self) -> float:
        """Speed of writing; the first token belongs to the reading, so it does not count."""
        written = self.completion_tokens - 1
        return written / self.generation_s if self.generation_s > 0 and written > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Started:
    """The request got a sequence; `cached_tokens` of its prompt need no reading."""

    request_id: str
    prompt_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class PromptProgress:
    request_id: str
    done_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True)
class Text:
    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    request_id: str
    reason: FinishReason
    stats: Stats


@dataclass(frozen=True, slots=True)
class Failed:
    """The request ended without a whole answer; `kind` and `params` as in `HausgeistError`."""

    request_id: str
    kind: str
    params: Mapping[str, Param] = field(default_factory=dict)
    detail: str = ""


Event = Started | PromptProgress | Text | Finished | Failed
EndEvent = Finished | Failed
