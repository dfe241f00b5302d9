"""The rows of the sidebar: chats below the day on which they were last used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from desktop.chats.model import Chat
from desktop.ui.words import day_group

Index = QModelIndex | QPersistentModelIndex

CHAT_ID = Qt.ItemDataRole.UserRole
IS_HEADING = Qt.ItemDataRole.UserRole + 1
IS_BUSY = Qt.ItemDataRole.UserRole + 2


@dataclass(frozen=True, slots=True)
class Row:
    """A chat, or the heading above some (then without an id)."""

    text: str
    chat_id: str = ""


class ChatRows(QAbstractListModel):
    """Headings and chats; renaming goes through `setData` to `rename`."""

    def __init__(
        self,
        untitled: str,
        rename: Callable[[str, str], None],
        is_busy: Callable[[str], bool],
        today: Callable[[], date] = date.today,
    ) -> None:
        super().__init__()
        self._untitled = untitled
        self._rename = rename
        self._is_busy = is_busy
        self._today = today
        self._rows: list[Row] = []

    def show(self, chats: list[Chat], filter_text: str = "") -> None:
        """Show these chats, newest first, only those whose title has `filter_text`."""
        wanted = filter_text.casefold().split()
        rows: list[Row] = []
        group = ""
        today = self._today()
        for chat in chats:
            title = chat.title or self._untitled
            if any(word not in title.casefold() for word in wanted):
                continue
            heading = day_group(chat.updated_at, today)
            if heading != group:
                rows.append(Row(heading))
                group = heading
            rows.append(Row(title, chat.id))
        if rows != self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    def index_of(self, chat_id: str) -> QModelIndex:
        """Where a chat stands; an invalid index where it is not shown."""
        for number, row in enumerate(self._rows):
            if row.chat_id and row.chat_id == chat_id:
                return self.index(number)
        return QModelIndex()

    def busy_changed(self) -> None:
        """Some answer began or ended: the dots beside the titles are to be painted anew."""
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1), [IS_BUSY])

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return row.text
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.text
            case Qt.ItemDataRole.ToolTipRole:
                return row.text if row.chat_id else None
            case _ if role == CHAT_ID:
                return row.chat_id
            case _ if role == IS_HEADING:
                return not row.chat_id
            case _ if role == IS_BUSY:
                return bool(row.chat_id) and self._is_busy(row.chat_id)
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        row = self._rows[index.row()]
        title = " ".join(str(value).split())
        if not row.chat_id or not title or title == row.text:
            return False
        self._rows[index.row()] = Row(title, row.chat_id)
        self.dataChanged.emit(index, index, [role, Qt.ItemDataRole.DisplayRole])
        self._rename(row.chat_id, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or not self._rows[index.row()].chat_id:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
