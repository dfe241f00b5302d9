"""What one way of writing calls must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.output.source import Reading, Source
from desktop.engine.output.telling import CallTeller


class CallFormat(Protocol):
    """A family of formats with the words of one template.

    `triggers` are words that a call may begin with. With `only_first` a call is recognized at
    the beginning of an answer alone: its beginning is too common elsewhere. `primer` is what the
    prompt has already written of the first call. `framing` is every fixed word.
    """

    @property
    def family(self) -> str: ...

    @property
    def triggers(self) -> tuple[str, ...]: ...

    @property
    def only_first(self) -> bool: ...

    @property
    def primer(self) -> str: ...

    @property
    def framing(self) -> tuple[str, ...]: ...

    def read(self, source: Source, calls: CallTeller) -> Reading[bool]:
        """Read calls from a trigger on. False where it is none after all: nothing was told."""
        ...

    def write(self, calls: Sequence[ToolCall]) -> str:
        """The text that the model would write for `calls`; their arguments must be objects."""
        ...

    def instructions(self, tools: Sequence[Tool]) -> str:
        """Words for a system message where the template has none for tools."""
        ...
