"""Stop strings in the text of an answer, which a parser has told apart from all else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from desktop.engine.events import Text
from desktop.engine.output.parser import Piece
from desktop.engine.output.source import Words


class StoppedText:
    """Passes pieces on until one of `stop` is complete; `found` is that one then.

    Text that may become a stop string waits for more text; other pieces do not come between.
    """

    def __init__(self, request_id: str, stop: Sequence[str]) -> None:
        self._request_id = request_id
        self._words = Words(stop) if stop else None
        self._held = ""
        self.found = ""

    def pass_on(self, piece: Piece) -> Iterator[Piece]:
        if self._words is None:
            yield piece
            return
        if not isinstance(piece, Text):
            yield from self.end()
            yield piece
            return
        text = self._held + piece.text
        match = self._words.search(text, 0)
        end = match.start() if match is not None else self._words.held(text, 0)
        self.found = match.group() if match is not None else ""
        self._held = text[end:]
        if end:
            yield Text(self._request_id, text[:end])

    def end(self) -> Iterator[Piece]:
        """What was held back: nothing completes it any more."""
        held, self._held = self._held, ""
        if held and not self.found:
            yield Text(self._request_id, held)
