"""A setting's drop-down, and the line in which a setting stands."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QStyledItemDelegate, QWidget

from desktop.ui.look import Look
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.text import Text


class Choice(QComboBox):
    """A drop-down whose arrow is one of our icons; the wheel scrolls the page, not the value."""

    def __init__(self, look: Look, name: str, options: list[tuple[str, object]]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumWidth(look.sizes.card_min)
        # The default one draws its own focus frame and leaves the style sheet's rows out.
        self.setItemDelegate(QStyledItemDelegate(self))
        for words, value in options:
            self.addItem(words, value)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        arrow = IconLabel(look, "caret-down", "muted", look.sizes.icon_small)
        arrow.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = row(1, arrow, margins=(0, 0, look.sizes.space_2, 0))
        self.setLayout(layout)

    def choose(self, value: object) -> None:
        """Show a value without telling anybody."""
        self.blockSignals(True)  # noqa: FBT003
        self.setCurrentIndex(max(0, self.findData(value)))
        self.blockSignals(False)  # noqa: FBT003


def setting_line(look: Look, name: str, words: str, control: QWidget) -> Frame:
    """What is chosen, what that means, and where one chooses it."""
    s = look.sizes
    left = column(Text(name), space=s.space_1)
    if words:
        left.addWidget(Text(words, "small_muted", wrap=True))
    line = row(left, control, space=s.space_4, margins=(0, s.space_2, 0, s.space_2))
    line.setStretchFactor(left, 1)
    return Frame("row", line)
