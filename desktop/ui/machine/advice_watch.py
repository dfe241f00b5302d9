"""Advice on a computer, worked out beside the window and shown as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.ui.bridge import Batch
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.hardware.machine import Machine
    from desktop.services.machine_advice import Advice

LANE = "advice"


class AdviceWatch(QObject):
    """`advice` is about `machine`; it grows step by step, until `working` is False."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.machine: Machine | None = None
        self.advice: Advice | None = None
        self.working = False
        self.error: HausgeistError | None = None

    def ask(self, machine: Machine) -> None:
        """Work it out for `machine`; what is asked for no longer is dropped."""
        services = self._session.services
        if services is None or machine is self.machine:
            return
        self.machine, self.advice, self.working, self.error = machine, None, True, None
        bridge, language = self._session.bridge, self._session.language

        def wanted() -> bool:
            return self.machine is machine

        def work() -> None:
            for advice in services.adviser.advise(machine, language, wanted):
                bridge.post(self._grown, advice)

        bridge.run(LANE, work, lambda _done: self._ended(machine, None), self._failed)
        self.changed.emit()

    def drop(self) -> None:
        """Nobody looks any more: what is not finished is not wanted now."""
        if self.working:
            self.machine, self.advice, self.working = None, None, False

    def _grown(self, batch: Batch) -> None:
        advice: Advice = batch[-1]
        if advice.machine is self.machine:
            self.advice = advice
            self.changed.emit()

    def _failed(self, error: HausgeistError) -> None:
        self._ended(self.machine, error)

    def _ended(self, machine: Machine | None, error: HausgeistError | None) -> None:
        if machine is self.machine:
            self.working, self.error = False, error
            self.changed.emit()
