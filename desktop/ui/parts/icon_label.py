"""An icon that stands for itself, in the colours of the moment."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.ui.look import Look


class IconLabel(QWidget):
    """Draws anew at every paint, so that it follows the theme; screen readers pass it by."""

    def __init__(self, look: Look, icon: str, token: str, side: int) -> None:
        super().__init__()
        self._icon = look.icon(icon, token)
        self._side = side
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_icon(self, look: Look, icon: str, token: str) -> None:
        """Another icon in its place."""
        self._icon = look.icon(icon, token)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._icon.paint(painter, self.rect())
        painter.end()
