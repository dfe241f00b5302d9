"""The repository that is looked into: what lies in it, and how it does here, as it is learnt."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import CancelledError, HausgeistError
from desktop.ui.bridge import Batch
from desktop.ui.browse.explaining import Explainer, problem_of
from desktop.ui.browse.lanes import Lanes
from desktop.ui.browse.ours import is_ours, source_browser
from desktop.ui.log import log
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.hub.search import FoundRepo
    from desktop.services.network_problem import NetworkProblem
    from desktop.services.offers import RepositoryView

Phase = Literal["closed", "opening", "judging", "known", "failed"]


class Opened(QObject):
    """At most one repository; whatever belongs to one that was left is dropped."""

    changed = Signal()
    """Another repository, phase or error."""
    offers_changed = Signal()
    """Some offers of the view are known better."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._lanes = Lanes(session.bridge, "repository")
        self._number = 0
        self.repo = ""
        self.found: FoundRepo | None = None
        self.view: RepositoryView | None = None
        self.phase: Phase = "closed"
        self.error: HausgeistError | None = None
        self.problem: NetworkProblem | None = None
        session.ready.connect(self._ready)

    def open(self, repo: str, found: FoundRepo | None = None) -> None:
        """Look into `repo`; `found` is what the search said of it, shown until more is known."""
        self._number += 1
        self.repo, self.found, self.view = repo, found, None
        self.phase, self.error, self.problem = "opening", None, None
        self.changed.emit()
        self._ask()

    def retry(self) -> None:
        """Ask again, for instance with a token or with the network back."""
        if self.repo:
            self.open(self.repo, self.found)

    def close(self) -> None:
        """Nobody looks any more; what is under way stops."""
        self._number += 1
        self.repo, self.found, self.view = "", None, None
        self.phase, self.error, self.problem = "closed", None, None

    def judge(self) -> None:
        """Say of each offer how it does here: anew where the machine or the models changed."""
        if self.view is not None and self.phase == "known":
            self._judge(self.view)

    def _ready(self) -> None:
        if self.phase == "opening":
            self._ask()

    def _ask(self) -> None:
        services = self._session.services
        if services is None:  # `_ready` asks
            return
        number, repo = self._number, self.repo
        explainer = Explainer(services, self._session.messages)

        def gone() -> bool:
            return number != self._number

        def work() -> tuple[RepositoryView, NetworkProblem | None]:
            if gone():
                raise CancelledError
            if is_ours(repo):
                return source_browser(services).repository(repo), None
            view = explainer.ask(
                lambda: services.browser.repository(repo, with_card=False, is_cancelled=gone)
            )
            return view, explainer.problem(view.problem)

        def done(answer: tuple[RepositoryView, NetworkProblem | None]) -> None:
            if not gone():
                self.view, self.problem = answer
                self._fetch_card(self.view)
                self._judge(self.view)

        def failed(error: HausgeistError) -> None:
            if not gone():
                self.phase, self.error = "failed", error
                self.problem = problem_of(error)
                self.changed.emit()

        self._lanes.run(work, done, failed)

    def _fetch_card(self, view: RepositoryView) -> None:
        """What its makers write comes beside the verdicts, and neither waits for the other."""
        services = self._session.services
        if services is None or view.card is not None:
            return
        number = self._number

        def gone() -> bool:
            return number != self._number

        def work() -> RepositoryView:
            return services.browser.with_card(view, is_cancelled=gone)

        def done(found: RepositoryView) -> None:
            if not gone() and self.view is not None:
                # The verdicts that came meanwhile stay.
                self.view = replace(found, offers=self.view.offers)
                self.changed.emit()

        def failed(error: HausgeistError) -> None:
            if not gone():
                log.warning("no card of %s: %s", view.repo, error)

        self._lanes.run(work, done, failed)

    def _judge(self, view: RepositoryView) -> None:
        services = self._session.services
        if services is None:
            return
        self.phase = "judging"
        self.changed.emit()
        number = self._number
        post = partial(self._session.bridge.post, self._offered)

        def gone() -> bool:
            return number != self._number

        def work() -> RepositoryView:
            browser = source_browser(services) if is_ours(view.repo) else services.browser
            return browser.judge(view, lambda offer: post((number, offer)), gone)

        def done(found: RepositoryView) -> None:
            if not gone() and self.view is not None:
                self.view, self.phase = replace(self.view, offers=found.offers), "known"
                self.changed.emit()

        def failed(error: HausgeistError) -> None:
            if not gone():  # the offers stay as far as they are known
                self.phase, self.error = "known", error
                self.changed.emit()

        self._lanes.run(work, done, failed)

    def _offered(self, batch: Batch) -> None:
        """Offers that are known better, of this repository or of one that was left."""
        better = {offer.reference: offer for number, offer in batch if number == self._number}
        if self.view is None or not better:
            return
        offers = tuple(better.get(offer.reference, offer) for offer in self.view.offers)
        self.view = replace(self.view, offers=offers)
        self.offers_changed.emit()
