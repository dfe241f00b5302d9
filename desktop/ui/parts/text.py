"""Labels in the few kinds of type that the window has."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

Kind = Literal[
    "text",
    "title",
    "heading",
    "strong",
    "muted",
    "small",
    "small_muted",
    "small_strong",
    "column",
    "figure",
]
Tone = Literal["", "ok", "warn", "bad", "accent"]


class Text(QLabel):
    """A label; `wrap` lets it take several lines, otherwise it is one."""

    def __init__(
        self, text: str = "", kind: Kind = "text", *, wrap: bool = False, selectable: bool = False
    ) -> None:
        super().__init__(text)
        # What a model file or a person calls itself is never taken for HTML.
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", kind)
        self.setWordWrap(wrap)
        if selectable:
            self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)


class Elided(QLabel):
    """One line that ends in an ellipsis where there is no room, with the whole in its tip."""

    def __init__(self, text: str = "", kind: Kind = "text", *, middle: bool = False) -> None:
        """`middle` leaves out what stands there: of a path or a hash both ends tell more."""
        super().__init__()
        right, centre = Qt.TextElideMode.ElideRight, Qt.TextElideMode.ElideMiddle
        self._mode = centre if middle else right
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", kind)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def minimumSizeHint(self) -> QSize:
        size = super().minimumSizeHint()
        size.setWidth(self.fontMetrics().averageCharWidth() * 4)
        return size

    def paintEvent(self, event: QPaintEvent) -> None:
        metrics = self.fontMetrics()
        whole = metrics.horizontalAdvance(self.text()) <= self.width()
        tip = "" if whole else self.text()
        if self.toolTip() != tip:
            self.setToolTip(tip)
        if whole:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        elided = metrics.elidedText(self.text(), self._mode, self.width())
        painter.drawText(self.rect(), int(self.alignment()), elided)
        painter.end()


class Tag(QLabel):
    """A small tinted word for a state."""

    def __init__(self, text: str = "", tone: Tone = "") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "tag")
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)

    def show_state(self, text: str, tone: Tone) -> None:
        """Say another word in another tone."""
        self.setText(text)
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            restyle(self)


def restyle(widget: QWidget) -> None:
    """Have the style sheet look at the widget again after one of its properties changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()
