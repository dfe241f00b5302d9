"""What a chat and its turns are, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant", "system"]
TurnState = Literal["complete", "streaming", "stopped", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation; `head` is the last turn of the branch that is shown (None: empty)."""

    id: str
    title: str
    created_at: float
    updated_at: float
    model: str
    head: int | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. Turns of a chat form a tree by `parent_id`: a second answer is a sibling.

    `created_at` is seconds since 1970, `seconds` how long the answer took.
    """

    id: int
    chat_id: str
    parent_id: int | None
    role: Role
    text: str
    state: TurnState
    model: str
    created_at: float
    prompt_tokens: int
    completion_tokens: int
    tokens_per_s: float | None
    seconds: float | None
    error_kind: str = ""
