"""A card that says what a computer has, without what is going on in it."""

from __future__ import annotations

from desktop.ui.look import Look
from desktop.ui.machine.cards import Fact
from desktop.ui.parts.boxes import Card
from desktop.ui.parts.text import Text


class FactCard(Card):
    """Name, figure, words."""

    def __init__(self, look: Look, fact: Fact) -> None:
        super().__init__(
            look,
            Text(fact.name, "small_muted"),
            Text(fact.figure, "figure", wrap=True),
            Text(fact.words, "small_muted", wrap=True),
        )
        self.inner.addStretch(1)
