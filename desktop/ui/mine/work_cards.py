"""What is under way among the models: one card each, with a bar and a way to stop it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop.ui.look import Look
from desktop.ui.parts.boxes import Card, clear, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.meter import Meter
from desktop.ui.works import Work, Works


class PaintedLine(QLabel):
    """One line that changes often: painted, so that nothing is laid out anew for it."""

    def __init__(self, look: Look, token: str = "text") -> None:
        super().__init__()
        self._look = look
        self._token = token
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        return self._words

    def say(self, words: str) -> None:
        """Show other words."""
        if words != self._words:
            self._words = words
            self.setAccessibleName(words)
            self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._look.font("text"))
        return QSize(self._look.sizes.card_min // 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        font = self._look.font("text")
        painter = QPainter(self)
        painter.setFont(font)
        painter.setPen(self._look.color(self._token))
        middle = Qt.TextElideMode.ElideMiddle
        shown = QFontMetrics(font).elidedText(self._words, middle, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()


class WorkCard(Card):
    """One work: its words, its bar, and a button that stops it."""

    def __init__(self, look: Look, work: Work) -> None:
        self.work = work
        s = look.sizes
        self.words = PaintedLine(look)
        self.meter = Meter(look, work.words)
        self.stop = Button(look, "", self._stop)
        left = column(1, self.words, self.meter, 1, space=s.space_2)
        line = row(left, self.stop, space=s.space_4)
        line.setStretchFactor(left, 1)
        super().__init__(look, line)
        self.stop.setText(self.tr("Cancel"))
        self.stop.setAccessibleName(self.tr("Cancel: {what}").format(what=work.words))
        self.refresh()

    def refresh(self) -> None:
        """Say how far it is now."""
        words = self.tr("Stopping …") if self.work.stopping else self.work.words
        self.words.say(words)
        self.meter.setAccessibleName(words)
        self.meter.show_share(self.work.fraction or 0.0)
        self.stop.setEnabled(not self.work.stopping)

    def _stop(self) -> None:
        self.work.cancel()
        self.refresh()


class WorkCards(QWidget):
    """All works, oldest first; takes no room while there are none."""

    def __init__(self, look: Look, works: Works) -> None:
        super().__init__()
        self._look = look
        self._works = works
        self.cards: list[WorkCard] = []
        self._column = column(space=look.sizes.space_2)
        self.setLayout(self._column)
        works.changed.connect(self.refresh)
        works.progressed.connect(self._progressed)
        self.hide()  # shown by `refresh`, once it stands in its page: else it were a window

    def refresh(self) -> None:
        """Show what is under way now."""
        works = list(self._works.all)
        if [card.work for card in self.cards] != works:
            clear(self._column)
            self.cards = [WorkCard(self._look, work) for work in works]
            for card in self.cards:
                self._column.addWidget(card)
        self.setVisible(bool(self.cards))

    def _progressed(self, work: Work) -> None:
        for card in self.cards:
            if card.work is work:
                card.refresh()
