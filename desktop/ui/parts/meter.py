"""A thin bar that says how much of something is used or done."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy

from desktop.ui.look import Look

STEPS = 1000


class Meter(QProgressBar):
    """A progress bar in our look; the words beside it carry the meaning, it carries the size."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self._look = look
        self._tone = "accent"
        self.setRange(0, STEPS)
        self.setTextVisible(False)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(look.sizes.meter)

    def show_share(self, share: float, tone: str = "accent") -> None:
        """Fill the bar to `share` (0 to 1) in the colour of a token."""
        self._tone = tone
        self.setValue(round(max(0.0, min(1.0, share)) * STEPS))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._look.sizes.target, self._look.sizes.meter)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(self.rect())
        radius = whole.height() / 2
        painter.setBrush(self._look.color("line"))
        painter.drawRoundedRect(whole, radius, radius)
        share = self.value() / STEPS
        if share > 0:
            width = max(whole.height(), whole.width() * share)
            painter.setBrush(self._look.color(self._tone))
            painter.drawRoundedRect(QRectF(0, 0, width, whole.height()), radius, radius)
        painter.end()
