"""What stands below the guide while there is no other model."""

from __future__ import annotations

from PySide6.QtCore import Qt

from desktop.ui.look import Look
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.text import Text


class DropHint(Frame):
    """Says where models come from and what happens to a file that is dropped."""

    def __init__(self, look: Look) -> None:
        super().__init__("drop")
        s = look.sizes
        icon = row(1, IconLabel(look, "file-plus", "accent", s.mark), 1)
        head = Text(self.tr("Drop a model file here"), "heading")
        words = Text(
            self.tr(
                "A model is one file that ends in .gguf. The file stays where it is; Hausgeist "
                "only remembers its place. A whole folder can be dropped, too."
            ),
            "muted",
            wrap=True,
        )
        for text in (head, words):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words.setMaximumWidth(s.column)
        line = row(1, words, 1)
        line.setStretchFactor(words, 1000)
        margins = (s.space_5, s.space_5, s.space_5, s.space_5)
        self.setLayout(column(icon, head, line, space=s.space_2, margins=margins))
