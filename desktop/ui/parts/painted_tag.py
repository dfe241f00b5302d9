"""A small tinted word as `parts.text.Tag` is one, painted where there are no widgets."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from desktop.ui.look import Look
from desktop.ui.parts.text import Tone

_COLOURS: dict[Tone, tuple[str, str]] = {
    "": ("side", "muted"),
    "ok": ("ok_soft", "ok"),
    "warn": ("warn_soft", "warn"),
    "bad": ("bad_soft", "bad"),
    "accent": ("accent_soft", "accent_strong"),
}


def tag_width(look: Look, text: str) -> int:
    """How wide it is, its own padding included."""
    metrics = QFontMetrics(look.font("small"))
    return metrics.horizontalAdvance(text) + 2 * look.sizes.space_2


def paint_tag(painter: QPainter, look: Look, right_middle: QPoint, text: str, tone: Tone) -> QRect:
    """Paint it so that it ends at `right_middle`; returns where it stands."""
    s = look.sizes
    font = look.font("small")
    height = QFontMetrics(font).height() + s.space_1
    width = tag_width(look, text)
    rect = QRect(right_middle.x() - width, right_middle.y() - height // 2, width, height)
    ground, letters = _COLOURS[tone]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.color(ground))
    painter.drawRoundedRect(rect, s.radius_tag, s.radius_tag)
    painter.setFont(font)
    painter.setPen(look.color(letters))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    return rect
