"""What is recommended for this computer: asked for in the background, for one task and language."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.hardware.machine import Machine
from desktop.library.catalog import Task
from desktop.services.recommend import Recommendation, recommend
from desktop.services.wiring import Services
from desktop.ui.models.shelf import Shelf
from desktop.ui.session import Session

LANE = "advice"

Phase = Literal["waiting", "looking", "known", "failed"]


class Advice(QObject):
    """Recomputed when the machine is looked at again, and when somebody chooses another task."""

    changed = Signal()

    def __init__(self, session: Session, shelf: Shelf) -> None:
        super().__init__()
        self._session = session
        self._shelf = shelf
        self._asked = 0
        self.task: Task = "chat"
        self.language: str = session.language
        self.phase: Phase = "waiting"
        self.error = ""
        self.found: tuple[Recommendation, ...] = ()
        shelf.machine_known.connect(self.ask)
        self.ask()

    def choose_task(self, task: Task) -> None:
        self.task = task
        self.ask()

    def choose_language(self, language: str) -> None:
        self.language = language
        self.ask()

    def ask(self) -> None:
        """Ask anew; nothing happens before the machine is known."""
        services, machine = self._session.services, self._shelf.machine
        if services is None or machine is None:
            return
        self._asked += 1
        number, task, language = self._asked, self.task, self.language
        self.phase = "looking"
        self.changed.emit()

        def work() -> tuple[Recommendation, ...]:
            return _recommended(services, machine, task, language)

        def done(found: tuple[Recommendation, ...]) -> None:
            if number == self._asked:  # nobody has asked for something else meanwhile
                self.phase, self.found = "known", found
                self.changed.emit()

        def failed(error: HausgeistError) -> None:
            if number == self._asked:
                self.phase, self.found = "failed", ()
                self.error = self._session.messages.error(error)
                self.changed.emit()

        self._session.bridge.run(LANE, work, done, failed)


def _recommended(
    services: Services, machine: Machine, task: Task, language: str
) -> tuple[Recommendation, ...]:
    return recommend(
        machine,
        task,
        language,
        corrections=services.history.corrections(machine),
        ours=services.held.by_device(machine),
    )
