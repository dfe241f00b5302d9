"""Boxes to tick and circles to choose from, in our colours: the style's own vanish in the dark."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QRadioButton

from desktop.ui.look import Look


class Tick(QCheckBox):
    """A box with words; as high as a finger needs it."""

    def __init__(self, look: Look, text: str) -> None:
        super().__init__(text)
        self._look = look
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return _size(self._look, self.text())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._look.sizes.card_min // 2, self._look.sizes.target)

    def hitButton(self, _at: object) -> bool:
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        s = self._look.sizes
        painter = QPainter(self)
        box = _begin(painter, self._look, self)
        painter.drawRoundedRect(QRectF(box), s.space_1, s.space_1)
        if self.isChecked():
            painter.setPen(QPen(self._look.color("on_accent"), s.focus))
            left, top, side = box.left(), box.top(), box.width()
            points = [(0.24, 0.52), (0.43, 0.71), (0.77, 0.32)]
            painter.drawPolyline([QPointF(left + x * side, top + y * side) for x, y in points])
        _write(painter, self._look, self, box)
        painter.end()


class Radio(QRadioButton):
    """One of several, with words."""

    def __init__(self, look: Look, text: str) -> None:
        super().__init__(text)
        self._look = look
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return _size(self._look, self.text())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._look.sizes.target, self._look.sizes.target)

    def hitButton(self, _at: object) -> bool:
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        box = _begin(painter, self._look, self)
        painter.drawEllipse(QRectF(box))
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._look.color("on_accent"))
            inner = box.width() * 0.3
            painter.drawEllipse(QRectF(box).adjusted(inner, inner, -inner, -inner))
        _write(painter, self._look, self, box)
        painter.end()


def _size(look: Look, text: str) -> QSize:
    s = look.sizes
    width = QFontMetrics(look.font("text")).horizontalAdvance(text)
    return QSize(s.icon_small + s.line + s.space_2 + width + s.space_1, s.target)


def _begin(painter: QPainter, look: Look, button: QAbstractButton) -> QRect:
    """Set the colours of the box; returns where it stands."""
    s = look.sizes
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box = QRect(s.line, (button.height() - s.icon_small) // 2, s.icon_small, s.icon_small)
    checked, able = button.isChecked(), button.isEnabled()
    edge = "accent" if checked else "muted"
    painter.setPen(QPen(look.color(edge if able else "line_strong"), s.line))
    ground = "accent" if checked else "surface"
    painter.setBrush(look.color(ground if able or not checked else "line_strong"))
    return box


def _write(painter: QPainter, look: Look, button: QAbstractButton, box: QRect) -> None:
    s = look.sizes
    painter.setPen(look.color("text" if button.isEnabled() else "muted"))
    font = look.font("text")
    painter.setFont(font)
    rest = QRect(box.right() + s.space_2, 0, button.width() - box.right() - s.space_2, 0)
    rest.setHeight(button.height())
    shown = QFontMetrics(font).elidedText(button.text(), Qt.TextElideMode.ElideMiddle, rest.width())
    painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
