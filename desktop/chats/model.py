"""What a chat and its turns are, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from desktop.common.errors import Param

NO_PARAMS: Mapping[str, Param] = MappingProxyType({})
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

    `created_at` is seconds since 1970, `seconds` how long the answer took. `error_kind` and
    `error_params` are those of the HausgeistError that ended a failed turn. `reasoning` is what the
    model thought before its answer.
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
    error_params: Mapping[str, Param] = field(default_factory=lambda: NO_PARAMS, hash=False)
    reasoning: str = ""
