"""A request that is ready for the engine's thread: words are tokens, wishes are checked."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.engine.constraint import Budget, Gate, Grammar
from desktop.engine.media.media import MediaChunk
from desktop.engine.output.parser import OutputParser
from desktop.engine.request import Request


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `Preparer.prepare` makes of a request, in the caller's thread.

    `tokens` has one entry for each position of the prompt, negative ones inside of `media` (in
    their order there). `text` is the prompt as text, "" where that is not known to the letter.
    `stop` are the request's own strings and those of the chat's format. `parser` reads the
    answer in the reader's thread; of the control tokens, which write nothing else, it is shown
    those in `shown` as text. `left_out` and `first_kept` are places of the chat's messages, for
    `Started`.
    """

    request: Request
    tokens: list[int]
    text: str = ""
    stop: tuple[str, ...] = ()
    grammar: Grammar | None = None
    gate: Gate | None = None
    budget: Budget | None = None
    parser: OutputParser | None = None
    shown: frozenset[int] = frozenset()
    media: tuple[MediaChunk, ...] = ()
    left_out: tuple[int, ...] = ()
    first_kept: int = 0
