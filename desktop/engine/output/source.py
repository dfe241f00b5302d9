"""Text that arrives in portions, read by ordinary recursive code that waits where it must.

A reader is a generator: it yields a piece to hand it out, and None where it needs more text.
Whatever it decides it decides from text that is there or from the end of all text, never from
where a portion happened to end; so any cut of the text gives the same pieces.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterable
from typing import TypeVar

from desktop.engine.output.parser import Piece

T = TypeVar("T")
Reading = Generator[Piece | None, None, T]

_WORTH_CUTTING = 4096
_SPACE = re.compile(r"\s*")


class Words:
    """Words to look for in text, none the beginning of another (the shorter one counts)."""

    def __init__(self, words: Iterable[str]) -> None:
        kept: list[str] = []
        for word in sorted({word for word in words if word}, key=len):
            if not any(word.startswith(shorter) for shorter in kept):
                kept.append(word)
        self.words = tuple(kept)
        self._pattern = re.compile("|".join(re.escape(word) for word in kept) or r"(?!)")
        self._beginnings = {word[:end] for word in kept for end in range(1, len(word))}
        self._longest = max((len(word) for word in kept), default=0)

    def search(self, text: str, start: int) -> re.Match[str] | None:
        return self._pattern.search(text, start)

    def held(self, text: str, start: int) -> int:
        """Where the longest end of `text` begins that may become a word; its length for none."""
        for length in range(min(len(text) - start, self._longest - 1), 0, -1):
            if text[-length:] in self._beginnings:
                return len(text) - length
        return len(text)


class Source:
    """The text of one answer. `place` counts from its beginning; `cut` forgets what was read."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._dropped = 0
        self._ended = False

    # -- the writer's side -------------------------------------------------------------------

    def add(self, text: str) -> None:
        self._text += text

    def end(self) -> None:
        self._ended = True

    # -- the reader's side -------------------------------------------------------------------

    @property
    def place(self) -> int:
        return self._dropped + self._at

    def back(self, place: int) -> None:
        """Read again from `place`, which must not have been cut."""
        assert place >= self._dropped
        self._at = place - self._dropped

    def cut(self) -> None:
        """Forget what was read: nobody goes back before here."""
        if self._at < _WORTH_CUTTING or 2 * self._at < len(self._text):
            return  # each cut copies the rest
        self._dropped += self._at
        self._text = self._text[self._at :]
        self._at = 0

    def since(self, place: int) -> str:
        """What was read from `place` on."""
        return self._text[place - self._dropped : self._at]

    def more(self) -> Reading[bool]:
        """Wait for text; False when there will be none."""
        if self._ended:
            return False
        yield None
        return True

    def over(self) -> Reading[bool]:
        """Whether nothing follows."""
        while self._at == len(self._text):
            if not (yield from self.more()):
                return True
        return False

    def peek(self) -> Reading[str]:
        """The next character, unread; empty at the end."""
        return "" if (yield from self.over()) else self._text[self._at]

    def starts(self, word: str) -> Reading[bool]:
        """Whether `word` comes next, unread."""
        while True:
            here = self._text[self._at : self._at + len(word)]
            if here == word:
                return True
            if not word.startswith(here) or not (yield from self.more()):
                return False

    def take(self, word: str) -> Reading[bool]:
        """Read `word` if it comes next."""
        found = yield from self.starts(word)
        if found:
            self._at += len(word)
        return found

    def take_any(self, words: Collection[str]) -> Reading[str]:
        """Read the longest of `words` that comes next; empty for none."""
        longest = max((len(word) for word in words), default=0)
        while True:
            here = self._text[self._at : self._at + longest]
            undecided = any(len(word) > len(here) and word.startswith(here) for word in words)
            if not undecided or not (yield from self.more()):
                break
        fitting = [word for word in words if word and here.startswith(word)]
        found = max(fitting, key=len, default="")
        self._at += len(found)
        return found

    def take_run(self, pattern: re.Pattern[str]) -> Reading[str]:
        """Read as long as `pattern` (any number of characters of one class) matches."""
        start = self._at
        while True:
            match = pattern.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not (yield from self.more()):
                return self._text[start : self._at]

    def space(self) -> Reading[str]:
        """Read white space."""
        return (yield from self.take_run(_SPACE))

    def take_words(self, words: Iterable[str]) -> Reading[int]:
        """Read those of `words` that come next in their order, with white space before each.

        The number of words found; space behind the last stays unread.
        """
        found = 0
        for word in words:
            place = self.place
            yield from self.space()
            if (yield from self.take(word)):
                found += 1
            else:
                self.back(place)
        return found

    def take_until(self, words: Words) -> Reading[tuple[str, str]]:
        """A portion of text that none of `words` begins in, and the word behind it, unread.

        No word: go on asking. Both empty: the end.
        """
        while True:
            text, start = self._text, self._at
            match = words.search(text, start)
            held = len(text) if self._ended else words.held(text, start)
            if match is not None and match.start() < held:
                self._at = match.start()
                return text[start : self._at], match.group()
            if held > start:
                self._at = held
                return text[start:held], ""
            if not (yield from self.more()):
                return "", ""

    def take_scanned(self, end: int) -> str:
        """Read up to `end` of `unread`."""
        start, self._at = self._at, self._at + end
        return self._text[start : self._at]

    @property
    def unread(self) -> str:
        return self._text[self._at :]
