"""How a row of the sidebar is painted and renamed in place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractItemModel, QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop.ui.chats.chat_rows import IS_BUSY, IS_HEADING, Index
from desktop.ui.look import Look


class ChatDelegate(QStyledItemDelegate):
    """Headings in small capitals, chats as rounded rows; three dots open a row's menu."""

    def __init__(self, look: Look, open_menu: Callable[[Index, QPoint], None]) -> None:
        super().__init__()
        self._look = look
        self._open_menu = open_menu

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        s = self._look.sizes
        heading = bool(index.data(IS_HEADING))
        first = index.row() == 0
        height = s.target + 1 if not heading else s.target - (s.space_2 if first else 0)
        return QSize(s.sidebar - 2 * s.space_3, height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect = _rect(option)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.data(IS_HEADING):
            self._paint_heading(painter, rect, str(index.data()))
        else:
            self._paint_chat(painter, option, rect, index)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, text: str) -> None:
        s = self._look.sizes
        painter.setFont(self._look.font("tiny", bold=True))
        painter.setPen(self._look.color("muted"))
        inner = rect.adjusted(s.space_2, 0, -s.space_2, -s.space_1)
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
        painter.drawText(inner, align, text.upper())

    def _paint_chat(
        self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect, index: Index
    ) -> None:
        from PySide6.QtWidgets import QStyle  # 5 ms to make: not before the first paint

        s = self._look.sizes
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        row = rect.adjusted(0, 0, 0, -1)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._look.color("accent_soft" if selected else "hover"))
            painter.drawRoundedRect(row, s.radius_button, s.radius_button)
        right = row.right() - s.space_2
        if hovered or selected:
            dots = self._dots(row)
            self._look.icon("dots-three", "muted").paint(
                painter, dots.adjusted(s.space_1, s.space_1, -s.space_1, -s.space_1)
            )
            right = dots.left()
        elif index.data(IS_BUSY):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._look.color("accent"))
            dot = QRect(0, 0, s.dot, s.dot)
            dot.moveCenter(QPoint(right - s.dot // 2, row.center().y()))
            painter.drawEllipse(dot)
            right = dot.left() - s.space_1
        painter.setFont(self._look.font("text"))
        painter.setPen(self._look.color("text"))
        text = QRect(
            row.left() + s.space_2, row.top(), right - row.left() - s.space_2, row.height()
        )
        title = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, text.width()
        )
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, align, title)

    def _dots(self, row: QRect) -> QRect:
        side = row.height()
        return QRect(row.right() - side, row.top(), side, side)

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        if (
            isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease
            and event.button() == Qt.MouseButton.LeftButton
            and not index.data(IS_HEADING)
        ):
            dots = self._dots(_rect(option))
            if dots.contains(event.position().toPoint()):
                self._open_menu(index, dots.bottomLeft())
                return True
        return super().editorEvent(event, model, option, index)

    def createEditor(
        self, parent: QWidget, _option: QStyleOptionViewItem, _index: Index
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setProperty("role", "rename")
        editor.setAccessibleName(self.tr("New name of the chat"))
        editor.setMaxLength(200)
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, _index: Index
    ) -> None:
        editor.setGeometry(_rect(option).adjusted(0, 0, 0, -1))


def _rect(option: QStyleOptionViewItem) -> QRect:
    return QRect(option.rect)
