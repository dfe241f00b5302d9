"""A computer that is not here: what it is, what would run there, what each step up brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.common.wording import format_bytes
from desktop.hardware.machine import Machine
from desktop.ui.look import Look
from desktop.ui.machine.advice_watch import AdviceWatch
from desktop.ui.machine.card_grid import CardGrid
from desktop.ui.machine.cards import facts
from desktop.ui.machine.fact_card import FactCard
from desktop.ui.machine.steps_card import StepsCard
from desktop.ui.parts.boxes import Card, Frame, clear, column, row
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.session import Session
from desktop.ui.words import page_time, report_words

if TYPE_CHECKING:
    from desktop.fit.types import FitReport
    from desktop.services.machine_advice import Advice


class OtherComputer(QWidget):
    """Static cards, recommended models, one's own models, and the steps."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self.advice = AdviceWatch(session)
        self._shown: tuple[object, ...] = ()
        self._machine: Machine | None = None
        self.name = Text(kind="heading", wrap=True)
        self.sentence = Text(kind="muted", wrap=True)
        self._grid = CardGrid(look)
        self._recommended = QVBoxLayout()
        self._recommended.setSpacing(0)
        self._mine = QVBoxLayout()
        self._mine.setSpacing(0)
        self._mine_part = QWidget()
        self._mine_part.setLayout(
            column(
                Text(self.tr("Your models there"), "heading"),
                Card(look, self._mine),
                space=s.space_2,
            )
        )
        good = Text(self.tr("What would run well there"), "heading")
        steps = StepsCard(look, session, self.advice)
        more = Text(self.tr("What would more bring?"), "heading")
        self.setLayout(
            column(
                column(self.name, self.sentence, space=s.space_1),
                self._grid,
                column(good, Card(look, self._recommended), space=s.space_2),
                self._mine_part,
                column(more, steps, space=s.space_2),
                space=s.space_4,
            )
        )
        self.advice.changed.connect(self._show_advice)

    def show_machine(self, machine: Machine, name: str) -> None:
        """Be about this one from now on."""
        from desktop.services.machine import sold_size_gb, summary  # the engine's floor

        self.name.setText(name)
        key, params = summary(machine)
        self.sentence.setText(self._session.messages.text(key, **params))
        ram_gb = sold_size_gb(machine.memory.total_bytes)
        language = self._session.language
        self._grid.show_cards(
            [FactCard(self._look, fact) for fact in facts(machine, language, ram_gb)]
        )
        self._shown = ()
        self._machine = machine
        self.advice.ask(machine)
        self._show_advice()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.advice.drop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._machine is not None:
            self.advice.ask(self._machine)

    def _show_advice(self) -> None:
        """The first two lists come whole with the first answer; only the steps grow."""
        advice = self.advice.advice
        shown = (self.advice.machine, advice is None, self.advice.error)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self._recommended)
        clear(self._mine)
        self._mine_part.setVisible(advice is not None and bool(advice.mine))
        if advice is None:
            words = self.tr("Working out what would run there …")
            self._recommended.addWidget(Text(words, "muted"))
            return
        self._show_recommended(advice)
        for number, (model, report) in enumerate(advice.mine):
            last = number == len(advice.mine) - 1
            size = format_bytes(model.file_bytes, self._session.language)
            self._mine.addWidget(self._row(model.name, size, "", report, last=last))

    def _show_recommended(self, advice: Advice) -> None:
        if not advice.recommended:
            words = self.tr("None of the known models runs well there; the built-in guide does.")
            self._recommended.addWidget(Text(words, "muted", wrap=True))
        for number, found in enumerate(advice.recommended):
            label = self._session.messages.text(f"recommend.label.{found.label}")
            size = format_bytes(found.disk_bytes, self._session.language)
            words = f"{found.file.quantization} · {size}"
            last = number == len(advice.recommended) - 1
            name = found.model.name
            self._recommended.addWidget(self._row(name, words, label, found.report, last=last))

    def _row(self, name: str, words: str, label: str, report: FitReport, *, last: bool) -> Frame:
        """Two lines: a name must not give way to its numbers where the window is narrow."""
        s = self._look.sizes
        head = row(Elided(name, "strong"), space=s.space_3)
        if label:
            head.addWidget(Tag(label, "accent"))
        head.addStretch(1)
        head.addWidget(Tag(*report_words(report)))
        speed = report.speed.tokens_per_s
        if speed and report.verdict != "too_large":
            words = f"{words} · {page_time(speed, self._session.language)}"
        lines = column(head, Text(words, "small_muted", wrap=True), space=s.space_1)
        frame = Frame("row", row(lines, margins=(0, s.space_2, 0, s.space_2)))
        frame.setProperty("last", last)
        return frame
