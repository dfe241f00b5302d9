"""What is recommended for this computer: asked for in the background, for one task and language."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import CancelledError, HausgeistError
from desktop.engine.cancel import CancelToken
from desktop.hardware.machine import Machine
from desktop.library.catalog import CatalogFile, Task
from desktop.services.catalog_updates import Refreshed
from desktop.services.recommend import Recommendation, recommend
from desktop.services.wiring import Services
from desktop.ui.bridge import Batch
from desktop.ui.mine.shelf import Shelf
from desktop.ui.notice import Toast
from desktop.ui.session import Session

LANE = "advice"
HUB_LANE = "hub"

Phase = Literal["waiting", "looking", "known", "failed"]


class Advice(QObject):
    """Recomputed when the machine is looked at again, and when somebody chooses another task."""

    changed = Signal()
    refresh_changed = Signal()

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
        self.step: tuple[int, int] | None = None
        self._cancel: CancelToken | None = None
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

    @property
    def refreshing(self) -> bool:
        return self._cancel is not None

    @property
    def refreshed_at(self) -> float | None:
        """When the Hub was asked last, in seconds since 1970; None for never."""
        services = self._session.services
        return None if services is None else services.network.catalog.refreshed_at

    def refresh(self) -> None:
        """Ask the Hub what there is now; only ever called by a click."""
        services = self._session.services
        if services is None or self.refreshing:
            return
        cancel = CancelToken()
        self._cancel, self.step = cancel, None
        tell = partial(self._session.bridge.post, self._stepped)
        files = tuple(item.file for item in self.found)
        work = partial(_refreshed, services, files, tell, cancel)
        self._session.bridge.run(HUB_LANE, work, self._refreshed, self._refresh_failed)
        self.refresh_changed.emit()

    def stop_refresh(self) -> None:
        """Leave it at what is known."""
        if self._cancel is not None:
            self._cancel.cancel()

    def _stepped(self, batch: Batch) -> None:
        if self.refreshing:
            self.step = batch[-1]
            self.refresh_changed.emit()

    def _refresh_ended(self) -> None:
        self._cancel, self.step = None, None
        self.refresh_changed.emit()

    def _refreshed(self, result: Refreshed) -> None:
        self._refresh_ended()
        if result.failed and not result.answered:
            self._session.tell_error(result.failed[0][1])
        else:
            self._session.tell(Toast(self.tr("The suggestions are up to date.")))
        self.ask()

    def _refresh_failed(self, error: HausgeistError) -> None:
        self._refresh_ended()
        if not isinstance(error, CancelledError):
            self._session.tell_error(error)


def _refreshed(
    services: Services,
    files: tuple[CatalogFile, ...],
    tell: Callable[[tuple[int, int]], None],
    cancel: CancelToken,
) -> Refreshed:
    updates = services.network.catalog
    result = updates.refresh(on_progress=lambda *step: tell(step), cancel=cancel)
    if result.answered:
        updates.fetch_headers(files, cancel=cancel)
    return result


def _recommended(
    services: Services, machine: Machine, task: Task, language: str
) -> tuple[Recommendation, ...]:
    updates = services.network.catalog
    return recommend(
        machine,
        task,
        language,
        catalog=updates.catalog(),
        headers=updates.header,
        corrections=services.history.corrections(machine),
        ours=services.held.by_device(machine),
    )
