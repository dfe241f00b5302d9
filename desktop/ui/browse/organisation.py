"""On the place's first room: that the organisation has models of its own, and the way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from shiboken6 import isValid

from desktop.ui.browse.words import CountedRepos, one_line
from desktop.ui.look import Look
from desktop.ui.parts.boxes import Card, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.sources import ModelSource

LANE = "our-models"
NAMED = 3


class OrganisationCard(Card):
    """Hidden where there is no source, or none has a model."""

    wanted = Signal()

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__(look)
        s = look.sizes
        self._session = session
        self._addresses: tuple[str, ...] | None = None
        self.words = Text("", "small_muted", wrap=True)
        self.show_them = Button(look, self.tr("Show them"), self.wanted.emit)
        icon = IconLabel(look, "buildings", "accent_strong", s.icon)
        said = column(Text(self.tr("From your organisation"), "heading"), self.words)
        line = row(icon, said, self.show_them, space=s.space_3)
        line.setStretchFactor(said, 1)
        self.inner.addLayout(line)
        session.ready.connect(self.look)
        session.settings_changed.connect(self._settings_changed)
        self.hide()
        self.look()

    def look(self) -> None:
        """Ask what the indexes that are known here say; makes no connection."""
        services = self._session.services
        if services is not None:
            self._session.bridge.run(
                LANE, services.sources.sources, self._known, self._session.tell_error
            )

    def _settings_changed(self) -> None:
        addresses = self._session.settings.sources
        if addresses != self._addresses:
            self._addresses = addresses
            self._session.when_written(self.look)

    def _known(self, sources: tuple[ModelSource, ...]) -> None:
        if not isValid(self):  # the window was rebuilt meanwhile
            return
        count = sum(source.models for source in sources)
        names = [one_line(source.name, 60) for source in sources if source.models][:NAMED]
        self.words.setText(CountedRepos().from_sources(count).format(names=", ".join(names)))
        self.setVisible(count > 0)
