"""How a model's reasoning is told from its answer, switched and ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desktop.engine.constraint import Gate

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""From the least to the most, as requests name them."""

_NO_VALUES: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Switch:
    """Variables, or words for the system message, that turn reasoning on and off."""

    on: Mapping[str, Any] = field(default_factory=dict)
    off: Mapping[str, Any] = field(default_factory=dict)
    on_word: str = ""
    off_word: str = ""


@dataclass(frozen=True, slots=True)
class ReasoningStyle:
    """`open` and `close` stand around the reasoning, without the white space about them.

    `between` is all that stands between the last thought and the answer. `answer_header` is what
    a model writes before an answer without reasoning ("" for nothing): then its output consists
    of parts with headers, and the answer begins behind that one. `key` is the name of the
    reasoning in a message, "" where the template drops it. `switch` None: the template knows none.
    `keep` and `drop` are variables that keep reasoning of earlier turns or leave it out.
    """

    open: str
    close: str
    between: str = ""
    answer_header: str = ""
    key: str = ""
    switch: Switch | None = None
    efforts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keep: Mapping[str, Any] = field(default_factory=dict)
    drop: Mapping[str, Any] = field(default_factory=dict)

    def is_open(self, prompt: str) -> bool:
        """Whether `prompt` ends right behind the opening."""
        return bool(self.open) and prompt.rstrip().endswith(self.open)

    def gate(self, *, is_open: bool) -> Gate:
        """Reasoning comes first; what a grammar binds begins behind it."""
        if self.answer_header:
            return Gate(self.open, self.close, is_open=is_open)
        # Where an answer has an opening of its own, that belongs to what is not bound.
        return Gate(self.open, self.between.strip() or self.close, is_open=is_open)

    def lead(self, prompt: str) -> tuple[str, str]:
        """What must stand before a bound answer to `prompt`: words that it may begin with (where
        reasoning came before them), then words that it must begin with."""
        if not self.answer_header or prompt.rstrip().endswith(self.answer_header.strip()):
            return "", ""
        behind = self.between.strip().removeprefix(self.close).strip()
        return behind.removesuffix(self.answer_header), self.answer_header

    @property
    def end(self) -> str:
        """What is to be written to end the reasoning, and to begin the answer."""
        return self.between or f"\n{self.close}\n\n"

    @property
    def end_of_thoughts(self) -> str:
        """What is to be written to end the reasoning alone: an answer or a call may follow."""
        before, close, behind = self.between.partition(self.close)
        if not close:
            return f"\n{self.close}\n\n"
        return before + close + (behind if not behind.strip() else "")

    @property
    def skipped(self) -> str:
        """Reasoning that is over before it began."""
        return self.answer_header or f"{self.open}\n\n{self.close}\n\n"

    def effort(self, wanted: str) -> Mapping[str, Any]:
        """The variables for the nearest effort that the template knows; none if it knows none."""
        if wanted in self.efforts:
            return self.efforts[wanted]
        if wanted not in EFFORTS or not self.efforts:
            return _NO_VALUES
        place = EFFORTS.index(wanted)
        known = [name for name in EFFORTS if name in self.efforts]
        nearest = min(known, key=lambda name: (abs(EFFORTS.index(name) - place), -len(name)))
        return self.efforts[nearest]
