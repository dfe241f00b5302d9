"""Looking for models: the Hub's where it can be reached, else the catalogue's."""

from __future__ import annotations

from collections.abc import Callable

from desktop.hub.search import SearchPage, SearchQuery
from desktop.services.offers import FileOffer, RepositoryView

OnOffer = Callable[[FileOffer], None]
IsCancelled = Callable[[], bool]


class Browser:
    """Every method may be called from any thread, and waits for the network at most 15 s a step."""

    def search(
        self,
        query: SearchQuery,
        cursor: str | None = None,
        *,
        is_cancelled: IsCancelled | None = None,
    ) -> SearchPage:
        """One page; where the Hub cannot be asked, of the catalogue, with the reason in `problem`.

        A further page (`cursor`) is never the catalogue's: it raises NetworkError, HubError.
        Raises CancelledError.
        """
        raise NotImplementedError

    def repository(self, repo: str, *, is_cancelled: IsCancelled | None = None) -> RepositoryView:
        """What lies in `repo` (``org/name``, or a reference into it), without verdicts.

        Raises UsageError, NetworkError, HubError (hub_no_repo, hub_gated...), CancelledError.
        """
        raise NotImplementedError

    def judge(
        self, view: RepositoryView, on_offer: OnOffer, is_cancelled: IsCancelled
    ) -> RepositoryView:
        """How each offer does on this machine: estimates at once, then by each file's header.

        `on_offer` hears of every offer that became known better, in the calling thread. Returns
        the view with all of them; what failed stands in the offers. Raises CancelledError.
        """
        raise NotImplementedError
