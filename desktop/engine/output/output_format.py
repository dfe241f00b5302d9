"""All that is known of how one model writes its answers."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.engine.output.calls import CallFormat
from desktop.engine.output.channels import ChannelCalls


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """`dropped` are words around an answer that are none of it.

    `taught` tells that the template itself writes such calls; otherwise the tools must be
    described in the system message and recorded calls be written with `calls.write`.
    """

    calls: CallFormat
    dropped: tuple[str, ...] = ()
    taught: bool = True

    @property
    def channels(self) -> ChannelCalls | None:
        return self.calls if isinstance(self.calls, ChannelCalls) else None

    @property
    def framing(self) -> tuple[str, ...]:
        """Every fixed word: the control tokens among them must reach the parser as text."""
        return (*self.calls.framing, *self.dropped)
