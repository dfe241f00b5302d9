"""The live readings as the window knows them: taken while a page that shows them is in view."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.ui.bridge import Batch
from desktop.ui.model_session import ModelSession
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.engine.events import Stats
    from desktop.services.live import LiveReading

KEPT = 300


class LiveWatch(QObject):
    """`readings` are the last five minutes', oldest first; `changed` comes once a second,
    `began` when what was read before somebody looked is there."""

    changed = Signal()
    began = Signal()

    def __init__(self, session: Session, model: ModelSession) -> None:
        super().__init__()
        self._session = session
        self._model = model
        self._wanted = False
        self._stop: Callable[[], None] | None = None
        self.readings: deque[LiveReading] = deque(maxlen=KEPT)
        session.ready.connect(self._begin)
        model.changed.connect(self._tell_engine)

    @property
    def reading(self) -> LiveReading | None:
        """The newest."""
        return self.readings[-1] if self.readings else None

    @property
    def last_answer(self) -> Stats | None:
        """What the last answer took."""
        services = self._session.services
        return None if services is None else services.live.speed.last

    def look(self) -> None:
        """Somebody looks: read until `look_away`."""
        self._wanted = True
        self._begin()

    def look_away(self) -> None:
        """Nobody looks any more; what was read stays."""
        self._wanted = False
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _begin(self) -> None:
        services = self._session.services
        if services is None:
            return
        self._tell_engine()
        if not self._wanted or self._stop is not None:
            return
        self.readings.clear()
        self.readings.extend(services.live.history())
        bridge = self._session.bridge
        self._stop = services.live.subscribe(lambda reading: bridge.post(self._heard, reading))
        self.began.emit()

    def _heard(self, batch: Batch) -> None:
        self.readings.extend(batch)
        if self._wanted:
            self.changed.emit()

    def _tell_engine(self) -> None:
        """Which model is open, and what it holds: for its share of each device."""
        from desktop.services.live import EngineShare  # not before the first paint

        services = self._session.services
        if services is None:
            return
        state = self._model.state
        if state.engine is None:
            services.live.engine = EngineShare()
            return
        held = state.engine.memory_usage() or ()
        devices = {usage.device: usage.total_bytes for usage in held}
        if not devices and state.report is not None:
            devices = {row.device: row.total_bytes for row in state.report.memory}
        services.live.engine = EngineShare(state.name, devices)
