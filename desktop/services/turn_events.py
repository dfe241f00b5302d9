"""What a running turn tells its listener; plain data, delivered on the pump thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from desktop.chats.model import TurnState
from desktop.common.errors import Param
from desktop.engine.events import FinishReason, Stats


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The engine began to read the prompt; `left_out_turns` oldest turns did not fit into it."""

    turn_id: int
    prompt_tokens: int
    cached_tokens: int
    left_out_turns: int = 0


@dataclass(frozen=True, slots=True)
class TurnProgress:
    """Reading of the prompt: `done` of `total` tokens."""

    turn_id: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class TurnText:
    """The next piece of the answer."""

    turn_id: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnReasoning:
    """The next piece of what the model thinks before it answers."""

    turn_id: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The last event of every turn.

    `state` is the stored turn's: complete, stopped or failed; `reason` "length" means that the
    answer was cut because its room was used up. A complete answer may still carry an error: it
    stands in the window but could not be written to the disk.
    """

    turn_id: int
    state: TurnState
    stats: Stats | None = None
    error_kind: str = ""
    error_params: Mapping[str, Param] = field(default_factory=dict)
    reason: FinishReason | None = None


TurnEvent = TurnStarted | TurnProgress | TurnText | TurnReasoning | TurnEnded
TurnListener = Callable[[TurnEvent], None]
