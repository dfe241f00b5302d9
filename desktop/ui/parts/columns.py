"""Things of one width side by side, fewer of them where the window is narrow."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.ui.parts.boxes import clear


class Columns(QWidget):
    """At most `most` in a row, none narrower than `least_width` pixels or than it can be."""

    def __init__(self, space: int, least_width: int, most: int) -> None:
        super().__init__()
        self._space = space
        self._least_width = least_width
        self._most = most
        self._shown: list[QWidget] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(space)

    def show_widgets(self, widgets: list[QWidget]) -> None:
        """Show these and delete what was there."""
        clear(self._grid)
        self._shown = widgets
        self._columns = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        """One column: with the width of several, the window could never become narrow again."""
        hint = super().minimumSizeHint()
        needed = max((w.minimumSizeHint().width() for w in self._shown), default=0)
        return QSize(needed, hint.height())

    def _arrange(self) -> None:
        needed = max((w.minimumSizeHint().width() for w in self._shown), default=0)
        least = max(self._least_width, needed)
        fitting = (self.width() + self._space) // (least + self._space)
        columns = max(1, min(fitting, self._most))
        if columns == self._columns:
            return
        self._columns = columns
        for place in range(max(columns, self._grid.columnCount())):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)
        for number, widget in enumerate(self._shown):
            self._grid.addWidget(widget, number // columns, number % columns)
