"""A bar in two colours: what this app uses of something, and what everything else does."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent

from desktop.ui.look import Look
from desktop.ui.parts.meter import STEPS, Meter

OURS, OTHERS = "accent", "line_strong"


class SharesMeter(Meter):
    """The whole bar is the device; ours comes first. Screen readers hear the sum."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__(look, name)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._ours = 0
        self._others_token = OTHERS

    def show_shares(self, ours: float, others: float, *, alarm: bool = False) -> None:
        """Fill the bar to `ours` and `others` (0 to 1 each); `alarm`: there is hardly any left."""
        mine = _steps(ours)
        both = min(STEPS, mine + _steps(others))
        token = "warn" if alarm else OTHERS
        if (mine, both, token) == (self._ours, self.value(), self._others_token):
            return
        self._ours, self._others_token = mine, token
        self.setValue(both)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillRect(self.rect(), self._look.color("surface"))
        whole = QRectF(self.rect())
        radius = whole.height() / 2
        path = QPainterPath()
        path.addRoundedRect(whole, radius, radius)
        painter.setClipPath(path)
        painter.fillRect(whole, self._look.color("line"))
        width = whole.width() / STEPS
        painter.fillRect(
            QRectF(0, 0, width * self.value(), whole.height()),
            self._look.color(self._others_token),
        )
        painter.fillRect(QRectF(0, 0, width * self._ours, whole.height()), self._look.color(OURS))
        painter.end()


def _steps(share: float) -> int:
    """In percent: Qt repaints the bar at once with every new value, whether one sees it or not."""
    return round(max(0.0, min(1.0, share)) * 100) * (STEPS // 100)
