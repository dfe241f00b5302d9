"""Models on their way out: gone from the list at once, from the disk when undo is over."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.common.errors import HausgeistError
from desktop.common.wording import format_bytes
from desktop.ui.notice import Action, Toast
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.removal import Removal

LANE = "library"


class Leaving(QObject):
    """`changed` when a model leaves the list or comes back; `left` when it is really gone."""

    changed = Signal()
    left = Signal()

    def __init__(self, session: Session, undo_ms: int) -> None:
        super().__init__()
        self._session = session
        self._undo_ms = undo_ms
        self._timers: dict[str, QTimer] = {}
        self._ways: dict[str, tuple[bool | None, bool]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._timers

    def ask(
        self,
        name: str,
        done: Callable[[Removal], None],
        *,
        delete: bool | None = None,
        for_good: bool = False,
    ) -> None:
        """Tell what removing the model would do to its file; see `ModelRemover.plan`."""
        services = self._session.services
        if services is None:
            return
        service = services.models_service

        def plan() -> Removal:
            return service.removal(name, delete=delete, for_good=for_good)

        self._session.bridge.run(LANE, plan, done, self._session.tell_error)

    def begin(
        self,
        name: str,
        removal: Removal | None = None,
        *,
        delete: bool | None = None,
        for_good: bool = False,
    ) -> None:
        """Take it off the list; `removal` says what to tell of its file."""
        if name in self._timers:
            return
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(self._undo_ms)
        timer.timeout.connect(partial(self._go, name))
        timer.start()
        self._timers[name] = timer
        self._ways[name] = (delete, for_good)
        self.changed.emit()
        undo = Action(self.tr("Undo"), partial(self._keep, name))
        self._session.tell(Toast(self._words(name, removal), undo))

    def finish(self) -> None:
        """The window closes: what was removed is removed now."""
        for name in list(self._timers):
            self._go(name)

    def _words(self, name: str, removal: Removal | None) -> str:
        if removal is None or removal.destination == "stays":
            return self.tr("“{name}” was removed.").format(name=name)
        freed = format_bytes(removal.frees_bytes, self._session.language)
        if removal.destination == "trash":
            words = self.tr("“{name}” goes into the trash: {size}, free once it is emptied.")
        else:
            words = self.tr("“{name}” is deleted: {size} become free.")
        return words.format(name=name, size=freed)

    def _keep(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.stop()
            self.changed.emit()

    def _go(self, name: str) -> None:
        services = self._session.services
        timer = self._timers.get(name)
        if services is None or timer is None:
            return
        timer.stop()
        service = services.models_service
        delete, for_good = self._ways[name]

        def remove() -> Removal:
            return service.remove(name, delete=delete, for_good=for_good)

        def done(_removal: Removal) -> None:
            self._timers.pop(name, None)
            self.left.emit()

        def failed(error: HausgeistError) -> None:
            self._keep(name)
            self._session.tell_error(error)

        self._session.bridge.run(LANE, remove, done, failed)
