"""The system's word that there is a network again, so that nobody waits for the next attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from PySide6.QtNetwork import QNetworkInformation

SETTLE_MS = 1000
"""A line that has just come up knows no names yet."""


class Reachability(QObject):
    """Asks nothing of the network; says nothing where the system has no word for it."""

    back = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_watching = False
        self._was_online = True
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.back)

    def watch(self) -> None:
        """From now on; before the first download nobody needs to know."""
        if self._is_watching:
            return
        self._is_watching = True
        from PySide6.QtNetwork import QNetworkInformation  # a tenth of a second, once needed

        if not QNetworkInformation.loadDefaultBackend():
            return
        found = QNetworkInformation.instance()
        if found is not None:
            self._was_online = _is_online(found.reachability())
            found.reachabilityChanged.connect(self.changed)

    def changed(self, reachability: QNetworkInformation.Reachability) -> None:
        """The system sees it otherwise than before."""
        is_online = _is_online(reachability)
        if is_online and not self._was_online:
            self._settle.start()
        self._was_online = is_online


def _is_online(reachability: QNetworkInformation.Reachability) -> bool:
    return reachability.name == "Online"
