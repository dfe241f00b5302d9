"""Name, figures and bar of one download: painted, since they change four times a second."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from desktop.ui.look import Look
from desktop.ui.tokens import Theme

Fonts = tuple[QFont, QFontMetricsF, QFont, QFontMetricsF]


class DownloadFace(QLabel):
    """One line of words above a bar; where there is no room for both, the figures stand in a line
    of their own. It never asks for more room than it has."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._made: tuple[Theme, Fonts] | None = None
        self.name = ""
        self.words = ""
        self.share = 0.0
        self.tone = "accent"
        self.has_bar = True
        self._is_stacked = False
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_words(self, name: str, words: str) -> None:
        """Another name or other figures; only painted anew."""
        if (name, words) == (self.name, self.words):
            return
        self.name, self.words = name, words
        self.update()

    def show_share(self, share: float, tone: str) -> None:
        """Fill the bar to `share` (0 to 1) in the colour of a token."""
        if (share, tone) != (self.share, self.tone):
            self.share, self.tone = share, tone
            self.update()

    def show_bar(self, *, wanted: bool) -> None:
        """A bar that says nothing takes no room."""
        if wanted != self.has_bar:
            self.has_bar = wanted
            self.updateGeometry()

    def stack(self, *, wanted: bool) -> None:
        """Figures below the name: for narrow windows."""
        if wanted != self._is_stacked:
            self._is_stacked = wanted
            self.updateGeometry()
            self.update()

    def _fonts(self) -> Fonts:
        theme = self._look.theme
        if self._made is None or self._made[0] is not theme:
            strong, small = self._look.font("text", bold=True), self._look.font("small")
            fonts = (strong, QFontMetricsF(strong), small, QFontMetricsF(small))
            self._made = (theme, fonts)
        return self._made[1]

    def sizeHint(self) -> QSize:
        s = self._look.sizes
        _, strong, _, small = self._fonts()
        height = strong.lineSpacing()
        if self._is_stacked:
            height += small.lineSpacing()
        if self.has_bar:
            height += s.space_2 + s.meter
        return QSize(s.card_min // 2, round(height))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        s = self._look.sizes
        strong, strong_metrics, small, small_metrics = self._fonts()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, line = float(self.width()), strong_metrics.lineSpacing()
        room = width if self._is_stacked else width * 0.6
        name = strong_metrics.elidedText(self.name, Qt.TextElideMode.ElideMiddle, room)
        painter.setFont(strong)
        painter.setPen(self._look.color("text"))
        painter.drawText(QRectF(0, 0, width, line), Qt.AlignmentFlag.AlignBottom, name)
        x, y = strong_metrics.horizontalAdvance(name) + s.space_2, 0.0
        if self._is_stacked:
            x, y, line = 0.0, line, small_metrics.lineSpacing()
        painter.setFont(small)
        painter.setPen(self._look.color("muted"))
        words = small_metrics.elidedText(self.words, Qt.TextElideMode.ElideRight, width - x)
        # On the name's own line of writing, though it is smaller.
        up = 0.0 if self._is_stacked else strong_metrics.descent() - small_metrics.descent()
        painter.drawText(QRectF(x, y, width - x, line - up), Qt.AlignmentFlag.AlignBottom, words)
        if self.has_bar:
            self._paint_bar(painter)
        painter.end()

    def _paint_bar(self, painter: QPainter) -> None:
        height = self._look.sizes.meter
        whole = QRectF(0, self.height() - height, self.width(), height)
        radius = height / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.color("line"))
        painter.drawRoundedRect(whole, radius, radius)
        if self.share > 0:
            done = max(float(height), whole.width() * self.share)
            painter.setBrush(self._look.color(self.tone))
            painter.drawRoundedRect(QRectF(0, whole.y(), done, height), radius, radius)
