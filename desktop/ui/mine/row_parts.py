"""Where things stand in a row: painting and the mouse ask the same places."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtGui import QFont, QFontMetrics

from desktop.ui.look import Look


@dataclass(frozen=True, slots=True)
class RowMeasure:
    """Heights and widths of a row in the present type, and the type itself."""

    text: QFontMetrics
    strong: QFontMetrics
    small: QFontMetrics
    text_font: QFont
    strong_font: QFont
    small_font: QFont
    height: int
    tag_height: int


def measure(look: Look) -> RowMeasure:
    """What a row takes: two lines, and air above and below."""
    s = look.sizes
    text_font, small_font = look.font("text"), look.font("small")
    strong_font = look.font("text", bold=True)
    text, small = QFontMetrics(text_font), QFontMetrics(small_font)
    tag = small.height() + s.space_1
    lines = max(text.height(), tag) + s.space_1 + small.height()
    height = max(lines, s.target) + 2 * s.space_2 + s.line
    strong = QFontMetrics(strong_font)
    return RowMeasure(text, strong, small, text_font, strong_font, small_font, height, tag)


@dataclass(frozen=True, slots=True)
class Buttons:
    """The two buttons at the end of a row; `chat` is empty where one cannot chat."""

    chat: QRect
    dots: QRect


def chat_width(look: Look, words: str) -> int:
    """How wide the button "Chat" is; only its icon where `words` is ""."""
    s = look.sizes
    if not words:
        return s.target
    text = QFontMetrics(look.font("text")).horizontalAdvance(words)
    return s.space_3 + s.icon_small + s.space_2 + text + s.space_3


def buttons(look: Look, cell: QRect, words: str, *, can_chat: bool) -> Buttons:
    """Where they stand in the last cell of a row."""
    s = look.sizes
    top = cell.top() + (cell.height() - s.target) // 2
    dots = QRect(cell.right() - s.target + 1, top, s.target, s.target)
    if not can_chat:
        return Buttons(QRect(), dots)
    width = chat_width(look, words)
    return Buttons(QRect(dots.left() - s.space_1 - width, top, width, s.target), dots)
