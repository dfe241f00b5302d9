"""What the last answer cost, in a few words and in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.common.messages import Messages
from desktop.common.wording import format_energy, format_number
from desktop.ui.words import tokens_per_s

if TYPE_CHECKING:  # only its name is needed before the first paint
    from desktop.engine.events import Stats


class CostWords(QObject):
    """Speeds, the wait for the first word, what was known from before, energy where it is
    measured."""

    def __init__(self, messages: Messages) -> None:
        super().__init__()
        self._messages = messages

    def short(self, stats: Stats) -> str:
        """One line: "first word after 0.4 s · 24 tokens/s · 0.021 Wh"."""
        language = self._messages.language
        parts = [self._first_word(stats)]
        if stats.tokens_per_s:
            parts.append(tokens_per_s(stats.tokens_per_s, language))
        if stats.energy_wh is not None:
            parts.append(self._wh(stats.energy_wh))
        return " · ".join(parts)

    def full(self, stats: Stats) -> str:
        """A line each, for the tip and the screen reader."""
        language = self._messages.language
        read = self.tr("Read: {tokens} tokens").format(
            tokens=format_number(stats.prompt_tokens, language)
        )
        if stats.cached_tokens and stats.prompt_tokens:
            share = round(100 * stats.cached_tokens / stats.prompt_tokens)
            read += " " + self.tr("({share} % of them known from before)").format(share=share)
        written = self.tr("Written: {tokens} tokens").format(
            tokens=format_number(stats.completion_tokens, language)
        )
        if stats.reasoning_tokens:
            written += " " + self.tr("({tokens} of them in thought)").format(
                tokens=format_number(stats.reasoning_tokens, language)
            )
        if stats.tokens_per_s:
            written += ", " + tokens_per_s(stats.tokens_per_s, language)
        lines = [self._first_word(stats), read, written]
        if stats.energy_wh is not None:
            method = self._messages.text(f"energy.{stats.energy_method}")
            lines.append(
                self.tr("Energy: {wh} ({method})").format(
                    wh=self._wh(stats.energy_wh), method=method
                )
            )
        return "\n".join(lines)

    def _first_word(self, stats: Stats) -> str:
        seconds = stats.first_token_s
        shown = format_number(seconds, self._messages.language, 1 if seconds < 10 else 0)
        return self.tr("first word after {seconds} s").format(seconds=shown)

    def _wh(self, wh: float) -> str:
        return self.tr("{energy} Wh").format(energy=format_energy(wh, self._messages.language))
