"""This computer as the window knows it: looked at in the background, once it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.hardware.machine import Machine

LANE = "machine"


class MachineWatch(QObject):
    """`machine` is None until the first look is done; `sentence` says it in words."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.machine: Machine | None = None
        self.summary: tuple[str, dict[str, str | int | float]] | None = None
        self.error: HausgeistError | None = None
        self.looking = False
        session.ready.connect(self.look)

    @property
    def sentence(self) -> str:
        """The machine in one friendly sentence; "" while it is not known."""
        if self.summary is None:
            return ""
        key, params = self.summary
        return self._session.messages.text(key, **params)

    @property
    def ram_gb(self) -> int:
        """The memory as it stands on the box."""
        return int(self.summary[1]["ram_gb"]) if self.summary is not None else 0

    def look(self, *, again: bool = False) -> None:
        """Look at the computer; `again` asks every probe anew."""
        services = self._session.services
        if services is None or self.looking:
            return
        self.looking = True
        self.changed.emit()
        self._session.bridge.run(
            LANE, lambda: services.machine_service.machine(again), self._seen, self._failed
        )

    def _seen(self, machine: Machine) -> None:
        # Imported here because it needs the engine's floor, which must not delay the first paint;
        # the services have loaded it long since.
        from desktop.services.machine import summary

        self.looking = False
        self.error = None
        self.machine = machine
        key, params = summary(machine)
        self.summary = (key, dict(params))
        self.changed.emit()

    def _failed(self, error: HausgeistError) -> None:
        self.looking = False
        self.error = error
        self.changed.emit()
