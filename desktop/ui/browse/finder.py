"""The search: what is asked, what has come, what stood in the way."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.common.errors import CancelledError, HausgeistError
from desktop.ui.browse.explaining import Explainer, problem_of
from desktop.ui.browse.lanes import Lanes
from desktop.ui.browse.ours import source_browser
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.hub.search import FoundRepo, SearchPage, SearchQuery
    from desktop.services.network_problem import NetworkProblem
    from desktop.services.source_browse import SourceBrowser

SOURCES_LANE = "our-models"
REFRESH_LANE = "our-indexes"
REFRESH_S = 600.0
"""So long an organisation's index counts as fresh."""
TYPING_MS = 350
"""How long nobody types before a question goes out."""

MOST_BARREN_PAGES = 5
"""After so many pages in a row without anything new there is no end to wait for."""

Phase = Literal["idle", "asking", "known", "more", "stuck", "failed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One page, and in plain terms what kept the Hub from answering."""

    page: SearchPage
    problem: NetworkProblem | None = None


class Finder(QObject):
    """Each answer belongs to its question: what comes late for an older one is dropped.

    "stuck": there are rows, and the next page could not be had; "failed": there are none.
    """

    changed = Signal()
    """Another phase, problem or query."""
    emptied = Signal()
    """The rows are those of another question from now on."""
    grew = Signal(int, int)
    """The rows from the first to the last number are new."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._lanes = Lanes(session.bridge, "search")
        self._number = 0
        self._next: str | None = None
        self._barren = 0
        self._seen: set[str] = set()
        self._ours = 0
        self.only_ours = False
        self._refreshed_at: float | None = None
        self._closed = False
        self._query: SearchQuery | None = None
        self.rows: list[FoundRepo] = []
        self.phase: Phase = "idle"
        self.is_catalogue = False
        self.problem: NetworkProblem | None = None
        self.error: HausgeistError | None = None
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self.ask)
        session.ready.connect(self._ready)

    # What is asked

    @property
    def query(self) -> SearchQuery:
        """What is asked for now."""
        if self._query is None:
            from desktop.hub.search import SearchQuery  # with its client: not before first paint

            self._query = SearchQuery()
        return self._query

    def type(self, text: str) -> None:
        """Another text; it is asked for once nobody types any more."""
        self._query = replace(self.query, text=text.strip())
        self._typing.start()

    def stop_typing(self) -> None:
        """What was typed is no question after all."""
        self._typing.stop()

    def change(self, query: SearchQuery, *, only_ours: bool = False) -> None:
        """Ask something else at once; `only_ours`: nobody but the organisation's own sources."""
        self._query = query
        self.only_ours = only_ours
        self.ask()

    def ask(self) -> None:
        """Ask from the beginning what the query says now."""
        self._typing.stop()
        self._number += 1
        self._next, self._barren = None, 0
        self._seen.clear()
        self.rows, self._ours = [], 0
        self.phase, self.problem, self.error, self.is_catalogue = "asking", None, None, False
        self.emptied.emit()
        self.changed.emit()
        self._fetch_first()

    def more(self) -> None:
        """The next page, where there is one and nobody asks for it already."""
        if self.phase == "known" and self._next is not None:
            self._more()

    def retry(self) -> None:
        """Ask again what failed."""
        if self.phase == "stuck" and self._next is not None:
            self._more()
        elif self.phase != "asking":
            self.ask()

    def leave(self) -> None:
        """Nobody looks any more: what is under way is not wanted now."""
        self._typing.stop()
        if self.phase in ("asking", "more"):
            self._number += 1
            self.phase = "idle" if self.phase == "asking" else "known"

    def close(self) -> None:
        """The window ends."""
        self.leave()
        self._closed = True
        self._number += 1

    @property
    def has_more(self) -> bool:
        return self._next is not None

    # What comes

    def _ready(self) -> None:
        if self.phase == "asking":
            self._fetch_first()

    def _fetch_first(self) -> None:
        if not self.only_ours:
            self._fetch(None)
        self._fetch_ours()

    def _more(self) -> None:
        self.phase, self.error = "more", None
        self.changed.emit()
        self._fetch(self._next)

    def _fetch(self, cursor: str | None) -> None:
        services = self._session.services
        if services is None:  # `_ready` asks
            return
        number, query = self._number, self.query
        explainer = Explainer(services, self._session.messages)

        def gone() -> bool:
            return number != self._number

        def work() -> Answer:
            if gone():  # it waited behind another question
                raise CancelledError
            page = explainer.ask(lambda: services.browser.search(query, cursor, is_cancelled=gone))
            return Answer(page, explainer.problem(page.problem))

        def done(answer: Answer) -> None:
            if not gone():
                self._came(answer)

        def failed(error: HausgeistError) -> None:
            if not gone():
                self._broke(error)

        self._lanes.run(work, done, failed)

    def _came(self, answer: Answer) -> None:
        page = answer.page
        first = len(self.rows)
        for repo in page.repos:
            # While one reads, the order at the Hub changes: a page may bring what was there.
            if repo.repo not in self._seen:
                self._seen.add(repo.repo)
                self.rows.append(repo)
        self._barren = 0 if len(self.rows) > first else self._barren + 1
        self._next = page.next if self._barren < MOST_BARREN_PAGES else None
        self.is_catalogue, self.problem = page.is_catalogue, answer.problem
        self.phase, self.error = "known", None
        if len(self.rows) > first:
            self.grew.emit(first, len(self.rows) - 1)
        self.changed.emit()

    def _broke(self, error: HausgeistError) -> None:
        self.phase = "stuck" if len(self.rows) > self._ours else "failed"
        self.error = error
        self.problem = problem_of(error)
        self.changed.emit()

    # The organisation's own models: known here, so they come at once and stand first.

    def _fetch_ours(self) -> None:
        services = self._session.services
        if services is None:
            return
        number, query = self._number, self.query
        ours = source_browser(services)

        def gone() -> bool:
            return number != self._number

        def work() -> tuple[FoundRepo, ...]:
            return () if gone() else ours.search(query)

        def done(found: tuple[FoundRepo, ...]) -> None:
            if not gone():
                self._ours_came(found)

        self._session.bridge.run(SOURCES_LANE, work, done, self._session.tell_error)
        self._refresh_ours(ours)

    def _refresh_ours(self, ours: SourceBrowser) -> None:
        """Read the sources' indexes once in a while, when somebody searches anyhow."""
        now = time.monotonic()
        if self._refreshed_at is not None and now < self._refreshed_at + REFRESH_S:
            return
        self._refreshed_at = now
        number = self._number

        def gone() -> bool:
            return self._closed

        def work() -> None:
            ours.refresh(gone)

        def done(_result: object) -> None:
            if number == self._number:
                self._fetch_ours()

        self._session.bridge.run(REFRESH_LANE, work, done, self._session.tell_error)

    def _ours_came(self, found: tuple[FoundRepo, ...]) -> None:
        """Before all others; those that are shown already stay where they are."""
        fresh = [repo for repo in found if repo.repo not in self._seen]
        if self.only_ours and self.phase == "asking":
            self.phase = "known"
        elif not fresh:
            return
        self._seen.update(repo.repo for repo in fresh)
        first = self._ours
        self.rows[first:first] = fresh
        self._ours += len(fresh)
        if fresh:
            self.grew.emit(first, self._ours - 1)
        self.changed.emit()
