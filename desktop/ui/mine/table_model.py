"""The models as rows and columns: sorted, filtered, renamed in place."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from desktop.ui.mine.entries import Entry, sort_moment

Index = QModelIndex | QPersistentModelIndex

ENTRY = Qt.ItemDataRole.UserRole


class Column(IntEnum):
    """What stands beside each other; `DO` holds the buttons."""

    NAME = 0
    SIZE = 1
    ABILITIES = 2
    HERE = 3
    USED = 4
    ORIGIN = 5
    DO = 6


_KEYS: dict[Column, Callable[[Entry], tuple[float | str, ...]]] = {
    Column.NAME: lambda one: (one.name.casefold(), one.chip),
    Column.SIZE: lambda one: (-one.model.file_bytes, one.name.casefold()),
    Column.ABILITIES: lambda one: (-len(one.model.abilities), one.abilities, one.name.casefold()),
    Column.HERE: lambda one: (-one.here.rank, one.name.casefold()),
    Column.USED: lambda one: (-sort_moment(one), one.name.casefold()),
    Column.ORIGIN: lambda one: (one.origin.casefold(), one.name.casefold()),
}


class ModelTable(QAbstractTableModel):
    """Rows of `Entry`; the guide stands last whatever the order, it is no model one looks for."""

    def __init__(self, rename: Callable[[str, str], None]) -> None:
        super().__init__()
        self._rename = rename
        self._all: list[Entry] = []
        self._rows: list[Entry] = []
        self._filter = ""
        self.column = Column.USED
        self.reversed = False

    @property
    def rows(self) -> tuple[Entry, ...]:
        """What is shown, in its order."""
        return tuple(self._rows)

    def show(self, entries: list[Entry]) -> None:
        """Show these; where the order stays, only what has changed is painted anew."""
        self._all = entries
        self._arrange()

    def filter_by(self, text: str) -> None:
        """Show only those in whose words all of these are."""
        self._filter = text
        self._arrange()

    def order_by(self, column: Column, *, reverse: bool = False) -> None:
        """Sort by a column: names from A, all others from the most; `reverse` the other way."""
        self.column, self.reversed = column, reverse
        self.layoutAboutToBeChanged.emit()
        self._arrange()
        self.layoutChanged.emit()

    def row_of(self, name: str) -> int:
        """Where a model stands; -1 where it is not shown."""
        return next((n for n, one in enumerate(self._rows) if one.model.name == name), -1)

    def _arrange(self) -> None:
        wanted = self._filter.casefold().split()
        rows = list(self._all)
        if wanted:
            rows = [one for one in rows if all(w in one.spoken.casefold() for w in wanted)]
        rows.sort(key=_KEYS[self.column], reverse=self.reversed)
        rows.sort(key=lambda one: one.is_guide)
        before = self._rows
        if [one.model.name for one in before] == [one.model.name for one in rows]:
            self._rows = rows
            self._tell_changed(before)
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _tell_changed(self, before: list[Entry]) -> None:
        both = zip(before, self._rows, strict=True)
        changed = [number for number, (old, new) in enumerate(both) if old is not new]
        if changed:
            self.dataChanged.emit(self.index(changed[0], 0), self.index(changed[-1], Column.DO))

    # What Qt asks

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(Column)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        one = self._rows[index.row()]
        column = Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(one, column)
            case Qt.ItemDataRole.EditRole:
                return one.model.name if column is Column.NAME else None
            case Qt.ItemDataRole.AccessibleTextRole:
                return one.spoken if column is Column.NAME else self._text(one, column)
            case Qt.ItemDataRole.ToolTipRole:
                return self._tip(one, column)
            case _ if role == ENTRY:
                return one
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        one = self._rows[index.row()]
        name = " ".join(str(value).split())
        if not name or name == one.model.name:
            return False
        self._rename(one.model.name, name)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == Column.NAME and not self._rows[index.row()].is_guide:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return self.title(Column(section))

    def title(self, column: Column) -> str:
        """What stands above a column."""
        match column:
            case Column.NAME:
                return self.tr("Name")
            case Column.SIZE:
                return self.tr("Size")
            case Column.ABILITIES:
                return self.tr("Can")
            case Column.HERE:
                return self.tr("On this computer")
            case Column.USED:
                return self.tr("Last used")
            case Column.ORIGIN:
                return self.tr("From")
        return ""

    def _text(self, one: Entry, column: Column) -> str:
        match column:
            case Column.NAME:
                return one.name
            case Column.SIZE:
                return one.size
            case Column.ABILITIES:
                return one.abilities
            case Column.HERE:
                return " · ".join(part for part in (one.here.tag, one.here.meaning) if part)
            case Column.USED:
                return one.used
            case Column.ORIGIN:
                return one.origin
        return self.tr("Chat") if one.can_chat else ""

    def _tip(self, one: Entry, column: Column) -> str | None:
        match column:
            case Column.NAME:
                return str(one.model.path)
            case Column.HERE:
                return one.here.tip or None
            case Column.ORIGIN:
                return _whence(one)
        return None


def _whence(one: Entry) -> str:
    origin = one.model.origin
    if origin is None or not origin.where:
        return one.origin
    return f"{one.origin}: {origin.where}" + (f"/{origin.file}" if origin.file else "")
