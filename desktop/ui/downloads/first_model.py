"""The model to begin with: looked for once the machine is known, while the guide is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.common.errors import HausgeistError
from desktop.ui.downloads.downloads_model import DownloadsModel
from desktop.ui.log import log
from desktop.ui.mine.shelf import Shelf
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.hardware.machine import Machine
    from desktop.services.downloads_entry import Download
    from desktop.services.recommend import Recommendation
    from desktop.services.wiring import Services

LANE = "advice"
CALM_MS = 600
"""The start has enough to do."""


class FirstModel(QObject):
    """`offer` is the best one for chats here; None while nobody knows, or nothing runs well, or
    there is a model already."""

    changed = Signal()
    progressed = Signal()

    def __init__(self, session: Session, shelf: Shelf, downloads: DownloadsModel) -> None:
        super().__init__()
        self._session = session
        self._shelf = shelf
        self._downloads = downloads
        self._found: Recommendation | None = None
        self._asked = ""
        self._is_asking = False
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(CALM_MS)
        self._calm.timeout.connect(self._ask)
        shelf.machine_known.connect(self.look)
        shelf.changed.connect(self._shelf_changed)
        downloads.changed.connect(self.changed)
        downloads.progressed.connect(self.progressed)

    @property
    def offer(self) -> Recommendation | None:
        return self._found if self._is_wanted() else None

    @property
    def download(self) -> Download | None:
        """How far the offered one is, if somebody took the offer."""
        offer = self.offer
        return None if offer is None else self._downloads.entry_of(offer.file.reference)

    def fetch(self) -> None:
        """Take the offer."""
        offer = self.offer
        if offer is not None:
            self._downloads.add(
                offer.file.reference,
                name=offer.model.name,
                with_projector=offer.projector is not None,
            )

    def show_download(self) -> None:
        """Go where the downloads are."""
        self._downloads.shown.emit()

    def look(self) -> None:
        """Look for one a little later, if that is wanted and was not done for this language."""
        known = self._asked == self._session.language and self._found is not None
        if self._is_wanted() and not known and not self._is_asking:
            self._calm.start()

    def _is_wanted(self) -> bool:
        return self._shelf.loaded and len(self._shelf.models) <= 1

    def _shelf_changed(self) -> None:
        self.look()
        self.changed.emit()

    def _ask(self) -> None:
        services, machine = self._session.services, self._shelf.machine
        if services is None or machine is None or not self._is_wanted():
            return
        language = self._session.language
        self._is_asking, self._asked = True, language

        def done(found: Recommendation | None) -> None:
            self._is_asking, self._found = False, found
            self.changed.emit()

        def failed(error: HausgeistError) -> None:
            # The place "Models" says what is wrong; here there is only no offer.
            log.info("no first model: %s", error)
            done(None)

        self._session.bridge.run(LANE, lambda: _best(services, machine, language), done, failed)


def _best(services: Services, machine: Machine, language: str) -> Recommendation | None:
    from desktop.services.recommend import recommend  # not before the first paint

    updates = services.network.catalog
    found = recommend(
        machine,
        "chat",
        language,
        catalog=updates.catalog(),
        headers=updates.header,
        corrections=services.history.corrections(machine),
        ours=services.held.by_device(machine),
    )
    free = [one for one in found if not one.file.gated]
    return free[0] if free else None
