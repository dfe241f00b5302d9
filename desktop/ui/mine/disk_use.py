"""What the models take of the disk: in a sentence, in a bar, the largest by name."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop.common.wording import Language, format_bytes
from desktop.library.model import LibraryModel
from desktop.ui.look import Look
from desktop.ui.model_names import display_name
from desktop.ui.parts.boxes import column
from desktop.ui.parts.text import Text

NAMED = 3
_STRENGTHS = (1.0, 0.65, 0.4, 0.22)
"""How strong the accent is for the largest, the next, and all others together."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the bar: whose it is, and how much of the disk it takes."""

    name: str
    file_bytes: int


def shares(models: list[LibraryModel], others: str) -> tuple[Share, ...]:
    """The largest models by name, and all `others` as one; without what is not on this disk."""
    here = [m for m in models if m.file_bytes and m.source != "built_in" and not _is_elsewhere(m)]
    here.sort(key=lambda model: -model.file_bytes)
    named = here if len(here) == NAMED + 1 else here[:NAMED]
    found = [Share(display_name(model.name), model.file_bytes) for model in named]
    rest = here[len(named) :]
    if rest:
        found.append(Share(others, sum(model.file_bytes for model in rest)))
    return tuple(found)


def _is_elsewhere(model: LibraryModel) -> bool:
    return model.is_shared or model.problem in ("vanished", "drive_gone")


class ShareBar(QLabel):
    """The bar with its legend: painted, and told to screen readers as its words."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shares: tuple[tuple[Share, str], ...] = ()
        self._free_bytes = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_shares(
        self, found: tuple[Share, ...], free_bytes: int | None, language: Language
    ) -> None:
        """`free_bytes` stay empty at the end of the bar; None: nobody knows, the bar is full."""
        self._shares = tuple(
            (one, f"{one.name} {format_bytes(one.file_bytes, language)}") for one in found
        )
        self._free_bytes = free_bytes or 0
        self.setAccessibleName(", ".join(words for _one, words in self._shares))
        self.update()

    def sizeHint(self) -> QSize:
        s = self._look.sizes
        small = QFontMetrics(self._look.font("small")).height()
        return QSize(s.card_min, s.meter + s.space_2 + small)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        s = self._look.sizes
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_bar(painter, QRectF(0, 0, self.width(), s.meter))
        font = self._look.font("small")
        metrics = QFontMetrics(font)
        painter.setFont(font)
        x, top = 0, s.meter + s.space_2
        for (_one, words), strength in zip(self._shares, _STRENGTHS, strict=False):
            width = s.dot + s.space_1 + metrics.horizontalAdvance(words)
            if x and x + width > self.width():
                break
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setOpacity(strength)
            painter.setBrush(self._look.color("accent"))
            middle = top + metrics.height() / 2
            painter.drawEllipse(QRectF(x, middle - s.dot / 2, s.dot, s.dot))
            painter.setOpacity(1.0)
            painter.setPen(self._look.color("muted"))
            room = self.width() - x - s.dot - s.space_1
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
            painter.drawText(
                QRectF(x + s.dot + s.space_1, top, room, metrics.height()),
                Qt.AlignmentFlag.AlignVCenter,
                shown,
            )
            x += width + s.space_4
        painter.end()

    def _paint_bar(self, painter: QPainter, whole: QRectF) -> None:
        used = sum(one.file_bytes for one, _words in self._shares)
        total = max(1, used + self._free_bytes)
        path = QPainterPath()
        path.addRoundedRect(whole, whole.height() / 2, whole.height() / 2)
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(whole, self._look.color("line"))
        x = whole.left()
        for (one, _words), strength in zip(self._shares, _STRENGTHS, strict=False):
            width = max(whole.height() / 2, whole.width() * one.file_bytes / total)
            painter.setOpacity(strength)
            painter.fillRect(QRectF(x, 0, width, whole.height()), self._look.color("accent"))
            x += width
        painter.restore()


class DiskUse(QWidget):
    """Hidden while there is nothing to tell."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.words = Text(kind="small_muted", wrap=True)
        self.bar = ShareBar(look)
        self.setLayout(column(self.words, self.bar, space=look.sizes.space_2))

    def show_models(
        self, models: list[LibraryModel], free_bytes: int | None, language: Language
    ) -> None:
        """Tell of these models; `free_bytes` is what is free where new ones go."""
        found = shares(models, self.tr("all others"))
        self.setVisible(len(found) > 1)
        used = format_bytes(sum(one.file_bytes for one in found), language)
        if free_bytes is None:
            self.words.setText(self.tr("Your models take {used}.").format(used=used))
        else:
            free = format_bytes(free_bytes, language)
            words = self.tr("Your models take {used}; {free} are free.")
            self.words.setText(words.format(used=used, free=free))
        self.bar.show_shares(found, free_bytes, language)
