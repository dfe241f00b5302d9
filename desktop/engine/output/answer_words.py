"""The words that stand around an answer's text and are none of it: ``<|START_RESPONSE|>``."""

from __future__ import annotations

import re
from collections.abc import Collection

from desktop.engine.output.calls import CallFormat
from desktop.engine.output.channels import ChannelCalls
from desktop.engine.output.frame import is_tag, words_of
from desktop.engine.output.samples import CONTENT, shared_words, without_thinking

_LONGEST = 2048
_ENDING = ("end", "/", "close", "suffix")


def answer_words(
    plain: str, behind: str, opening: str, calls: CallFormat, ends: Collection[str] = ()
) -> tuple[str, ...]:
    """Words to drop from an answer.

    `plain` is an answer with `CONTENT` as the template writes it, `behind` what stands between
    such a text and a call, `opening` what a generation prompt writes before an answer. `ends`
    are words that end an answer anyway.
    """
    before, found, after = plain.partition(CONTENT)
    if not found or isinstance(calls, ChannelCalls):
        return ()
    opening, before = opening[-_LONGEST:], before[-_LONGEST:]
    dropped: list[str] = []
    begun = _begun(opening, before)
    own = without_thinking(before[begun:]) if begun else ""
    if calls.primer and opening.endswith(calls.primer) and own.strip():
        dropped.append(calls.primer + own)
    elif (words := words_of(own)) and is_tag(words[0]):
        dropped.append(own.strip())
        if len(words) > 1 and is_tag(words[-1]):
            dropped.append(own.strip().removesuffix(words[-1]).strip())  # before calls
    closing = shared_words(after, behind)
    if not closing and dropped and is_tag(own.lstrip()) and (words := words_of(after)):
        closes = is_tag(words[0]) and any(sign in words[0].lower() for sign in _ENDING)
        closing = words[0] if closes else ""
    if closing and not any(end in closing for end in ends):
        dropped.append(closing)
        # Where messages within an answer have an end, another one may begin.
        header = before[:begun].strip().removeprefix(closing).lstrip()
        if is_tag(header) and without_thinking(header) == header:
            dropped.append(header)
    return tuple(dropped)


def _begun(opening: str, before: str) -> int:
    """How much of `before` a generation prompt has written; it may say more in front of that."""
    places = [match.start() for match in re.finditer(r"[<\[]|(?<=\s)\S|>>>|^", opening)]
    return max(_shared(opening[place:], before) for place in places)


def _shared(opening: str, before: str) -> int:
    """How much of `before` both begin with, up to where a word ends."""
    if before.startswith(opening):
        return len(opening)
    place = 0
    for mine, other in zip(words_of(opening), words_of(before), strict=False):
        if mine != other:
            break
        place = before.index(other, place) + len(other)
    return place
