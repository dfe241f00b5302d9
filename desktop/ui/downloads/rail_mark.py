"""The small mark at the rail's "Models" while something is on its way: a ring that fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton, QWidget

from desktop.ui.look import Look

if TYPE_CHECKING:
    from desktop.services.downloads_entry import Download
    from desktop.ui.downloads.downloads_model import DownloadsModel

_WHOLE = 360 * 16  # Qt counts sixteenths of a degree
_TOP = 90 * 16


class RailMark(QWidget):
    """Lies over a corner of its button and lets the mouse through."""

    def __init__(self, look: Look, button: QToolButton, downloads: DownloadsModel) -> None:
        super().__init__(button)
        self._look = look
        self._button = button
        self._downloads = downloads
        self._steps = -1
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        button.installEventFilter(self)
        downloads.changed.connect(self.refresh)
        downloads.progressed.connect(self.refresh)
        self.refresh()

    @property
    def share(self) -> float:
        """How far all that are wanted are together, 0 to 1."""
        return max(0, self._steps) / 100

    def refresh(self) -> None:
        """Show how far it is; painted only where that can be seen."""
        active = self._downloads.active
        steps = _percent(active)
        if steps != self._steps or (steps >= 0) == self.isHidden():
            self._steps = steps
            self.setVisible(steps >= 0)
            words = ""
            if steps >= 0:
                words = self.tr("%n download(s)", "", len(active))
                words = self.tr("{downloads}, {percent} % here").format(
                    downloads=words, percent=steps
                )
            self._button.setAccessibleDescription(words)
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        s = self._look.sizes
        side = s.icon_small
        middle = self._button.width() // 2 + s.icon_rail // 2
        self.setGeometry(middle, s.space_1, side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        s = self._look.sizes
        ring = QRectF(self.rect()).adjusted(s.focus, s.focus, -s.focus, -s.focus)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.color("side"))
        painter.drawEllipse(QRectF(self.rect()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._look.color("line_strong"), s.focus))
        painter.drawEllipse(ring)
        painter.setPen(QPen(self._look.color("accent"), s.focus))
        painter.drawArc(ring, _TOP, -round(_WHOLE * self.share))
        painter.end()


def _percent(active: tuple[Download, ...]) -> int:
    """-1 where nothing is on its way."""
    if not active:
        return -1
    total = sum(entry.total_bytes for entry in active)
    return int(100 * sum(entry.bytes for entry in active) / total) if total else 0
