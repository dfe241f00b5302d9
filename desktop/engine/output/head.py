"""What stands between a call's name and its arguments: words, an id, a number."""

from __future__ import annotations

import re

from desktop.engine.output.frame import Hole, words_of
from desktop.engine.output.source import Reading, Source

_ID = re.compile(r"[A-Za-z0-9_.:\-]*")
_NUMBER = re.compile(r"[0-9]*")

Parts = tuple[str | Hole, ...]


def learn_head(head: str, other: str, ids: tuple[str, str]) -> tuple[Parts, int]:
    """`head` of a first call with holes where `other`, a second one's, says something else.

    With the number that the first call has, where they are numbered.
    """
    number = 0
    digits = re.search(r"\d+", head.replace(ids[0], "#" * len(ids[0])))
    others = re.search(r"\d+", other.replace(ids[1], "#" * len(ids[1])))
    marks: list[tuple[int, int, Hole]] = []
    if digits and others and digits.group() != others.group():
        number = int(digits.group())
        marks.append((digits.start(), digits.end(), Hole.NUMBER))
    if (place := head.find(ids[0])) >= 0:
        marks.append((place, place + len(ids[0]), Hole.ID))
    return with_holes(head, marks), number


def with_holes(text: str, marks: list[tuple[int, int, Hole]]) -> Parts:
    """`text` with a hole in the place of each marked stretch."""
    parts: list[str | Hole] = []
    at = 0
    for place, end, hole in sorted(marks, key=lambda mark: mark[0]):
        parts += [text[at:place], hole]
        at = end
    parts.append(text[at:])
    return tuple(part for part in parts if part)


def read_head(source: Source, parts: Parts, start: int) -> Reading[str | None]:
    """Read the words between a name, which began at `start`, and the arguments.

    The call's id, which a number behind the name is part of; None where no word was found.
    """
    call_id, found, wanted = "", 0, 0
    for part in parts:
        if isinstance(part, str):
            words = words_of(part)
            wanted += len(words)
            found += yield from source.take_words(words)
        elif part is Hole.ID:
            call_id = yield from source.take_run(_ID)
        elif part is Hole.NUMBER and (yield from source.take_run(_NUMBER)):
            call_id = source.since(start)
    return None if wanted and not found else call_id
