"""How each model fits this computer: worked out in the background, told as it is known."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.library.model import LibraryModel
from desktop.ui.bridge import Batch
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.fit.types import FitReport
    from desktop.hardware.machine import Machine
    from desktop.services.wiring import Services

LANE = "verdicts"
TELL_MS = 250
"""Thousands of verdicts come in seconds: whoever shows them is told four times a second."""

Stamp = tuple[str, int, int, str]
Known = tuple[str, Stamp, "FitReport | None"]


class Verdicts(QObject):
    """Milliseconds a model: a question of its own thread, that a newer one brings to its end."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._stamps: dict[str, Stamp] = {}
        self._machine: Machine | None = None
        self._stop = threading.Event()
        self._told = False
        self._telling = QTimer(self)
        self._telling.setSingleShot(True)
        self._telling.setInterval(TELL_MS)
        self._telling.timeout.connect(self.changed)
        self.reports: dict[str, FitReport | None] = {}

    def judge(self, models: Sequence[LibraryModel], machine: Machine) -> None:
        """Say of those models that are new or have changed, or of all on another machine."""
        services = self._session.services
        if services is None:
            return
        if machine != self._machine:
            self._machine = machine
            self._stamps = {}
        names = {model.name for model in models}
        for gone in self.reports.keys() - names:
            del self.reports[gone]
            self._stamps.pop(gone, None)
        wanted = [m for m in models if self._stamps.get(m.name) != stamp_of(m)]
        self._stop.set()
        if not wanted:
            return
        self._stop = stop = threading.Event()
        self._told = False
        tell = partial(self._session.bridge.post, self._know)
        work = partial(_judge, services, machine, wanted, stop, tell)
        self._session.bridge.run(LANE, work, _nothing, self._session.tell_error)

    def forget(self, name: str) -> None:
        """It was used, so that more may be known of it: the next `judge` asks again."""
        self._stamps.pop(name, None)

    def finish(self) -> None:
        """The window closes."""
        self._stop.set()

    def _know(self, batch: Batch) -> None:
        for machine, name, stamp, report in batch:
            if machine is self._machine:
                self.reports[name] = report
                self._stamps[name] = stamp
        if not self._told:
            self._told = True
            self.changed.emit()  # the first at once: mostly they are few, and that was all
        elif not self._telling.isActive():
            self._telling.start()


def stamp_of(model: LibraryModel) -> Stamp:
    """What the verdict of a model depends on."""
    return (str(model.path), model.file_bytes, model.mtime_ns, model.problem)


def _judge(
    services: Services,
    machine: Machine,
    models: Sequence[LibraryModel],
    stop: threading.Event,
    tell: Callable[[object], None],
) -> None:
    from desktop.fit.types import Wish  # not before the first paint

    for model in models:
        if stop.is_set():
            return
        report = services.models_service.fit_of(model, machine, Wish())
        tell((machine, model.name, stamp_of(model), report))


def _nothing(_result: object) -> None:
    """What is known was told one by one."""
