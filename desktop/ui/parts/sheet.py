"""A dialog in our look: a title, content that scrolls when it is too high, buttons below."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QLayout, QScrollArea, QWidget
from shiboken6 import isValid

from desktop.ui.focus_ring import FocusRing
from desktop.ui.look import Look
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.text import Text

T = TypeVar("T")

_MOST_OF_WINDOW = 0.92


class Sheet(QDialog):
    """Stands over its window until it is closed; put parts into `content`, buttons into `foot`.

    What must be seen however long the content is (warnings) goes into `notes`, above the buttons.

    Show it with `open()`: nothing waits for it, and it deletes itself when it is closed.
    """

    def __init__(self, look: Look, title: str, parent: QWidget, *, width: int = 0) -> None:
        super().__init__(parent.window())
        s = look.sizes
        self._wanted_width = width or s.sheet
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.content = column(space=s.space_3, margins=(s.space_5, 0, s.space_5, s.space_3))
        self._body = body = QWidget()
        body.setProperty("role", "page")
        body.setLayout(self.content)
        self._area = QScrollArea()
        self._area.setProperty("role", "page")
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(body)
        self.foot = row(1, space=s.space_2, margins=(s.space_5, s.space_3, s.space_5, s.space_4))
        self.notes = column(space=s.space_1, margins=(s.space_5, 0, s.space_5, 0))
        self.title = Text(title, "heading", wrap=True)
        self.title.setContentsMargins(s.space_5, s.space_5, s.space_5, s.space_3)
        self._layout = column(self.title, self._area, self.notes, self.foot)
        self._layout.setStretchFactor(self._area, 1)
        # The content scrolls: the window's least size does not follow it.
        self._layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.setLayout(self._layout)
        self._ring = FocusRing(look, self)

    def sizeHint(self) -> QSize:
        """As wide as wanted, as high as the content, but never larger than its window."""
        parent = self.parentWidget()
        most = parent.size() * _MOST_OF_WINDOW if parent is not None else QSize()
        width = min(self._wanted_width, most.width()) if parent is not None else self._wanted_width
        others = _height(self.title, width) + self.foot.sizeHint().height()
        # A layout is never hidden; one without anything visible has no height.
        others += self.notes.heightForWidth(width) if self.notes.hasHeightForWidth() else 0
        height = _height(self._body, width) + others
        return QSize(width, min(height, most.height()) if parent is not None else height)

    def while_open(self, run: Callable[[T], object]) -> Callable[[T], None]:
        """`run` for an answer that may come after the dialog was closed: then it is dropped."""

        def go(answer: T) -> None:
            if isValid(self) and self.isVisible():
                run(answer)

        return go

    def fit(self) -> None:
        """The content has changed: become as high as it is, once new parts are shown."""
        QTimer.singleShot(0, self, lambda: self.resize(self.sizeHint()))

    def focusNextPrevChild(self, next: bool) -> bool:
        before = QApplication.focusWidget()
        by_key = before is not None and before.isVisible() and before.isEnabled()
        moved = super().focusNextPrevChild(next)
        if by_key:
            self._ring.begin()
        return moved


def _height(widget: QWidget, width: int) -> int:
    """The height that a widget wants at this width."""
    if widget.hasHeightForWidth():
        return widget.heightForWidth(width)
    return widget.sizeHint().height()
