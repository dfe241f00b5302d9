"""What the place "Models" shows: its sections, what a search found, or one repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal

from desktop.ui.browse.finder import Finder
from desktop.ui.browse.opened import Opened
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.hub.search import FoundRepo

Room = Literal["home", "results", "repository"]


class Browsing(QObject):
    """Lives as long as the house, so that a change of language loses neither search nor place."""

    room_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.finder = Finder(session)
        self.opened = Opened(session)
        self.room: Room = "home"
        self._before: Room = "home"
        self._session = session
        session.settings_changed.connect(self._settings_changed)

    def search(self) -> None:
        """Go to the results; where there are none yet, ask."""
        if self.finder.phase == "idle" and not self.finder.rows:
            self.finder.ask()
        self._go("results")

    def type(self, text: str) -> None:
        """Search for what is being typed, once nobody types any more."""
        self.finder.type(text)
        self._go("results")

    def open(self, repo: str, found: FoundRepo | None = None) -> None:
        """Look into a repository (``org/name``, or a reference or address that names one)."""
        if self.room != "repository":
            self._before = self.room
            self.finder.leave()
        self.opened.open(repo, found)
        self._go("repository")

    def back(self) -> None:
        """To where one came from."""
        if self.room == "repository":
            self.opened.close()
            if self._before == "results":
                self.search()
            else:
                self._go(self._before)
        elif self.room == "results":
            self.finder.leave()
            self._go("home")

    def home(self) -> None:
        """To the sections of the place, where downloads and my models stand."""
        if self.room == "repository":
            self.opened.close()
        self.finder.leave()
        self._go("home")

    def close(self) -> None:
        """The window ends: whatever is under way is not wanted any more."""
        self.finder.close()
        self.opened.close()

    def _settings_changed(self) -> None:
        """Online again, by whatever switch: what failed for that alone is asked again."""
        if self._session.settings.offline:
            return
        for asking in (self.finder, self.opened):
            problem = asking.problem
            if problem is not None and problem.kind == "offline":
                self._session.when_written(asking.retry)

    def _go(self, room: Room) -> None:
        if room != self.room:
            self.room = room
            self.room_changed.emit()
