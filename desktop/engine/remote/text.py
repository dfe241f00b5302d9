"""The text of a server's answer: stop strings looked for here too, thoughts told apart."""

from __future__ import annotations

import json
from collections.abc import Sequence

from desktop.common.errors import RemoteError
from desktop.engine.answer_text import AnswerText
from desktop.engine.remote.body import CHOICE_KEY

_TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]"))


class InlineReasoning:
    """Thoughts that a server leaves in the answer: where it begins with a tag for them.

    `feed` and `finish` give (is it reasoning, text) pairs. However the text is cut, the joined
    pairs are the same.
    """

    def __init__(self) -> None:
        self._held = ""
        self._close = ""
        self._decided = False
        self._trim = False

    def feed(self, text: str) -> list[tuple[bool, str]]:
        """What is certain by now."""
        found: list[tuple[bool, str]] = []
        self._held += text
        if not self._decided and not self._decide():
            return found
        if self._close:
            self._think(found)
        if not self._close:
            self._answer(found)
        return found

    def finish(self) -> list[tuple[bool, str]]:
        """What was held back."""
        held, self._held = self._held, ""
        return [(bool(self._close), held)] if held else []

    def _decide(self) -> bool:
        """Whether it is known by now if the answer begins with thoughts."""
        start = self._held.lstrip()
        for opened, closed in _TAGS:
            if start.startswith(opened):
                self._close, self._held = closed, start.removeprefix(opened)
                self._decided = self._trim = True
                return True
            if opened.startswith(start):
                return False
        self._decided = True
        return True

    def _think(self, found: list[tuple[bool, str]]) -> None:
        self._trim_lines()
        place = self._held.find(self._close)
        if place >= 0:
            thought, self._held = self._held[:place], self._held[place + len(self._close) :]
            self._close, self._trim = "", True
        else:
            kept = _overlap(self._held, self._close)
            thought = self._held[: len(self._held) - kept]
            self._held = self._held[len(thought) :]
        if thought:
            found.append((True, thought))

    def _answer(self, found: list[tuple[bool, str]]) -> None:
        self._trim_lines()
        if self._held:
            found.append((False, self._held))
            self._held = ""

    def _trim_lines(self) -> None:
        """The empty lines behind a tag belong to neither."""
        if self._trim:
            self._held = self._held.lstrip("\n")
            self._trim = not self._held


class StopStrings:
    """Ends an answer at a stop string, also where the server knows fewer of them."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._text = AnswerText(stop)

    @property
    def found(self) -> str:
        """The string that was found; empty before."""
        return self._text.stop_string

    @property
    def stopped(self) -> bool:
        return self._text.stopped

    def feed(self, text: str) -> str:
        return self._text.feed(text.encode("utf-8", "replace"))

    def finish(self) -> str:
        return self._text.finish()


def unwrapped_choice(text: str, choices: Sequence[str], server: str) -> str:
    """The choice in an answer that had to be an object. Raises RemoteError("remote_unbound")."""
    try:
        found = json.loads(text)[CHOICE_KEY]
    except (ValueError, RecursionError, TypeError, LookupError) as error:
        raise RemoteError("remote_unbound", server=server, detail=str(error)[:100]) from error
    if found not in choices:
        raise RemoteError("remote_unbound", server=server, detail="another choice")
    return str(found)


def _overlap(text: str, mark: str) -> int:
    """The length of the longest end of `text` that `mark` begins with."""
    for length in range(min(len(text), len(mark) - 1), 0, -1):
        if text.endswith(mark[:length]):
            return length
    return 0
