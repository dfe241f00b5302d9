"""Guesses at the next tokens of an answer, which one step of the model then judges together.

A step over 1 + k tokens gives the logits after each of them. The request's own sampler goes
through these in order; while it takes the very token that was guessed, the next logits are right
too, and one step has written several tokens. What it samples is what it would have sampled
without guesses: they change the speed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from desktop.engine.model import Context, Model


@dataclass(slots=True)
class Writer:
    """A sequence that writes, as a step finds it.

    `cached` is all that the memory holds of it (the slot's own list: it grows between steps, and
    is for reading only), `last` the token sampled last, which comes next. `most` are the tokens
    that may be guessed behind it: what the answer and the context still have room for.
    """

    sequence: int
    request_id: str
    cached: list[int]
    last: int
    most: int


@dataclass(frozen=True, slots=True)
class Guess:
    """Tokens that may come after `Writer.last`; `kind` tells guesses of different worth apart."""

    tokens: Sequence[int]
    kind: int = 0


NO_GUESS = Guess(())


@dataclass(frozen=True, slots=True)
class Read:
    """A part of a step that was computed: tokens of one sequence in a row.

    `place` is that of the first one in the batch, `position` its position in the sequence.
    """

    sequence: int
    tokens: Sequence[int]
    position: int
    place: int


class Proposer(Protocol):
    """Guesses for sequences that write. For the engine's thread alone."""

    @property
    def contexts(self) -> Sequence[tuple[Model, Context]]:
        """What it holds of llama.cpp, for whoever counts memory."""
        ...

    def begin(self, sequence: int, tokens: Sequence[int]) -> None:
        """Another answer begins in `sequence`, after `tokens`."""
        ...

    def propose(self, writers: Sequence[Writer]) -> list[Guess]:
        """For each writer at most `most` tokens; `NO_GUESS` where nothing comes to mind."""
        ...

    def judged(self, sequence: int, proposed: int, accepted: int) -> None:
        """Of the tokens last proposed for `sequence` so many went into the step, and held."""
        ...

    def decoded(self, parts: Sequence[Read]) -> None:
        """A step of the model was computed; what it left in its context may be read now."""
        ...

    def forget(self, sequence: int) -> None:
        """The answer is over, and nothing of it may be kept."""
        ...

    def close(self) -> None:
        """Free what it holds of llama.cpp, before the model is freed."""
        ...
