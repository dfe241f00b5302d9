"""How a row of "My models" is painted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.ui.look import Look
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.row_parts import Buttons, RowMeasure, buttons, measure
from desktop.ui.mine.table_model import ENTRY, Column, Index
from desktop.ui.parts.text import Tone

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_SOFT: dict[str, tuple[str, str]] = {
    "": ("side", "muted"),
    "ok": ("ok_soft", "ok"),
    "warn": ("warn_soft", "warn"),
    "bad": ("bad_soft", "bad"),
    "accent": ("accent_soft", "accent_strong"),
}


class TableDelegate(QStyledItemDelegate):
    """`state` tells what the view knows of a row: selected, under the mouse, the pointer."""

    def __init__(
        self,
        look: Look,
        is_selected: Callable[[int], bool],
        hovered: Callable[[], tuple[int, QPoint]],
    ) -> None:
        super().__init__()
        self._look = look
        self._is_selected = is_selected
        self._hovered = hovered
        self.compact: tuple[Column, ...] = ()
        self.chat_words = ""
        self.remeasure()

    def remeasure(self) -> None:
        """The type has changed."""
        self.measure: RowMeasure = measure(self._look)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(self._look.sizes.target, self.measure.height)

    def buttons(self, cell: QRect, one: Entry) -> Buttons:
        """Where the buttons of a row stand."""
        return buttons(self._look, cell, self.chat_words, can_chat=one.can_chat)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        one: Entry = index.data(ENTRY)
        rect = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, rect, index.row())
        s = self._look.sizes
        cell = rect.adjusted(s.space_2, 0, -s.space_2, -s.line)
        column = Column(index.column())
        if column is Column.NAME:
            self._paint_name(painter, cell, one)
        elif column is Column.HERE:
            self._paint_here(painter, cell, one)
        elif column is Column.DO:
            self._paint_buttons(painter, rect, one, index.row())
        else:
            token = "muted" if column is Column.ORIGIN else "text"
            self._write(painter, cell, str(index.data() or ""), token)
        painter.restore()

    def _paint_ground(self, painter: QPainter, rect: QRect, row: int) -> None:
        """What is selected or under the mouse is tinted; a line below each row."""
        if self._is_selected(row):
            painter.fillRect(rect, self._look.color("accent_soft"))
        elif self._hovered()[0] == row:
            painter.fillRect(rect, self._look.color("hover"))
        painter.setPen(QPen(self._look.color("line"), self._look.sizes.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())

    def _paint_name(self, painter: QPainter, cell: QRect, one: Entry) -> None:
        """The name with its tags; below it what else is known, or what is wrong."""
        s, m = self._look.sizes, self.measure
        first, second = self._lines(cell)
        tags: list[tuple[str, Tone]] = []
        if one.chip:
            tags.append((one.chip, "accent" if one.is_guide else ""))
        if one.in_use:
            tags.append((self.tr("in use"), "accent"))
        room = first.width() - sum(self._tag_width(words) + s.space_2 for words, _tone in tags)
        name = m.strong.elidedText(one.name, Qt.TextElideMode.ElideRight, max(room, s.target))
        painter.setFont(m.strong_font)
        painter.setPen(self._look.color("text"))
        painter.drawText(first, _LEFT, name)
        x = first.left() + m.strong.horizontalAdvance(name) + s.space_2
        for words, tone in tags:
            if x + self._tag_width(words) <= first.right() + s.space_2:
                x += self._paint_tag(painter, QPoint(x, first.center().y()), words, tone)
        if one.problem:
            self._write(painter, second, one.problem, "bad", small=True)
        else:
            self._write(painter, second, self._second_line(one), "muted", small=True)

    def _second_line(self, one: Entry) -> str:
        """What there is no column for."""
        parts = [one.about]
        for column, words in (
            (Column.SIZE, one.size),
            (Column.ABILITIES, one.abilities),
            (Column.USED, one.used_long),
            (Column.ORIGIN, one.origin),
        ):
            if column in self.compact:
                parts.append(words)
        if len(self.compact) > 1 and not one.is_guide:
            parts = parts[1:]  # how large it is stands in bytes already
        elif len(self.compact) == 1 and not one.is_guide:
            parts.reverse()  # where it came from is told nowhere else in the row
        return " · ".join(part for part in parts if part)

    def _paint_here(self, painter: QPainter, cell: QRect, one: Entry) -> None:
        first, second = self._lines(cell)
        here = one.here
        if not here.meaning:
            first = QRect(first.left(), cell.top(), first.width(), cell.height())
        x = first.left()
        if here.tag:
            x += self._paint_tag(painter, QPoint(x, first.center().y()), here.tag, here.tone)
        beside = QRect(x, first.top(), first.right() - x, first.height())
        if self.measure.small.horizontalAdvance(here.number) <= beside.width():
            self._write(painter, beside, here.number, "muted", small=True)
        self._write(painter, second, here.meaning, "muted", small=True)

    def _paint_buttons(self, painter: QPainter, rect: QRect, one: Entry, row: int) -> None:
        s = self._look.sizes
        places = self.buttons(rect, one)
        at_row, pointer = self._hovered()
        under = pointer if at_row == row else QPoint(-1, -1)
        if not places.chat.isEmpty():
            painter.setPen(QPen(self._look.color("line_strong"), s.line))
            over = places.chat.contains(under)
            painter.setBrush(self._look.color("accent_soft" if over else "surface"))
            half = s.line / 2
            box = QRectF(places.chat).adjusted(half, half, -half, -half)
            painter.drawRoundedRect(box, s.radius_button, s.radius_button)
            icon = QRect(0, 0, s.icon_small, s.icon_small)
            icon.moveCenter(places.chat.center())
            if self.chat_words:
                icon.moveLeft(places.chat.left() + s.space_3)
                words = places.chat.adjusted(s.space_3 + s.icon_small + s.space_2, 0, 0, 0)
                self._write(painter, words, self.chat_words, "text")
            self._look.icon("chat-circle").paint(painter, icon)
        if places.dots.contains(under):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._look.color("line"))
            painter.drawRoundedRect(QRectF(places.dots), s.radius_button, s.radius_button)
        dots = QRect(0, 0, s.icon, s.icon)
        dots.moveCenter(places.dots.center())
        self._look.icon("dots-three", "muted").paint(painter, dots)

    def _lines(self, cell: QRect) -> tuple[QRect, QRect]:
        """The two lines of a cell."""
        s, m = self._look.sizes, self.measure
        first = max(m.text.height(), m.tag_height)
        top = cell.top() + (cell.height() - first - s.space_1 - m.small.height()) // 2
        return (
            QRect(cell.left(), top, cell.width(), first),
            QRect(cell.left(), top + first + s.space_1, cell.width(), m.small.height()),
        )

    def _write(
        self, painter: QPainter, rect: QRect, text: str, token: str, *, small: bool = False
    ) -> None:
        if not text:
            return
        m = self.measure
        metrics: QFontMetrics = m.small if small else m.text
        painter.setFont(m.small_font if small else m.text_font)
        painter.setPen(self._look.color(token))
        elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, _LEFT, elided)

    def _tag_width(self, words: str) -> int:
        return self.measure.small.horizontalAdvance(words) + 2 * self._look.sizes.space_2

    def _paint_tag(self, painter: QPainter, at: QPoint, words: str, tone: Tone) -> int:
        """A tinted word whose left middle is `at`; returns what it takes with the air after it."""
        s = self._look.sizes
        height = self.measure.tag_height
        box = QRect(at.x(), at.y() - height // 2, self._tag_width(words), height)
        ground, text = _SOFT[tone]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.color(ground))
        painter.drawRoundedRect(QRectF(box), s.radius_tag, s.radius_tag)
        painter.setFont(self.measure.small_font)
        painter.setPen(self._look.color(text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        return box.width() + s.space_2

    # Renaming in place

    def createEditor(
        self, parent: QWidget, _option: QStyleOptionViewItem, _index: Index
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setProperty("role", "rename")
        editor.setAccessibleName(self.tr("New name of the model"))
        editor.setMaxLength(120)
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, _index: Index
    ) -> None:
        s = self._look.sizes
        rect = QRect(option.rect)
        height = s.target - s.space_1
        editor.setGeometry(
            rect.left() + s.space_1,
            rect.top() + (rect.height() - height) // 2,
            rect.width() - 2 * s.space_1,
            height,
        )
