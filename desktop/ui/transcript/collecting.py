"""When Python collects garbage: not while text streams, a full pass costs up to 20 ms."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_IDLE_MS = 2_000


class Collecting(QObject):
    """Holds collection back while anything streams and makes up for it when idle.

    The window calls `settle` once it is up, then `pause` and `resume` around every answer.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pauses = 0
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(_IDLE_MS)
        self._idle.timeout.connect(self._collect)

    def settle(self) -> None:
        """What lives now lives until the end: no later pass needs to look at it."""
        gc.collect()
        gc.freeze()

    def pause(self) -> None:
        """An answer begins to stream."""
        self._pauses += 1
        self._idle.stop()
        gc.disable()

    def resume(self) -> None:
        """An answer has ended; collection is on again when none streams any more."""
        self._pauses = max(0, self._pauses - 1)
        if not self._pauses:
            gc.enable()
            self._idle.start()

    def _collect(self) -> None:
        gc.collect()
