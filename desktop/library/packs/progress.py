"""How far a pack is, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["hashing", "writing", "reading", "checking", "placing"]


@dataclass(frozen=True, slots=True)
class PackProgress:
    """`name` is the file that is worked on; `left_s` None where nobody can say."""

    state: State
    name: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float = 0.0
    left_s: float | None = None


OnProgress = Callable[[PackProgress], None]
