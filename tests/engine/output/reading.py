"""Answers read by a parser, in one piece or in many."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from desktop.engine.chat import Tool
from desktop.engine.constraint import Gate
from desktop.engine.events import Reasoning, Text
from desktop.engine.output.answer import AnswerParser, answer_parser
from desktop.engine.output.output_format import OutputFormat
from desktop.engine.output.parser import Piece

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "exact": {"type": "boolean"},
        "ratio": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "more": {"type": "object"},
        "nothing": {"type": "null"},
        "note": {"type": "string"},
    },
}
TOOLS = (
    Tool("get_weather", "The weather", SCHEMA),
    Tool("get_weather_now", "The weather now", SCHEMA),
    Tool("ping", "Nothing", {"type": "object", "properties": {}}),
)


@dataclass(frozen=True)
class Read:
    """What came out; `calls` are (name, arguments) as text."""

    text: str
    reasoning: str
    calls: tuple[tuple[str, str], ...]


def parser(
    output: OutputFormat,
    *,
    gate: Gate | None = None,
    tools: Sequence[Tool] = TOOLS,
    parallel: bool = True,
    prompt_end: str = "",
) -> AnswerParser:
    numbers = itertools.count()
    return answer_parser(
        "1",
        output,
        gate,
        tools,
        parallel=parallel,
        prompt_end=prompt_end,
        new_id=lambda: f"call_{next(numbers)}",
    )


def read(made: AnswerParser, portions: Iterable[str]) -> Read:
    pieces: list[Piece] = []
    for portion in portions:
        pieces += made.feed(portion)
    pieces += made.finish()
    return joined(pieces)


def joined(pieces: Sequence[Piece]) -> Read:
    text, reasoning = "", ""
    calls: dict[int, tuple[str, str]] = {}
    for piece in pieces:
        if isinstance(piece, Text):
            text += piece.text
        elif isinstance(piece, Reasoning):
            reasoning += piece.text
        else:
            assert bool(piece.id) == (piece.index not in calls), "one id, with the first piece"
            name, arguments = calls.get(piece.index, ("", ""))
            calls[piece.index] = (name + piece.name, arguments + piece.arguments)
    return Read(text, reasoning, tuple(calls[index] for index in sorted(calls)))


def cuts(text: str, dice: random.Random) -> Iterable[list[str]]:
    """The text whole, letter by letter, and cut at random places."""
    yield [text]
    yield list(text)
    for _ in range(3):
        places = sorted(dice.sample(range(len(text) + 1), min(len(text), dice.randint(1, 9))))
        yield [text[a:b] for a, b in itertools.pairwise([0, *places, len(text)])]
