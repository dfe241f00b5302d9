"""The table of models: keys, mouse, menus, and which columns there is room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QItemSelectionModel, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QScrollArea,
    QTableView,
    QWidget,
)

from desktop.ui.look import Look
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.row_parts import chat_width
from desktop.ui.mine.table_delegate import TableDelegate
from desktop.ui.mine.table_model import ENTRY, Column, Index, ModelTable

_GIVES_WAY = (Column.ORIGIN, Column.USED, Column.ABILITIES, Column.SIZE)
"""The first of them is hidden first where the window is narrow."""
_FROM_A = (Column.NAME, Column.ORIGIN)


class Doing(Protocol):
    """What a row can be asked for."""

    def chat(self, one: Entry) -> None: ...
    def details(self, one: Entry) -> None: ...
    def remove(self, one: Entry) -> None: ...
    def menu(self, one: Entry, parent: QWidget) -> QMenu: ...


class Header(QHeaderView):
    """Small words above the columns; the one that it is sorted by has an arrow."""

    def __init__(self, look: Look, table: ModelTable) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._look = look
        self._table = table
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._look.sizes.target)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        s = self._look.sizes
        column = Column(section)
        painter.save()
        painter.setPen(QPen(self._look.color("line"), s.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        font = self._look.font("small", bold=True)
        painter.setFont(font)
        sorted_by = column is self._table.column
        painter.setPen(self._look.color("text" if sorted_by else "muted"))
        words = self._table.title(column)
        cell = rect.adjusted(s.space_2, 0, -s.space_2, -s.line)
        painter.drawText(cell, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        if sorted_by:
            width = QFontMetrics(font).horizontalAdvance(words)
            icon = QRect(0, 0, s.icon_small - s.space_1, s.icon_small - s.space_1)
            icon.moveCenter(QPoint(cell.left() + width + s.space_3, cell.center().y()))
            down = (column in _FROM_A) == self._table.reversed
            name = "caret-down" if down else "caret-up"
            self._look.icon(name, "text").paint(painter, icon)
        painter.restore()


class ModelTableView(QTableView):
    """As high as its rows: the page scrolls, not the table.

    Enter chats, Alt+Enter shows the details, F2 renames, Delete removes.
    """

    ordered = Signal()

    def __init__(self, look: Look, table: ModelTable, doing: Doing) -> None:
        super().__init__()
        self._look = look
        self._table = table
        self._doing = doing
        self._stood = -1
        self._hovered = -1
        self._pointer = QPoint(-1, -1)
        self._delegate = TableDelegate(look, self._is_marked, self._under_mouse)
        self.setModel(table)
        self.setItemDelegate(self._delegate)
        self.setHorizontalHeader(Header(look, table))
        self._set_up()
        self.horizontalHeader().sectionClicked.connect(self._order)
        table.modelAboutToBeReset.connect(self._remember)
        table.modelReset.connect(self._come_back)
        table.modelReset.connect(self._fit_height)
        look.changed.connect(self._look_changed)
        self._fit_height()

    def _set_up(self) -> None:
        self.setAccessibleName(self.tr("My models"))
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAutoScroll(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    # What stands where

    @property
    def current(self) -> Entry | None:
        """The model on which the keyboard stands."""
        found: Entry | None = self.currentIndex().data(ENTRY)
        return found

    def mark(self, name: str) -> None:
        """Put the keyboard on a model."""
        row = self._table.row_of(name)
        if row >= 0:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            index = self._table.index(row, Column.NAME)
            self.selectionModel().setCurrentIndex(
                index, flags | QItemSelectionModel.SelectionFlag.Rows
            )

    def _remember(self) -> None:
        self._stood = self.currentIndex().row()

    def _come_back(self) -> None:
        """A renamed model, or the next one after one that is gone, takes over the keyboard."""
        if self._stood >= 0 and self._table.rows:
            self.mark(self._table.rows[min(self._stood, len(self._table.rows) - 1)].model.name)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._whole_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._look.sizes.card_min, self._whole_height())

    def _whole_height(self) -> int:
        rows = self._table.rowCount() * self._delegate.measure.height
        return self.horizontalHeader().sizeHint().height() + rows

    def _fit_height(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self._delegate.measure.height)
        self.setFixedHeight(self._whole_height())
        self._hovered = -1

    def _look_changed(self) -> None:
        self._delegate.remeasure()
        self._fit_height()
        self._arrange()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Give each column its width; those that give way are told in the second line instead."""
        s, m = self._look.sizes, self._delegate.measure
        em = m.small.averageCharWidth()
        words = self.tr("Chat")
        wide = {
            Column.SIZE: m.text.horizontalAdvance("888,8 MB") + 2 * s.space_2,
            Column.ABILITIES: 20 * em + 2 * s.space_2,
            Column.HERE: 34 * em + 2 * s.space_2,
            Column.USED: 13 * em + 2 * s.space_2,
            Column.ORIGIN: 20 * em + 2 * s.space_2,
            Column.DO: chat_width(self._look, words) + s.space_1 + s.target,
        }
        least = s.card_min
        room = self.viewport().width()
        hidden: list[Column] = []
        for column in _GIVES_WAY:
            if sum(wide.values()) + least <= room:
                break
            del wide[column]
            hidden.append(column)
        if sum(wide.values()) + least > room:
            words = ""
            wide[Column.DO] = chat_width(self._look, "") + s.space_1 + s.target
            wide[Column.HERE] = max(22 * em, min(34 * em, room - least - wide[Column.DO]))
        spare = room - least - sum(wide.values())
        if Column.ABILITIES in wide and spare > 0 and Column.ORIGIN not in hidden:
            # Else the names need it, below which the origin stands.
            wide[Column.ABILITIES] += min(spare // 2, 8 * em)
        self._delegate.compact = tuple(hidden)
        self._delegate.chat_words = words
        for column in Column:
            self.setColumnHidden(column, column in hidden)
            if column in wide:
                self.setColumnWidth(column, wide[column])
        self.setColumnWidth(Column.NAME, max(s.target, room - sum(wide.values())))

    # The order

    def _order(self, section: int) -> None:
        column = Column(section)
        if column is Column.DO:
            return
        self.order_by(column, reverse=column is self._table.column and not self._table.reversed)

    def order_by(self, column: Column, *, reverse: bool = False) -> None:
        """Sort, and keep the keyboard on its model."""
        now = self.current
        self._table.order_by(column, reverse=reverse)
        if now is not None:
            self.mark(now.model.name)
        self.horizontalHeader().viewport().update()
        self.ordered.emit()

    # The mouse

    def _is_marked(self, row: int) -> bool:
        return self.hasFocus() and self.currentIndex().row() == row

    def _under_mouse(self) -> tuple[int, QPoint]:
        return self._hovered, self._pointer

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._point(event.position().toPoint())

    def leaveEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        super().leaveEvent(event)
        self._point(QPoint(-1, -1))

    def _point(self, at: QPoint) -> None:
        index = self.indexAt(at)
        before, self._hovered = self._hovered, index.row() if index.isValid() else -1
        self._pointer = at
        button = self._button_at(at) is not None
        shape = Qt.CursorShape.PointingHandCursor if button else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        for row in {before, self._hovered} - {-1}:
            self._repaint(row)

    def _repaint(self, row: int) -> None:
        top = self.rowViewportPosition(row)
        self.viewport().update(0, top, self.viewport().width(), self._delegate.measure.height)

    def _button_at(self, at: QPoint) -> Callable[[], None] | None:
        """What a click there does, where a button stands."""
        index = self.indexAt(at)
        if not index.isValid() or index.column() != Column.DO:
            return None
        one: Entry = index.data(ENTRY)
        places = self._delegate.buttons(self.visualRect(index), one)
        if places.chat.contains(at):
            return lambda: self._doing.chat(one)
        if places.dots.contains(at):
            below = places.dots.bottomLeft()
            return lambda: self.open_menu(one, below)
        return None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            run = self._button_at(event.position().toPoint())
            if run is not None:
                run()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        at = event.position().toPoint()
        one = self.current
        if one is not None and self.indexAt(at).isValid() and self._button_at(at) is None:
            self._doing.details(one)

    # The keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        one = self.current
        if one is None or self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
            return
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._doing.details(one)
        elif enter:
            (self._doing.chat if one.can_chat else self._doing.details)(one)
        elif event.key() == Qt.Key.Key_F2:
            self.rename(one)
        elif event.matches(QKeySequence.StandardKey.Delete):
            self._doing.remove(one)
        else:
            super().keyPressEvent(event)

    def rename(self, one: Entry) -> None:
        """Write another name in place."""
        index = self._table.index(self._table.row_of(one.model.name), Column.NAME)
        if index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.edit(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        one: Entry | None = index.data(ENTRY)
        if one is not None:
            place = self.visualRect(index.siblingAtColumn(Column.NAME)).bottomLeft()
            self.open_menu(one, event.pos() if by_mouse else place)

    def open_menu(self, one: Entry, at: QPoint) -> None:
        """Everything that can be done to a model, at a point of the viewport."""
        menu = self._doing.menu(one, self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(at))

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.viewport().update()
        if self.hasFocus():
            self._bring_into_view(current)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self._table.rowCount():
            self.mark(self._table.rows[0].model.name)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def _bring_into_view(self, index: Index) -> None:
        """The page scrolls to the row."""
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        page = area.widget() if isinstance(area, QScrollArea) else None
        if isinstance(area, QScrollArea) and page is not None:
            rect = self.visualRect(index)
            centre = self.viewport().mapTo(page, rect.center())
            area.ensureVisible(0, centre.y(), 0, rect.height())
