""" "Why is it slow?": the reasons that the readings show, each with what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout

from desktop.ui.look import Look
from desktop.ui.parts.boxes import Card, clear, column, row
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.why_slow import Cause

_SERIOUS = 0.5


class SlowCard(Card):
    """Rebuilt only when the reasons change; their figures are those of that moment."""

    def __init__(self, look: Look, session: Session) -> None:
        self._rows = QVBoxLayout()
        self._rows.setSpacing(look.sizes.space_3)
        super().__init__(look, self._rows)
        self._look = look
        self._session = session
        self.kinds: tuple[str, ...] | None = None
        self.known = False

    def show_causes(self, causes: tuple[Cause, ...], *, known: bool) -> None:
        """Show these; `known` False: nothing has been read yet."""
        kinds = tuple(cause.kind for cause in causes)
        if (kinds, known) == (self.kinds, self.known):
            return
        self.kinds, self.known = kinds, known
        clear(self._rows)
        for cause in causes:
            messages = self._session.messages
            words = messages.text(f"slow.{cause.kind}", **cause.params)
            helps = messages.text(f"slow.{cause.kind}.do", **cause.params)
            serious = cause.weight >= _SERIOUS
            self._add(
                "warning" if serious else "info", "warn" if serious else "muted", words, helps
            )
        if not causes and known:
            calm = self.tr("Nothing slows the answers down at the moment.")
            more = self.tr("Keep this page open while an answer is written, to see what it takes.")
            self._add("check", "ok", calm, more)
        elif not causes:
            self._add("info", "muted", self.tr("Looking at this computer …"), "")

    def _add(self, icon: str, token: str, words: str, helps: str) -> None:
        s = self._look.sizes
        texts = column(Text(words, wrap=True), space=s.space_1)
        if helps:
            texts.addWidget(Text(helps, "small_muted", wrap=True))
        mark = column(IconLabel(self._look, icon, token, s.icon), 1)
        line = row(mark, texts, space=s.space_3)
        line.setStretchFactor(texts, 1)
        self._rows.addLayout(line)
