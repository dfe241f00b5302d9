"""A few lines to write in, for a standing instruction or a template."""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontDatabase, QFontMetrics
from PySide6.QtWidgets import QPlainTextEdit

from desktop.ui.look import Look


class TextArea(QPlainTextEdit):
    """Tab goes on to the next field; what is longer than `lines` scrolls."""

    def __init__(self, look: Look, name: str, *, lines: int, code: bool = False) -> None:
        super().__init__()
        s = look.sizes
        self.setProperty("role", "area")
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        font = look.font("code" if code else "text")
        if code:
            fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
            fixed.setPointSizeF(font.pointSizeF())
            font = QFont(fixed)
        self.setFont(font)
        self.setFixedHeight(QFontMetrics(font).lineSpacing() * lines + 2 * s.space_3)
