"""Cards side by side."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.ui.look import Look
from desktop.ui.parts.boxes import clear


class CardGrid(QWidget):
    """Cards of one width, as many side by side as there is room for."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._cards: list[QWidget] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(look.sizes.space_3)

    def show_cards(self, cards: list[QWidget]) -> None:
        """Show these instead of those that were there."""
        clear(self._grid)
        self._cards = cards
        self._columns = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        s = self._look.sizes
        fitting = max(1, (self.width() + s.space_3) // (s.card_min + s.space_3))
        columns = _columns(len(self._cards), fitting)
        if columns == self._columns:
            return
        for place in range(self._grid.columnCount()):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)
        for place in range(columns):
            self._grid.setColumnStretch(place, 1)
        self._columns = columns
        for number, card in enumerate(self._cards):
            self._grid.addWidget(card, number // columns, number % columns)


def _columns(cards: int, fitting: int) -> int:
    """As many as fit, or one less where that leaves fewer places empty in the last row."""
    most = min(fitting, max(1, cards))
    fewer = max(1, most - 1)
    return fewer if most > 2 and -cards % fewer < -cards % most else most
