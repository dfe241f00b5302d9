"""This computer: its gauges, what slows it down, the last five minutes, and all details."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.hardware.machine import Machine
from desktop.hardware.machine_file import write_machine
from desktop.ui.look import Look
from desktop.ui.machine.advice_watch import AdviceWatch
from desktop.ui.machine.card_grid import CardGrid
from desktop.ui.machine.cards import Fact, details, facts
from desktop.ui.machine.gauge_card import GaugeCard
from desktop.ui.machine.gauges import Now, gauges
from desktop.ui.machine.history_card import HistoryCard
from desktop.ui.machine.live_watch import LiveWatch
from desktop.ui.machine.measured_card import MeasuredCard
from desktop.ui.machine.models_here import ModelsHere
from desktop.ui.machine.slow_card import SlowCard
from desktop.ui.machine.steps_card import StepsCard
from desktop.ui.machine.watch import LANE, MachineWatch
from desktop.ui.mine.shelf import Shelf
from desktop.ui.model_session import ModelSession
from desktop.ui.notice import Toast
from desktop.ui.parts.banner import BannerBox
from desktop.ui.parts.boxes import clear, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.why_slow import Evidence

_ASKED_EVERY = 5
"""Readings between two answers to "why is it slow?": calm enough to be read."""


class ThisComputer(QWidget):
    """Follows the readings while it is in view."""

    models_wanted = Signal()

    def __init__(
        self, look: Look, session: Session, model: ModelSession, watch: MachineWatch, shelf: Shelf
    ) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._model = model
        self._watch = watch
        self.live = LiveWatch(session, model)
        # Another language makes all pages anew; a page that is gone must not keep the sensors busy.
        self.destroyed.connect(self.live.look_away)
        self._since_asked = 0
        self._keys: list[str] = []
        self._shown_machine: Machine | None = None
        self._facts: list[Fact] = []
        self._advised: Machine | None = None
        self.cards: list[GaugeCard] = []
        self._grid = CardGrid(look)
        self._notes = column(space=s.space_2)
        self.slow = SlowCard(look, session)
        self.history = HistoryCard(look)
        self.advice = AdviceWatch(session)
        self._more = QWidget()
        self._more.setLayout(
            column(
                Text(self.tr("What would more bring?"), "heading"),
                StepsCard(look, session, self.advice),
                space=s.space_2,
            )
        )
        self.measured = MeasuredCard(look, session)
        here = ModelsHere(look, session, shelf)
        here.models_wanted.connect(self.models_wanted)
        self._fold = Button(look, "", self._toggle, kind="quiet", icon="caret-right")
        self._details = QWidget()
        self._lines = column(space=s.space_2)
        self.save = Button(
            look, self.tr("Save this description …"), self.save_description, icon="download-simple"
        )
        self.save.setToolTip(self.tr("For planning on another computer, or for who helps you"))
        self._details.setLayout(column(self._lines, row(self.save, 1), space=s.space_4))
        self._details.hide()
        self._rest = QWidget()
        why = column(Text(self.tr("Why is it slow?"), "heading"), self.slow, space=s.space_2)
        past = column(
            Text(self.tr("The last five minutes"), "heading"), self.history, space=s.space_2
        )
        self._rest.setLayout(column(why, past, space=s.space_4))
        self.setLayout(
            column(
                self._grid,
                self._notes,
                self._rest,
                here,
                self.measured,
                self._more,
                row(self._fold, 1),
                self._details,
                space=s.space_4,
            )
        )
        self.live.changed.connect(self._tick)
        model.became_ready.connect(self.measured.refresh)
        session.ready.connect(self.measured.refresh)
        self.live.began.connect(lambda: self.history.start_over(list(self.live.readings)))
        watch.changed.connect(self.refresh)
        self._say_fold()
        self.refresh()

    def refresh(self) -> None:
        """Show the machine as it is known now."""
        machine = self._watch.machine
        self._fold.setVisible(machine is not None)
        self._rest.setVisible(machine is not None)
        self._more.setVisible(machine is not None)
        if machine is None:
            return
        self.history.show_machine(machine)
        self.history.start_over(list(self.live.readings))
        self._show_gauges(machine)
        self._why()
        self._show_notes(machine)
        if self.isVisible():
            self._ask_advice(machine)

    def save_description(self) -> None:
        """Write what is known of this computer into a file that another one can open."""
        machine = self._watch.machine
        name, _filter = QFileDialog.getSaveFileName(
            self,
            self.tr("Save the description of this computer"),
            self.tr("this-computer.json"),
            self.tr("Descriptions (*.json)"),
        )
        if not name or machine is None:
            return

        def done(_result: None) -> None:
            self._session.tell(Toast(self.tr("The description was saved.")))

        self._session.bridge.run(
            LANE, lambda: write_machine(Path(name), machine), done, self._session.tell_error
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.live.look()
        if self._watch.machine is not None:
            self._ask_advice(self._watch.machine)
        self.measured.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.live.look_away()
        self._advised = None if self.advice.working else self._advised
        self.advice.drop()

    def _ask_advice(self, machine: Machine) -> None:
        """Once for each look at the computer, whatever is in use on it just now."""
        if machine is self._advised:
            return
        self._advised = machine
        quiet = replace(machine.memory, available_bytes=None)
        gpus = tuple(replace(gpu, free_bytes=None) for gpu in machine.gpus)
        self.advice.ask(replace(machine, memory=quiet, gpus=gpus))

    def _tick(self) -> None:
        """Once a second: as little as possible."""
        machine, reading = self._watch.machine, self.live.reading
        if machine is None or reading is None:
            return
        self._show_gauges(machine)
        self.history.add(reading)
        self._since_asked += 1
        if self._since_asked >= _ASKED_EVERY or not self.slow.known:
            self._why()

    def _show_gauges(self, machine: Machine) -> None:
        new = machine is not self._shown_machine
        if new:
            self._shown_machine = machine
            self._facts = facts(machine, self._session.language, self._watch.ram_gb)
        found = gauges(machine, self._now(), self._session.language, self._facts)
        keys = [gauge.key for gauge in found]
        if new or keys != self._keys:
            self._keys = keys
            self.cards = [GaugeCard(self._look, gauge) for gauge in found]
            self._grid.show_cards(list(self.cards))
            return
        for card, gauge in zip(self.cards, found, strict=True):
            card.show_gauge(gauge)

    def _now(self) -> Now:
        report, last = self._model.state.report, self.live.last_answer
        return Now(
            self.live.reading,
            last.tokens_per_s or None if last is not None else None,
            None if report is None else report.speed.tokens_per_s,
        )

    def _why(self) -> None:
        from desktop.services.why_slow import why_slow  # not before the first paint

        self._since_asked = 0
        self.slow.show_causes(why_slow(self._evidence()), known=bool(self.live.readings))

    def _evidence(self) -> Evidence:
        from desktop.services.why_slow import Evidence

        report = self._model.state.report
        # Neither the small model nor somebody else's computer tells how fast this one is.
        aside = self._model.state.is_guide or self._model.state.is_remote
        return Evidence(
            tuple(self.live.readings),
            self._watch.machine,
            None if aside else report,
            None if aside else self.live.last_answer,
        )

    def _show_notes(self, machine: Machine) -> None:
        clear(self._notes)
        for note in machine.notes:
            words = self._session.messages.text(f"notes.{note.kind}", **dict(note.params))
            self._notes.addWidget(BannerBox(self._look, words, "info"))
        clear(self._lines)
        for name, value in details(machine, self._session.language):
            label = Text(name, "small_muted")
            label.setFixedWidth(self._look.sizes.card_min)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            shown = Text(value, "small", wrap=True, selectable=True)
            line = row(label, shown, space=self._look.sizes.space_3)
            line.setStretchFactor(shown, 1)
            self._lines.addLayout(line)

    def _toggle(self) -> None:
        self._details.setVisible(self._details.isHidden())
        self._say_fold()

    def _say_fold(self) -> None:
        open_now = not self._details.isHidden()
        self._fold.setText(self.tr("Hide details") if open_now else self.tr("All details"))
        self._fold.show_icon(self._look, "caret-down" if open_now else "caret-right")
