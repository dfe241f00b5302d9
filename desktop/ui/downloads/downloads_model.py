"""What is being fetched, as the window knows it: added, paused, moved, cancelled (or not)."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.services.downloads_entry import Download, DownloadState
from desktop.ui.session import Session


class DownloadsModel(QObject):
    """Lives as long as the window's house. `entries` are the queue without those whose
    cancelling may still be undone."""

    changed = Signal()
    """One came, went, moved or took another state."""
    progressed = Signal()
    """Only figures are new."""
    arrived = Signal(object)
    """A `Download` is whole, and its model in the library."""
    chat_wanted = Signal()

    def __init__(self, session: Session, undo_ms: int) -> None:
        super().__init__()
        self._session = session
        self._undo_ms = undo_ms
        self.entries: tuple[Download, ...] = ()

    def add(self, reference: str, *, name: str = "", with_projector: bool = True) -> None:
        """Fetch ``org/repo:FILE`` (or ``:QUANT``); what goes wrong is told. `name`: what people
        call the model."""

    def is_known(self, reference: str) -> DownloadState | None:
        """How far the download of `reference` is; None where there is none."""
