"""The place "This computer": what it can do, in one sentence, in cards, and in full."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from desktop.hardware.machine import Machine
from desktop.ui.look import Look
from desktop.ui.machine.cards import Fact, details, facts
from desktop.ui.machine.models_here import ModelsHere
from desktop.ui.machine.watch import MachineWatch
from desktop.ui.models.shelf import Shelf
from desktop.ui.parts.banner import BannerBox
from desktop.ui.parts.boxes import Card, Page, clear, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.meter import Meter
from desktop.ui.parts.text import Text
from desktop.ui.session import Session


class CardGrid(QWidget):
    """Cards of one width, as many side by side as there is room for."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._cards: list[QWidget] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(look.sizes.space_3)

    def show_cards(self, cards: list[QWidget]) -> None:
        """Show these instead of those that were there."""
        clear(self._grid)
        self._cards = cards
        self._columns = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        s = self._look.sizes
        fitting = max(1, (self.width() + s.space_3) // (s.card_min + s.space_3))
        columns = min(fitting, max(1, len(self._cards)))
        if columns == self._columns:
            return
        for place in range(max(self._columns, columns)):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)
        self._columns = columns
        for number, card in enumerate(self._cards):
            self._grid.addWidget(card, number // columns, number % columns)


class MachinePage(Page):
    """Everything known about this computer, looked at again on request."""

    models_wanted = Signal()

    def __init__(self, look: Look, session: Session, watch: MachineWatch, shelf: Shelf) -> None:
        super().__init__(look, self.tr("This computer"))
        s = look.sizes
        self._look = look
        self._session = session
        self._watch = watch
        self._sentence = Text(kind="muted", wrap=True)
        self.refresh_button = Button(
            look, self.tr("Look again"), lambda: watch.look(again=True), icon="arrow-clockwise"
        )
        self._grid = CardGrid(look)
        self._notes = column(space=s.space_2)
        here = ModelsHere(look, session, shelf)
        here.models_wanted.connect(self.models_wanted)
        self._fold = Button(look, "", self._toggle, kind="quiet", icon="caret-right")
        self._details = QWidget()
        self._lines = column(space=s.space_2)
        self._details.setLayout(self._lines)
        self._details.hide()
        head = row(Text(self.tr("This computer"), "title"), 1, self.refresh_button)
        for part in (head, self._sentence, self._grid, self._notes, here):
            if isinstance(part, QWidget):
                self.content.addWidget(part)
            else:
                self.content.addLayout(part)
        self.content.addLayout(row(self._fold, 1))
        self.content.addWidget(self._details)
        self.content.addStretch(1)
        watch.changed.connect(self.refresh)
        self._say_fold()
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        watch = self._watch
        self.refresh_button.setEnabled(not watch.looking)
        machine = watch.machine
        self._fold.setVisible(machine is not None)
        if watch.error is not None:
            self._sentence.setText(self._session.messages.error(watch.error))
        elif machine is None:
            self._sentence.setText(self.tr("Looking at this computer …"))
        else:
            self._sentence.setText(watch.sentence)
            self._show(machine)

    def texts(self) -> list[str]:
        """All that is said on the page."""
        return [label.text() for label in self.findChildren(QLabel) if label.text()]

    def _show(self, machine: Machine) -> None:
        language = self._session.language
        self._grid.show_cards(
            [self._card(fact) for fact in facts(machine, language, self._watch.ram_gb)]
        )
        clear(self._notes)
        for note in machine.notes:
            words = self._session.messages.text(f"notes.{note.kind}", **dict(note.params))
            self._notes.addWidget(BannerBox(self._look, words, "info"))
        clear(self._lines)
        for name, value in details(machine, language):
            label = Text(name, "small_muted")
            label.setFixedWidth(self._look.sizes.card_min)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            shown = Text(value, "small", wrap=True, selectable=True)
            line = row(label, shown, space=self._look.sizes.space_3)
            line.setStretchFactor(shown, 1)
            self._lines.addLayout(line)

    def _card(self, fact: Fact) -> Card:
        figure = Text(fact.figure, "figure", wrap=True)
        card = Card(self._look, Text(fact.name, "small_muted"), figure)
        if fact.share is not None:
            meter = Meter(self._look, fact.name)
            meter.show_share(fact.share, fact.tone)
            card.inner.addWidget(meter)
        card.inner.addWidget(Text(fact.words, "small_muted", wrap=True))
        card.inner.addStretch(1)
        return card

    def _toggle(self) -> None:
        self._details.setVisible(self._details.isHidden())
        self._say_fold()

    def _say_fold(self) -> None:
        open_now = not self._details.isHidden()
        self._fold.setText(self.tr("Hide details") if open_now else self.tr("All details"))
        self._fold.show_icon(self._look, "caret-down" if open_now else "caret-right")
