"""Boxes: layouts with our spacing, cards, lines and pages that scroll."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.ui.look import Look

Margins = tuple[int, int, int, int]


def fill(layout: QBoxLayout, *parts: QWidget | QLayout | int) -> None:
    """Put widgets and layouts into `layout` in order; a number is stretch of that weight."""
    for part in parts:
        if isinstance(part, QWidget):
            layout.addWidget(part)
        elif isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addStretch(part)


def row(
    *parts: QWidget | QLayout | int, space: int = 0, margins: Margins = (0, 0, 0, 0)
) -> QHBoxLayout:
    """Things side by side."""
    layout = QHBoxLayout()
    layout.setSpacing(space)
    layout.setContentsMargins(*margins)
    fill(layout, *parts)
    return layout


def column(
    *parts: QWidget | QLayout | int, space: int = 0, margins: Margins = (0, 0, 0, 0)
) -> QVBoxLayout:
    """Things below each other."""
    layout = QVBoxLayout()
    layout.setSpacing(space)
    layout.setContentsMargins(*margins)
    fill(layout, *parts)
    return layout


class Frame(QFrame):
    """A frame that the style sheet dresses by its role."""

    def __init__(self, role: str, layout: QLayout | None = None) -> None:
        super().__init__()
        self.setProperty("role", role)
        if layout is not None:
            self.setLayout(layout)


class Card(Frame):
    """A rounded surface with its content below each other."""

    def __init__(
        self, look: Look, *parts: QWidget | QLayout | int, space: int | None = None
    ) -> None:
        s = look.sizes
        inner = column(
            *parts,
            space=s.space_2 if space is None else space,
            margins=(s.space_4, s.space_4, s.space_4, s.space_4),
        )
        super().__init__("card", inner)
        self.inner = inner


class Page(QScrollArea):
    """A place that scrolls when it is too high, its content never wider than reads well.

    What is `centred` has the whole width and sets its own column.
    """

    def __init__(self, look: Look, name: str, *, centred: bool = False) -> None:
        super().__init__()
        s = look.sizes
        self.setProperty("role", "page")
        self.setAccessibleName(name)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        # The content is reached by Tab; the area itself would be a stop without a purpose.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        body.setProperty("role", "page")
        self.content = column(space=s.space_4)
        holder = QWidget()
        holder.setLayout(self.content)
        if not centred:
            holder.setMaximumWidth(s.page)
        outer = QHBoxLayout(body)
        outer.setContentsMargins(s.space_6, s.space_5, s.space_6, s.space_6)
        outer.addWidget(holder, 1000)
        if not centred:
            outer.addStretch(1)
        self.setWidget(body)


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        inner = item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)
