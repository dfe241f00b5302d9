"""The place "This computer": what it can do, in one sentence, in gauges, and in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QWidget

from desktop.hardware.machine import Machine
from desktop.ui.look import Look
from desktop.ui.machine.computer_choice import ComputerChoice
from desktop.ui.machine.this_computer import ThisComputer
from desktop.ui.machine.watch import MachineWatch
from desktop.ui.mine.shelf import Shelf
from desktop.ui.model_session import ModelSession
from desktop.ui.parts.boxes import Page, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.ui.machine.other_computer import OtherComputer


class MachinePage(Page):
    """Everything known about this computer, looked at again on request."""

    models_wanted = Signal()

    def __init__(
        self, look: Look, session: Session, model: ModelSession, watch: MachineWatch, shelf: Shelf
    ) -> None:
        super().__init__(look, self.tr("This computer"))
        s = look.sizes
        self._look = look
        self._session = session
        self._watch = watch
        self._sentence = Text(kind="muted", wrap=True)
        self.refresh_button = Button(
            look, self.tr("Look again"), lambda: watch.look(again=True), icon="arrow-clockwise"
        )
        self.here = ThisComputer(look, session, model, watch, shelf)
        self.here.models_wanted.connect(self.models_wanted)
        self._other: OtherComputer | None = None
        self._title = Text(self.tr("This computer"), "title", wrap=True)
        self.choice = ComputerChoice(look, session)
        self.choice.chosen.connect(self.show_other)
        self.back = Button(
            look, self.tr("Back to this computer"), self.show_this, icon="arrow-left"
        )
        self.back.hide()
        head = row(self._title, self.back, self.choice, self.refresh_button, space=s.space_2)
        head.setStretchFactor(self._title, 1)
        self.content.addLayout(head)
        self.content.addWidget(self._sentence)
        self.content.addWidget(self.here)
        self.content.addStretch(1)
        watch.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        watch = self._watch
        self.refresh_button.setEnabled(not watch.looking)
        if watch.error is not None:
            self._sentence.setText(self._session.messages.error(watch.error))
        elif watch.machine is None:
            self._sentence.setText(self.tr("Looking at this computer …"))
        else:
            self._sentence.setText(watch.sentence)

    @property
    def other(self) -> OtherComputer:
        """The part about another computer; made when somebody asks for one."""
        if self._other is None:
            from desktop.ui.machine.other_computer import OtherComputer

            self._other = OtherComputer(self._look, self._session)
            self._other.hide()
            self.content.insertWidget(self.content.count() - 1, self._other)
        return self._other

    def show_other(self, machine: Machine, name: str) -> None:
        """Be about another computer: what would run there, and what more would bring."""
        self._title.setText(self.tr("Another computer"))
        self.other.show_machine(machine, name)
        self._show(self.other)

    def show_this(self) -> None:
        """Be about this computer again."""
        self._title.setText(self.tr("This computer"))
        self._show(self.here)

    def _show(self, part: QWidget) -> None:
        this = part is self.here
        self.here.setVisible(this)
        self.other.setVisible(not this)
        self._sentence.setVisible(this)
        self.refresh_button.setVisible(this)
        self.back.setVisible(not this)
        self.verticalScrollBar().setValue(0)

    def texts(self) -> list[str]:
        """All that is said on the page, painted words included."""
        labels = self.findChildren(QLabel)
        return [words for label in labels if (words := label.text() or label.accessibleName())]
