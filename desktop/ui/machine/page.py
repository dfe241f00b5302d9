"""The place "This computer": what it can do, in one sentence, in gauges, and in full."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel

from desktop.ui.look import Look
from desktop.ui.machine.this_computer import ThisComputer
from desktop.ui.machine.watch import MachineWatch
from desktop.ui.model_session import ModelSession
from desktop.ui.models.shelf import Shelf
from desktop.ui.parts.boxes import Page, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text
from desktop.ui.session import Session


class MachinePage(Page):
    """Everything known about this computer, looked at again on request."""

    models_wanted = Signal()

    def __init__(
        self, look: Look, session: Session, model: ModelSession, watch: MachineWatch, shelf: Shelf
    ) -> None:
        super().__init__(look, self.tr("This computer"))
        s = look.sizes
        self._session = session
        self._watch = watch
        self._sentence = Text(kind="muted", wrap=True)
        self.refresh_button = Button(
            look, self.tr("Look again"), lambda: watch.look(again=True), icon="arrow-clockwise"
        )
        self.here = ThisComputer(look, session, model, watch, shelf)
        self.here.models_wanted.connect(self.models_wanted)
        head = row(Text(self.tr("This computer"), "title"), 1, self.refresh_button, space=s.space_2)
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

    def texts(self) -> list[str]:
        """All that is said on the page, painted words included."""
        labels = self.findChildren(QLabel)
        return [words for label in labels if (words := label.text() or label.accessibleName())]
