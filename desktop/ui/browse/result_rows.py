"""The rows of the results: what is painted and read out of each repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from desktop.common.messages import Messages
from desktop.hardware.machine import Machine
from desktop.hub.search import FoundRepo
from desktop.services.rough_fit import rough_fit
from desktop.ui.browse.finder import Finder
from desktop.ui.browse.ours import is_ours
from desktop.ui.browse.words import facts, one_line
from desktop.ui.parts.text import Tone

Index = QModelIndex | QPersistentModelIndex

ROW = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Shown:
    """One row in words. `tag` is the verdict, "" where nothing can be said."""

    repo: str
    name: str
    author: str
    facts: str
    tag: str = ""
    tone: Tone = ""
    lock: bool = False
    ours: str = ""

    def spoken(self, gated: str) -> str:
        """All of it, for a screen reader."""
        lock = gated if self.lock else ""
        said = (self.name, self.author, self.ours, self.tag, lock, self.facts)
        return ", ".join(words for words in said if words)


class ResultRows(QAbstractListModel):
    """Follows the finder; words are made when a row is first looked at."""

    def __init__(
        self, finder: Finder, messages: Messages, machine: Callable[[], Machine | None]
    ) -> None:
        super().__init__()
        self._finder = finder
        self._messages = messages
        self._machine = machine
        self._today = date.today()
        self._count = len(finder.rows)
        self._made: dict[int, Shown] = {}
        self._gated = self.tr("only with consent to its maker's terms")
        finder.emptied.connect(self._emptied)
        finder.grew.connect(self._grew)

    def found(self, row: int) -> FoundRepo | None:
        """What the search said of a row."""
        return self._finder.rows[row] if 0 <= row < self._count else None

    def judge_anew(self) -> None:
        """The machine is another one, or known only now."""
        self._made.clear()
        if self._count:
            self.dataChanged.emit(self.index(0), self.index(self._count - 1))

    def shown(self, row: int) -> Shown:
        """The words of a row."""
        made = self._made.get(row)
        if made is None:
            made = self._made[row] = self._words(self._finder.rows[row])
        return made

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or not 0 <= index.row() < self._count:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.shown(index.row()).name
            case Qt.ItemDataRole.AccessibleTextRole:
                return self.shown(index.row()).spoken(self._gated)
            case Qt.ItemDataRole.ToolTipRole:
                return self.shown(index.row()).repo
            case _ if role == ROW:
                return self.shown(index.row())
        return None

    def _words(self, found: FoundRepo) -> Shown:
        tag, tone = self._verdict(found)
        return Shown(
            repo=found.repo,
            name=one_line(found.name),
            author=one_line(found.author),
            facts=" · ".join(facts(found, self._messages, self._today)),
            tag=tag,
            tone=tone,
            lock=found.gated != "",
            ours=self.tr("From your organisation") if is_ours(found.repo) else "",
        )

    def _verdict(self, found: FoundRepo) -> tuple[str, Tone]:
        machine = self._machine()
        match None if machine is None else rough_fit(found.parameters, machine):
            case "fits":
                return self.tr("Should fit"), "ok"
            case "tight":
                return self.tr("May just fit"), "warn"
            case "too_large":
                return self.tr("Too large"), "bad"
        return "", ""

    def _emptied(self) -> None:
        self.beginResetModel()
        self._count = 0
        self._made.clear()
        self.endResetModel()

    def _grew(self, first: int, last: int) -> None:
        self.beginInsertRows(QModelIndex(), first, last)
        if first < self._count:  # they came before others, whose numbers are new
            self._made.clear()
        self._count += last - first + 1
        self.endInsertRows()
