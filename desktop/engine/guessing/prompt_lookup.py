"""Guesses by looking back: what followed the last time that the same tokens stood here.

Pays where an answer repeats what was said before: code to be changed, a text to be corrected,
names, quotations, tables. A conversation is kept as a string of one character a token, so that
looking back runs in C: about 5 µs over 4,000 tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.engine.guessing.proposer import NO_GUESS, Guess, Read, Writer
from desktop.engine.model import Context, Model

SHORT, MIDDLE, LONG = range(3)
"""Kinds of guesses, by how many tokens before the place are the same."""

_LEAST_TOKENS = 3
_MIDDLE_TOKENS = 8
_LONG_TOKENS = 16
_CANDIDATES = 4
_LOOK_BACK_TOKENS = 1 << 14  # a search that finds nothing takes about 12 µs
_LEAST_BACK_TOKENS = 1 << 10
_MEDIA = 0x10FFFF  # the character of all that is no token: an image's positions are negative


@dataclass(slots=True)
class _History:
    """One sequence: `text` says `cached` and the token after it."""

    text: str = ""
    followed: int = -1  # the place whose character was guessed to come next, -1: none
    known: int = 0  # characters of `text` when it was guessed


class PromptLookup:
    """A `Proposer` that needs no memory of a device and no model."""

    def __init__(self, vocab_size: int) -> None:
        self._vocab_size = vocab_size
        self._histories: dict[int, _History] = {}

    @property
    def contexts(self) -> Sequence[tuple[Model, Context]]:
        return ()

    def begin(self, sequence: int, tokens: Sequence[int]) -> None:
        self._histories[sequence] = _History(_characters(tokens))

    def propose(self, writers: Sequence[Writer]) -> list[Guess]:
        # Several share the time that one may take.
        look_back = max(_LEAST_BACK_TOKENS, _LOOK_BACK_TOKENS // max(1, len(writers)))
        return [self._propose(writer, look_back) for writer in writers]

    def judged(self, sequence: int, proposed: int, accepted: int) -> None:
        """Nothing to learn: what held stands in the text by the next time."""

    def decoded(self, parts: Sequence[Read]) -> None:
        """The text is all that it reads."""

    def forget(self, sequence: int) -> None:
        self._histories.pop(sequence, None)

    def close(self) -> None:
        self._histories.clear()

    def _propose(self, writer: Writer, look_back: int) -> Guess:
        history = self._histories.get(writer.sequence)
        if history is None:
            history = self._histories[writer.sequence] = _History()
        text = _follow(history, writer)
        if writer.most <= 0:
            return NO_GUESS
        place = _place_after(history, text, look_back)
        history.followed, history.known = place, len(text)
        if place < 0:
            return NO_GUESS
        return Guess(self._tokens(text, place, writer.most), _kind(text, place))

    def _tokens(self, text: str, place: int, most: int) -> list[int]:
        """What followed; where that is the very end, it goes round: the text repeats itself."""
        found = text[place : place + most]
        if len(found) < most:
            found = (found * (most // len(found) + 1))[:most]
        tokens = list(map(ord, found))
        if max(tokens) >= self._vocab_size:  # an image stood there
            first = next(n for n, token in enumerate(tokens) if token >= self._vocab_size)
            return tokens[:first]
        return tokens


def _follow(history: _History, writer: Writer) -> str:
    """Bring the text up to date; only what is new is turned into characters."""
    cached, known = writer.cached, len(history.text)
    if known == len(cached) + 1 and history.text.endswith(chr(writer.last)):
        return history.text  # the last step was in vain
    if known > len(cached):  # cut short or begun anew without a word
        history.text, history.followed, known = "", -1, 0
    # Taken out of the object, so that Python lengthens it in place.
    text, history.text = history.text, ""
    text += _characters(cached[known:])
    text += chr(writer.last)
    history.text = text
    return text


def _place_after(history: _History, text: str, look_back: int) -> int:
    """Where the characters stand that may come next, within the last `look_back`; or -1."""
    end = len(text)
    if history.followed >= 0:
        # The last place still leads: all that was written since is what stands there.
        place = history.followed + end - history.known
        least = max(_LEAST_TOKENS, end - history.known)
        if place >= least and text.endswith(text[place - least : place]):
            return place
    if end <= _LEAST_TOKENS:
        return -1
    needle, start = text[-_LEAST_TOKENS:], max(0, end - look_back)
    best, best_alike, stop = -1, 0, end - 1
    for _ in range(_CANDIDATES):
        found = text.rfind(needle, start, stop)
        if found < 0:
            break
        alike = _alike(text, found + _LEAST_TOKENS)
        if alike > best_alike:
            best, best_alike = found + _LEAST_TOKENS, alike
        if alike >= _MIDDLE_TOKENS:
            break
        stop = found + _LEAST_TOKENS - 1
    return best


def _alike(text: str, place: int) -> int:
    """How many characters before `place` are those at the end, at most `_LONG_TOKENS`."""
    count = _LEAST_TOKENS
    limit = min(_LONG_TOKENS, place)
    end = len(text)
    while count < limit and text[place - count - 1] == text[end - count - 1]:
        count += 1
    return count


def _kind(text: str, place: int) -> int:
    if place >= _LONG_TOKENS and text.endswith(text[place - _LONG_TOKENS : place]):
        return LONG
    if place >= _MIDDLE_TOKENS and text.endswith(text[place - _MIDDLE_TOKENS : place]):
        return MIDDLE
    return SHORT


def _characters(tokens: Sequence[int]) -> str:
    try:
        return "".join(map(chr, tokens))
    except ValueError:
        return "".join([chr(token) if token >= 0 else chr(_MEDIA) for token in tokens])
