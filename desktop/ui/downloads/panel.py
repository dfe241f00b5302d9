"""The section "Downloads" of the place "Models": what is on its way, in its order."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QWidget

from desktop.ui.downloads.downloads_model import DownloadsModel
from desktop.ui.downloads.row import MIME, DownloadRow
from desktop.ui.look import Look
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text
from desktop.ui.session import Session


class DownloadsPanel(QWidget):
    """Hides itself while there is nothing to show."""

    def __init__(self, look: Look, session: Session, downloads: DownloadsModel) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._downloads = downloads
        self._drop_at: int | None = None
        self.rows: list[DownloadRow] = []
        self.all = Button(look, "", self._pause_or_resume_all, kind="quiet")
        self.tidy = Button(look, self.tr("Tidy up"), self._forget_ended, kind="quiet")
        self.tidy.setToolTip(self.tr("Take what is done or failed out of this list"))
        self._list = column(space=s.space_2)
        heading = row(
            Text(self.tr("Downloads"), "heading"), 1, self.tidy, self.all, space=s.space_1
        )
        self.setLayout(column(heading, self._list, space=s.space_3))
        self.setAcceptDrops(True)
        self.setAccessibleName(self.tr("Downloads"))
        downloads.changed.connect(self.refresh)
        downloads.progressed.connect(self._show_figures)
        self.refresh()

    def refresh(self) -> None:
        """Show the queue as it is now; rows that stay keep the keyboard."""
        entries = self._downloads.entries
        known = {entry_row.entry.id: entry_row for entry_row in self.rows}
        wanted = {entry.id for entry in entries}
        for id, old in known.items():
            if id not in wanted:
                self._list.removeWidget(old)
                old.hide()
                old.deleteLater()
        self.rows = []
        for number, entry in enumerate(entries):
            found = known.get(entry.id)
            if found is None:
                found = DownloadRow(self._look, self._session, self._downloads, entry)
                found.moved.connect(self._move_by)
            else:
                found.show_entry(entry)
            if self._list.indexOf(found) != number:
                self._list.insertWidget(number, found)
            self.rows.append(found)
        self._put_in_tab_order()
        self._show_heading()
        if not entries:
            self.hide()
        elif self.parentWidget() is not None:  # else it would be a window for a moment
            self.show()

    def row_of(self, id: str) -> DownloadRow | None:
        return next((found for found in self.rows if found.entry.id == id), None)

    def _show_figures(self) -> None:
        entries = {entry.id: entry for entry in self._downloads.entries}
        for found in self.rows:
            if found.entry.id in entries:
                found.show_entry(entries[found.entry.id])

    def _show_heading(self) -> None:
        entries = self._downloads.entries
        under_way = [entry for entry in entries if not entry.is_ended]
        is_paused = all(entry.state == "paused" for entry in under_way)
        self.all.setText(self.tr("All go on") if is_paused else self.tr("Pause all"))
        self.all.setVisible(len(under_way) > 1)
        self.tidy.setVisible(sum(entry.is_ended for entry in entries) > 1)

    def _put_in_tab_order(self) -> None:
        before: QWidget = self.all
        for found in self.rows:
            for part in (found, found.main, found.other, found.close_icon):
                QWidget.setTabOrder(before, part)
                before = part

    def _pause_or_resume_all(self) -> None:
        under_way = [entry for entry in self._downloads.entries if not entry.is_ended]
        if all(entry.state == "paused" for entry in under_way):
            self._downloads.resume_all()
        else:
            self._downloads.pause_all()

    def _forget_ended(self) -> None:
        for entry in self._downloads.entries:
            if entry.is_ended:
                self._downloads.forget(entry.id)

    def _move_by(self, id: str, step: int) -> None:
        ids = [found.entry.id for found in self.rows]
        place = ids.index(id) + step
        if 0 <= place < len(ids):
            self._downloads.move(id, place)

    # Dragging a row to another place

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(MIME):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._show_drop(self._gap_at(event.position().toPoint().y()))
        event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._show_drop(None)

    def dropEvent(self, event: QDropEvent) -> None:
        gap = self._gap_at(event.position().toPoint().y())
        self._show_drop(None)
        id = bytes(event.mimeData().data(MIME).data()).decode()
        ids = [found.entry.id for found in self.rows]
        if id in ids:
            event.acceptProposedAction()
            self._downloads.move(id, gap - (ids.index(id) < gap))

    def _gap_at(self, y: int) -> int:
        """Before which row a thing that is dropped there goes."""
        return sum(y > found.geometry().center().y() for found in self.rows)

    def _show_drop(self, gap: int | None) -> None:
        if gap != self._drop_at:
            self._drop_at = gap
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._drop_at is None or not self.rows:
            return
        s = self._look.sizes
        if self._drop_at < len(self.rows):
            y = self.rows[self._drop_at].geometry().top() - s.space_1
        else:
            y = self.rows[-1].geometry().bottom() + s.space_1
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.color("accent"))
        painter.drawRect(0, y - s.focus // 2, self.width(), s.focus)
        painter.end()
