"""What a model writes, taken apart while it is written: answer, reasoning, calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from desktop.engine.events import Reasoning, Text, ToolCallPart

Piece = Text | Reasoning | ToolCallPart
"""What a parser makes of text; consecutive pieces of one kind may be joined."""


class OutputParser(Protocol):
    """Turns the raw text of one answer into pieces. One reader, one thread, no llama.cpp.

    However the text is cut into portions, the joined pieces are the same, and no character
    that is not part of a format's own framing is lost: what only looks like a call is text.
    """

    def feed(self, text: str) -> Sequence[Piece]:
        """What is certain after `text`; the rest is held back."""
        ...

    def finish(self) -> Sequence[Piece]:
        """What was held back, now that nothing follows."""
        ...

    @property
    def wants_stop(self) -> bool:
        """All that was asked for has been written: whatever follows is dropped."""
        ...

    @property
    def stop_string(self) -> str:
        """The stop string that ended the text; empty for none."""
        ...

    @property
    def called(self) -> bool:
        """Whether a call has been told: then an answer that the model ends is "tool_calls"."""
        ...
