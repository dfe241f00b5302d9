"""The fixed words around a call, with holes for what changes."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop.engine.chat import ToolCall

_WORD = re.compile(
    r"\]<\][^\[\]<>]*\[>\[|<\|\w+\|>\w*<\|sep\|>|<[^<>\s]*>?|\[/?[A-Z_]+\]|(?:(?!\]<\])[^\s<\[])+|\[|<"
)
_TAG = re.compile(r"\]?<[^<>\s]|\[/?[A-Z_]{3,}\]|>>>")


class Hole(enum.Enum):
    NAME = "name"
    ARGUMENTS = "arguments"
    ID = "id"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Frame:
    """`before` the first call, `core` of each, `between` two of them, `after` the last.

    `first_number` is what the first call's NUMBER says.
    """

    before: str
    core: tuple[str | Hole, ...]
    between: str
    after: str
    first_number: int = 0

    @property
    def literals(self) -> tuple[str, ...]:
        fixed = [part for part in self.core if isinstance(part, str)]
        return tuple(text for text in (self.before, *fixed, self.between, self.after) if text)

    def write(self, calls: Sequence[ToolCall], arguments: Callable[[ToolCall], str]) -> str:
        cores: list[str] = []
        for number, call in enumerate(calls, self.first_number):
            values = {
                Hole.NAME: call.name,
                Hole.ARGUMENTS: arguments(call),
                Hole.ID: call.id,
                Hole.NUMBER: str(number),
            }
            parts = [values[part] if isinstance(part, Hole) else part for part in self.core]
            cores.append("".join(parts))
        return self.before + self.between.join(cores) + self.after if cores else ""


def words_of(text: str) -> tuple[str, ...]:
    """`text` without white space, cut where models may write some."""
    return tuple(_WORD.findall(text))


def is_tag(word: str) -> bool:
    """Whether a word is so unusual that it may announce a call anywhere in an answer."""
    return _TAG.match(word) is not None


def triggers_of(before: str) -> tuple[str, ...]:
    """The words of `before` that a call may begin with."""
    words = words_of(before)
    tags = tuple(word for word in words if is_tag(word))
    if tags and not is_tag(words[0]):
        # Plain words before the first tag belong to it.
        return (before[: before.index(tags[0]) + len(tags[0])].strip(),)
    return tags or words[:1]
