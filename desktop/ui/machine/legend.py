"""A line of the chart's legend: a stroke as the line has it, its name, on or off."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox

from desktop.ui.look import Look
from desktop.ui.machine.history_chart import Series


class LegendButton(QCheckBox):
    """A check box, for the keyboard and for screen readers, drawn as a legend."""

    def __init__(self, look: Look, series: Series) -> None:
        super().__init__(series.name)
        self._look = look
        self._series = series
        self.setChecked(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        s = self._look.sizes
        width = self._stroke() + s.space_2 + self._text_width() + s.space_3
        return QSize(width, s.target)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, _at: object) -> bool:
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        s = self._look.sizes
        on = self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        token = self._series.token if on else "line_strong"
        painter.setPen(QPen(self._look.color(token), s.focus, self._series.pen))
        painter.drawLine(QLineF(0, middle, self._stroke(), middle))
        font = self._look.font("small")
        font.setStrikeOut(not on)
        painter.setFont(font)
        painter.setPen(self._look.color("text" if on else "muted"))
        box = self.rect().adjusted(self._stroke() + s.space_2, 0, 0, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self._series.name)
        painter.end()

    def _stroke(self) -> int:
        return self._look.sizes.space_5

    def _text_width(self) -> int:
        metrics = QFontMetricsF(self._look.font("small"))
        return round(metrics.horizontalAdvance(self._series.name)) + 1
