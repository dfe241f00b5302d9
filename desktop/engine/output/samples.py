"""Recorded calls with known words, written by a template, to be looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desktop.common.errors import TemplateError
from desktop.engine.chat import ToolCall
from desktop.engine.output.frame import words_of
from desktop.engine.output.json_text import written

Writes = Callable[[str, Sequence[ToolCall]], str]
"""What the template writes behind the user's text for an assistant's content and calls.

No generation prompt. Raises TemplateError where the template refuses.
"""

CONTENT = "qcontentq"
NAMES = ("qtoolaq", "qtoolbq")
IDS = ("qIdentA01", "qIdentB02")
KEYS = ("qkeyaq", "qkeybq")
INNER = "qinnerq"
ARGUMENTS: Mapping[str, Any] = {KEYS[0]: "qwordaq", KEYS[1]: "qwordbq"}
TYPED: Mapping[str, Any] = {
    "string": "qwordaq",
    "number": 77017,
    "boolean": True,
    "null": None,
    "object": {INNER: 1},
    "array": [77017],
}
LONGEST = 1 << 15
"""Characters of a turn with a small call: what is longer comes from a template that plays."""
QUOTED = "it's"
MARKED = "a<b\nc"
_TOKEN = re.compile(r"\]<\][^\[\]<>]*\[>\[|<\|\w+\|>\w*<\|sep\|>|<[^<>\s]*>|\[/?[A-Z_]+\]|\w+|>+")
_THINKING = re.compile(r"think|inner_", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Samples:
    """Calls as the template writes them, without the turn's own beginning and end.

    `one` has both arguments, `two` are two such calls ("" where the template cannot), `none` is
    a call without arguments. `whole` is `one` with the turn around it.
    """

    plain: str
    whole: str
    one: str
    two: str
    none: str
    _writes: Writes
    _header: str
    _tail: str

    def with_value(self, value: object) -> str:
        """A call with one argument of this value; empty where the template refuses it."""
        call = ToolCall(IDS[0], NAMES[0], written({KEYS[0]: value}))
        return _inner(_try(self._writes, "", (call,)), self._header, self._tail)

    def behind_text(self) -> str:
        """What is written between a text and the name of a call behind it; empty if nothing."""
        call = ToolCall(IDS[0], NAMES[0], written(ARGUMENTS))
        text = _try(self._writes, CONTENT, (call,))
        behind = text.partition(CONTENT)[2]
        return behind.partition(NAMES[0])[0] if NAMES[0] in behind else ""


def take_samples(writes: Writes, endings: Callable[[str], Collection[str]]) -> Samples | None:
    """None where the template does not write calls. `endings`: see `learn_output`."""
    first, second = (ToolCall(IDS[place], NAMES[place], written(ARGUMENTS)) for place in range(2))
    one = _try(writes, "", (first,))
    if NAMES[0] not in one or KEYS[0] not in one:
        return None
    plain = _try(writes, CONTENT, ())
    header = _shared_beginning(plain.partition(CONTENT)[0] + CONTENT, one)
    tail = _shared_end(plain.partition(CONTENT)[2], one)
    two = _try(writes, "", (first, second))
    none = _try(writes, "", (ToolCall(IDS[0], NAMES[0], "{}"),))
    ends = tuple(endings(one[len(header) :]))
    tail = _from_end(one, ends) or tail
    inner = [_inner(text, header, tail) for text in (one, two, none)]
    if NAMES[1] not in inner[1] or NAMES[0] not in inner[1]:
        inner[1] = ""
    return Samples(plain, one, inner[0], inner[1], inner[2], writes, header, tail)


def plain_answer(writes: Writes) -> str:
    """An answer without calls."""
    return _try(writes, CONTENT, ())


def shared_words(first: str, second: str) -> str:
    """The words that both begin with, as the first writes them."""
    place = 0
    for mine, other in zip(words_of(first), words_of(second), strict=False):
        if mine != other:
            break
        place = first.index(mine, place) + len(mine)
    return first[:place].strip()


def without_thinking(before: str) -> str:
    """What stands before a call without the tags of reasoning, which belong to nobody here."""
    words = words_of(before)
    last = max((place for place, word in enumerate(words) if _THINKING.search(word)), default=-1)
    if last < 0:
        return before
    end = 0
    for word in words[: last + 1]:
        end = before.index(word, end) + len(word)
    return before[end:]


def _try(writes: Writes, content: str, calls: Sequence[ToolCall]) -> str:
    try:
        written = writes(content, calls)
        return written if len(written) <= LONGEST else ""
    except TemplateError as error:
        if error.kind == "template_too_slow":
            raise
        return ""


def _inner(text: str, header: str, tail: str) -> str:
    return text.removeprefix(header).removesuffix(tail) if text.startswith(header) else ""


def _from_end(text: str, ends: Collection[str]) -> str:
    """`text` from the first word on, behind the call's arguments, that ends an answer."""
    start = text.rfind(str(ARGUMENTS[KEYS[1]]))
    places = [place for end in ends if (place := text.find(end, start)) >= 0]
    return text[min(places) :] if start >= 0 and places else ""


def _shared_beginning(plain: str, called: str) -> str:
    """What both begin with, no word cut in half."""
    length = 0
    for one, other in zip(plain, called, strict=False):
        if one != other:
            break
        length += 1
    for match in _TOKEN.finditer(called):
        if match.start() < length < match.end():
            length = match.start()
    return called[:length]


def _shared_end(plain: str, called: str) -> str:
    """What both end with, no word cut in half."""
    length = 0
    for one, other in zip(reversed(plain), reversed(called), strict=False):
        if one != other:
            break
        length += 1
    start = len(called) - length
    for match in _TOKEN.finditer(called):
        if match.start() < start < match.end():
            start = match.end()
    return called[start:]
