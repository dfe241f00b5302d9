"""The round button that leads back to the end of the conversation."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop.ui.tokens import Theme
from desktop.ui.transcript import words


class EndButton(QAbstractButton):
    """A round button with an arrow down."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setText(words.to_end())
        self.setToolTip(words.to_end())
        self.setAccessibleName(words.to_end())
        self.setFixedSize(theme.sizes.target + 2, theme.sizes.target + 2)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focus = self.hasFocus()
        width = theme.sizes.focus if focus else theme.sizes.line
        painter.setPen(QPen(theme.color("accent" if focus else "line_strong"), width))
        painter.setBrush(theme.color("hover" if self.underMouse() else "surface"))
        painter.drawEllipse(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        pen = QPen(theme.color("text"), 1.6)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        center = QRectF(self.rect()).center()
        reach = theme.sizes.icon_small / 2 - 1
        tip = center + QPointF(0, reach - 1)
        painter.drawLine(center - QPointF(0, reach - 1), tip)
        painter.drawPolyline(
            [tip - QPointF(reach * 0.7, reach * 0.7), tip, tip - QPointF(-reach * 0.7, reach * 0.7)]
        )
        painter.end()
