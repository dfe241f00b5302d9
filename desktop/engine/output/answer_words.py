"""The words that stand around an answer's text and are none of it: ``<|START_RESPONSE|>``."""

from __future__ import annotations

from collections.abc import Collection

from desktop.engine.output.calls import CallFormat
from desktop.engine.output.channels import ChannelCalls
from desktop.engine.output.frame import is_tag, words_of
from desktop.engine.output.samples import CONTENT, shared_words, without_thinking

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
    if not found:
        return ()
    dropped: list[str] = []
    if isinstance(calls, ChannelCalls):
        return ()
    shared = opening if before.startswith(opening) else _shared(opening, before)
    own = without_thinking(before.removeprefix(shared))
    if calls.primer and opening.endswith(calls.primer) and own.strip():
        dropped.append(calls.primer + own)
    elif words_of(own) and is_tag(words_of(own)[0]):
        dropped.append(own.strip())
    closing = shared_words(after, behind)
    if not closing and dropped and is_tag(own.lstrip()) and (words := words_of(after)):
        closes = is_tag(words[0]) and any(sign in words[0].lower() for sign in _ENDING)
        closing = words[0] if closes else ""
    if closing and not any(end in closing for end in ends):
        dropped.append(closing)
    return tuple(dropped)


def _shared(opening: str, before: str) -> str:
    """What both begin with, up to where a word ends."""
    place = 0
    for mine, other in zip(words_of(opening), words_of(before), strict=False):
        if mine != other:
            break
        place = before.index(other, place) + len(other)
    return before[:place]
