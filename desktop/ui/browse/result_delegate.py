"""How a repository is painted in the list of results."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.ui.browse.result_rows import ROW, Index, Shown
from desktop.ui.look import Look
from desktop.ui.parts.painted_tag import paint_tag

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class ResultDelegate(QStyledItemDelegate):
    """Two lines: the name with its author and the verdict, and below them the facts."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        s = self._look.sizes
        lines = self._height("heading") + self._height("small") + s.space_1
        return QSize(s.card_min, lines + 2 * s.space_3)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        shown = index.data(ROW)
        if not isinstance(shown, Shown):
            return
        s = self._look.sizes
        rect = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, option, rect)
        inner = rect.adjusted(s.space_3, s.space_3, -s.space_3, -s.space_3)
        top = QRect(inner.left(), inner.top(), inner.width(), self._height("heading"))
        below = QRect(
            inner.left(), top.bottom() + 1 + s.space_1, inner.width(), self._height("small")
        )
        right = self._verdict(painter, shown, top)
        quiet = self._look.color(_quiet(option))
        names = QRect(top.left(), top.top(), right - top.left(), top.height())
        self._names(painter, shown, names, quiet)
        painter.setFont(self._look.font("small"))
        painter.setPen(quiet)
        painter.drawText(below, _LEFT, _elided(painter, shown.facts, below.width()))
        painter.restore()

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        """What tells the row under the pointer and the chosen one; a line between all others."""
        s = self._look.sizes
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        field = rect.adjusted(s.line, s.line, -s.line, -s.line - s.line)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._look.color("accent_soft" if selected else "hover"))
            painter.drawRoundedRect(field, s.radius_button, s.radius_button)
        if selected and state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(self._look.color("accent"), s.focus))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(field, s.radius_button, s.radius_button)
        painter.setPen(QPen(self._look.color("line"), s.line))
        painter.drawLine(rect.left(), rect.bottom(), rect.right(), rect.bottom())

    def _verdict(self, painter: QPainter, shown: Shown, line: QRect) -> int:
        """The tag and the lock at the right; returns where they begin."""
        s = self._look.sizes
        right = line.right() + 1
        middle = line.center().y()
        if shown.tag:
            tag = paint_tag(painter, self._look, QPoint(right, middle), shown.tag, shown.tone)
            right = tag.left() - s.space_2
        if shown.ours:
            tag = paint_tag(painter, self._look, QPoint(right, middle), shown.ours, "accent")
            right = tag.left() - s.space_2
        if shown.lock:
            side = s.icon_small
            lock = QRect(right - side, middle - side // 2, side, side)
            self._look.icon("lock-simple", "muted").paint(painter, lock)
            right = lock.left() - s.space_2
        return right

    def _names(self, painter: QPainter, shown: Shown, line: QRect, quiet: QColor) -> None:
        s = self._look.sizes
        painter.setFont(self._look.font("heading", bold=True))
        painter.setPen(self._look.color("text"))
        name = _elided(painter, shown.name, line.width())
        painter.drawText(line, _LEFT, name)
        used = painter.fontMetrics().horizontalAdvance(name) + s.space_2
        room = line.width() - used
        painter.setFont(self._look.font("small"))
        if room > painter.fontMetrics().averageCharWidth() * 6:
            painter.setPen(quiet)
            rest = line.adjusted(used, 0, 0, 0)
            painter.drawText(rest, _LEFT, _elided(painter, shown.author, room))

    def _height(self, size: str) -> int:
        return QFontMetrics(self._look.font(size)).height()


def _quiet(option: QStyleOptionViewItem) -> str:
    """The colour of what is less important; the usual one is too weak on the ground of hovering."""
    hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
    return "text" if hovered and not option.state & QStyle.StateFlag.State_Selected else "muted"


def _elided(painter: QPainter, text: str, width: int) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width)
