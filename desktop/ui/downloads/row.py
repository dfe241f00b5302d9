"""One download in the panel: what it is, how far it is, what one can do about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QDrag, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication

from desktop.ui.downloads.face import DownloadFace
from desktop.ui.downloads.words import DownloadWords
from desktop.ui.look import Look
from desktop.ui.parts.boxes import Card, column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.downloads_entry import Download
    from desktop.ui.downloads.downloads_model import DownloadsModel

HEARD_EVERY_S = 5.0
MIME = "application/x-hausgeist-download"
# Errors whose usual sentence asks to try again, which happens by itself here.
_WAITED_OUT = ("no_room_for_download", "disk_full", "hub_busy", "download_busy")
_TONES = {"running": "accent", "verifying": "accent", "done": "ok", "failed": "bad"}


class DownloadRow(Card):
    """A card with the focus of the keyboard: Space pauses, Delete cancels, Alt+Up and Alt+Down
    move it, as dragging does."""

    moved = Signal(str, int)

    def __init__(
        self, look: Look, session: Session, downloads: DownloadsModel, entry: Download
    ) -> None:
        s = look.sizes
        self._look = look
        self._session = session
        self._downloads = downloads
        self._words = DownloadWords(session.language)
        self._pressed_at: QPoint | None = None
        self._heard: tuple[object, ...] = ()
        self._heard_s = 0.0
        self._named: tuple[str, ...] = ()
        self.face = DownloadFace(look)
        self.note = Text(kind="small", wrap=True)
        self.main = Button(look, "")
        self.main.clicked.connect(self._act)
        self.other = Button(look, "", self._give_up)
        self.close_icon = IconButton(look, "x", "", self._give_up)
        self._left = column(1, self.face, self.note, 1, space=s.space_2)
        line = row(self._left, self.main, self.other, self.close_icon, space=s.space_3)
        line.setStretchFactor(self._left, 1)
        super().__init__(look, line)
        self.entry = entry
        # One width for what changes places, so that the bars of all rows end alike.
        self.main.setMinimumWidth(self._widest(self.tr("Pause"), self.tr("Go on")))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.show_entry(entry)

    def show_entry(self, entry: Download) -> None:
        """What holds now; only where more than figures is new, anything is laid out anew."""
        self.entry = entry
        words = self._words.line(entry)
        self.face.show_words(entry.name or entry.reference, words)
        self.face.show_share(entry.share, _TONES.get(entry.state, "line_strong"))
        self.face.show_bar(wanted=not entry.is_ended and entry.total_bytes > 0)
        self._tell_readers(words)
        note = self._note()
        if note != self.note.text():
            self.note.setText(note)
        self.note.setVisible(bool(note))
        self._show_buttons()

    def _tell_readers(self, words: str) -> None:
        """Screen readers hear of figures now and then, of everything else at once."""
        now = time.monotonic()
        shape = (self.face.name, self.entry.state, self.entry.is_repairing)
        if shape == self._heard and now - self._heard_s < HEARD_EVERY_S:
            return
        self._heard, self._heard_s = shape, now
        self.setAccessibleName(self.face.name)
        self.setAccessibleDescription(words)

    def _widest(self, *labels: str) -> int:
        return max(Button(self._look, label).sizeHint().width() for label in labels)

    def _note(self) -> str:
        """Why it does not go on, and what helps."""
        error = self.entry.error
        if error is not None:
            messages = self._session.messages
            if self.entry.state == "waiting" and error.kind in _WAITED_OUT:
                return messages.text(f"downloads.waits.{error.kind}", **error.params)
            return messages.error(error)
        if self.entry.state == "metered":
            return self.tr(
                "This line is paid by volume. It goes on by itself on another one; the settings "
                "say whether to wait for that."
            )
        return ""

    def _show_buttons(self) -> None:
        label = self._label()
        self.main.setVisible(bool(label))
        if label != self.main.text():
            self.main.setText(label)
        is_small = self.entry.is_ended
        gone = self.tr("Remove from the list") if is_small else self.tr("Cancel")
        name = self.face.name
        if (label, gone, name) == self._named:
            return
        self._named = (label, gone, name)
        self.main.setAccessibleName(f"{label}: {name}")
        self.other.setVisible(not is_small)
        self.close_icon.setVisible(is_small)
        self.other.setText(gone)
        self.other.setAccessibleName(f"{gone}: {name}")
        self.close_icon.setToolTip(gone)
        self.close_icon.setAccessibleName(f"{gone}: {name}")

    def _label(self) -> str:
        match self.entry.state:
            case "done":
                return self.tr("Chat now") if self.entry.model is not None else ""
            case "failed":
                return self.tr("Try again")
            case "paused":
                return self.tr("Go on")
            case "waiting" | "offline" if self.entry.error and self.entry.retry_in_s is not None:
                return self.tr("Try now")
        return self.tr("Pause")

    def _act(self) -> None:
        """What the first button says."""
        id = self.entry.id
        match self.entry.state:
            case "done":
                self._downloads.chat(self.entry)
            case "failed":
                self._downloads.retry(id)
            case "paused":
                self._downloads.resume(id)
            case "waiting" | "offline" if self.entry.error and self.entry.retry_in_s is not None:
                self._downloads.retry(id)
            case _:
                self._downloads.pause(id)

    def _give_up(self) -> None:
        self._downloads.cancel(self.entry.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, alt = event.key(), event.modifiers() & Qt.KeyboardModifier.AltModifier
        does: Callable[[], None] | None = None
        if alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = -1 if key == Qt.Key.Key_Up else 1
            self.moved.emit(self.entry.id, step)
            return
        if key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            does = self._act
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            does = self._give_up
        if does is None:
            super().keyPressEvent(event)
        else:
            does()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Dragging begins a little off the place where the button went down."""
        start = self._pressed_at
        if start is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        way = event.position().toPoint() - start
        if way.manhattanLength() < QApplication.startDragDistance():
            return
        self._pressed_at = None
        drag = QDrag(self)
        data = QMimeData()
        data.setData(MIME, self.entry.id.encode())
        drag.setMimeData(data)
        drag.setPixmap(self.grab())
        drag.setHotSpot(start)
        drag.exec(Qt.DropAction.MoveAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = None
        super().mouseReleaseEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.face.stack(wanted=self.width() < self._look.sizes.column)
