"""Words that change every second: painted, so that the page need not be laid out anew for them."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from desktop.ui.look import Look
from desktop.ui.tokens import Theme


@dataclass(frozen=True, slots=True)
class Part:
    """A few words that stay together, behind a dot of that colour where one is named."""

    words: str
    dot: str = ""


class LiveWords(QLabel):
    """Parts in one type (the small muted one), in as many lines as it was made for.

    A label for screen readers, whose name is all of the words; it never asks for more room.
    """

    def __init__(
        self, look: Look, lines: int = 1, *, size: str = "small", token: str = "muted"
    ) -> None:
        super().__init__()
        self._look = look
        self._lines = lines
        self._size = size
        self._token = token
        self._made: tuple[Theme, QFont, QFontMetricsF] | None = None
        self.parts: tuple[Part, ...] = ()
        # It fills its own ground, so that the card below is not painted for every word.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_parts(self, *parts: Part) -> None:
        """Show these; nothing is painted where they are what stands there."""
        if parts == self.parts:
            return
        self.parts = parts
        self.setAccessibleName(", ".join(part.words for part in parts))
        self.update()

    def _type(self) -> tuple[QFont, QFontMetricsF]:
        """The font of the present theme and its measures: made once, not at every paint."""
        theme = self._look.theme
        if self._made is None or self._made[0] is not theme:
            font = self._look.font(self._size, bold=self._size != "small")
            self._made = (theme, font, QFontMetricsF(font))
        return self._made[1], self._made[2]

    def sizeHint(self) -> QSize:
        s = self._look.sizes
        height = self._type()[1].lineSpacing()
        return QSize(s.card_min // 2, round(self._lines * height + (self._lines - 1) * s.space_1))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        s = self._look.sizes
        font, metrics = self._type()
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("surface"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font)
        x, y, line = 0.0, 0.0, 1
        for part in self.parts:
            dot = s.dot + s.space_1 if part.dot else 0
            width = dot + metrics.horizontalAdvance(part.words)
            if x > 0 and x + width > self.width() and line < self._lines:
                x, y, line = 0.0, y + metrics.lineSpacing() + s.space_1, line + 1
            if part.dot:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self._look.color(part.dot))
                middle = y + metrics.lineSpacing() / 2
                painter.drawEllipse(QRectF(x, middle - s.dot / 2, s.dot, s.dot))
            painter.setPen(self._look.color(self._token))
            room = max(0.0, self.width() - x - dot)
            words = part.words
            if width - dot > room:
                words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
            painter.drawText(
                QRectF(x + dot, y, room, metrics.lineSpacing()),
                Qt.AlignmentFlag.AlignVCenter,
                words,
            )
            x += width + s.space_3
        painter.end()
