"""From token bytes to text that may be shown: whole characters, no half of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class AnswerText:
    """Decodes and holds back: `feed` returns what is certain, `finish` what is left.

    `stopped` becomes True when a stop string was complete (`stop_string` says which); it and what
    follows never come out.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(stop)
        self._held = ""
        self.stopped = False
        self.stop_string = ""

    def feed(self, piece: bytes) -> str:
        """Text that no later token can change, possibly empty."""
        return self._release(self._decoder.decode(piece))

    def finish(self) -> str:
        """The rest: a held beginning of a stop string, and U+FFFD for a character cut in half."""
        text = self._release(self._decoder.decode(b"", final=True))
        if self.stopped:
            return text
        held, self._held = self._held, ""
        return text + held

    def _release(self, fresh: str) -> str:
        if not self._stop:
            return fresh
        if self.stopped:
            return ""
        text = self._held + fresh
        places = [(place, stop) for stop in self._stop if (place := text.find(stop)) >= 0]
        if places:
            self.stopped = True
            self._held = ""
            place, self.stop_string = min(places)
            return text[:place]
        held = max(_overlap(text, stop) for stop in self._stop)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that `stop` begins with, `stop` itself aside."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
