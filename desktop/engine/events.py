"""What a stream of an answer tells, as plain picklable data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from desktop.common.errors import Param

FinishReason = Literal["stop", "length", "cancelled", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Stats:
    """What an answer took. `cached_tokens` of `prompt_tokens` were not read again.

    `first_token_s` counts from submission and so holds the time spent waiting for a free
    sequence; `prompt_s` and `generation_s` count the reading and the writing alone.
    `reasoning_tokens` are part of `completion_tokens`. Of `draft_tokens` guessed ahead,
    `accepted_tokens` held. `energy_j` joules as `energy_method` tells, None where nobody measures.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    prompt_s: float = 0.0
    generation_s: float = 0.0
    first_token_s: float = 0.0
    context_tokens_used: int = 0
    context_tokens: int = 0
    reasoning_tokens: int = 0
    draft_tokens: int = 0
    accepted_tokens: int = 0
    restored: Literal["", "memory", "disk"] = ""
    energy_j: float | None = None
    energy_method: str = ""

    @property
    def prompt_tokens_per_s(self) -> float:
        """Speed of reading the part of the prompt that was not cached; 0 where nothing was read."""
        read_tokens = self.prompt_tokens - self.cached_tokens
        return read_tokens / self.prompt_s if self.prompt_s > 0 else 0.0

    @property
    def energy_wh(self) -> float | None:
        """Watt-hours; None where nobody measures."""
        return None if self.energy_j is None else self.energy_j / 3600

    @property
    def tokens_per_s(self) -> float:
        """Speed of writing; the first token belongs to the reading, so it does not count."""
        written = self.completion_tokens - 1
        return written / self.generation_s if self.generation_s > 0 and written > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Started:
    """The request got a sequence; `cached_tokens` of its prompt need no reading.

    `left_out` are the places of the messages that did not fit (only where the request allowed
    that), `first_kept` where the rest begins: to be handed in with the next turn.
    """

    request_id: str
    prompt_tokens: int
    cached_tokens: int
    left_out: tuple[int, ...] = ()
    first_kept: int = 0


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
class Reasoning:
    """What the model thinks before it answers."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A piece of a call while it is written: `id` and `name` come with its first piece alone.

    `index` counts the calls of one answer; the pieces of `arguments` together are JSON text.
    """

    request_id: str
    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class TokenChance:
    """A token, the bytes it writes and its natural log probability."""

    token: int
    raw: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenChances:
    """A written token with the likeliest ones at its place, the likeliest first.

    Comes where the request asked for `logprobs`, before the text that it is part of.
    `of_prompt` marks the tokens of an echoed prompt; the first one has no chance (0.0).
    """

    request_id: str
    token: TokenChance
    top: tuple[TokenChance, ...] = ()
    of_prompt: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """`stop_string` is the one that ended the answer, empty where the model did."""

    request_id: str
    reason: FinishReason
    stats: Stats
    stop_string: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The request ended without a whole answer; `kind` and `params` as in `HausgeistError`."""

    request_id: str
    kind: str
    params: Mapping[str, Param] = field(default_factory=dict)
    detail: str = ""


Event = (
    Started | PromptProgress | Text | Reasoning | ToolCallPart | TokenChances | Finished | Failed
)
EndEvent = Finished | Failed
