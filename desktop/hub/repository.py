"""One repository, asked for by one question: what lies in it, and what the Hub says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from desktop.common.errors import HubError, NetworkError
from desktop.common.logs import get_logger
from desktop.hub.answer import Purpose
from desktop.hub.client import HubClient
from desktop.hub.found import FoundRepo, Gated, read_found
from desktop.hub.header_cache import HeaderCache
from desktop.hub.listing import LISTING, Listing, read_listing
from desktop.hub.refs import DEFAULT_REVISION, HubRef

_PASSING = ("hub_busy", "hub_down")  # what it said before still holds

_log = get_logger("hub")


@dataclass(frozen=True, slots=True)
class HubRepository:
    """`found` None: only the listing is known. `problem`: the Hub could not be asked, and this is
    what it said before."""

    listing: Listing
    found: FoundRepo | None = None
    problem: NetworkError | None = None

    @property
    def gated(self) -> Gated:
        if self.found is not None and self.found.gated:
            return self.found.gated
        return "auto" if self.listing.gated else ""


def fetch_repository(
    client: HubClient,
    cache: HeaderCache,
    ref: HubRef,
    *,
    is_cancelled: Callable[[], bool] | None = None,
) -> HubRepository:
    """Ask for `ref`'s repository; where the Hub cannot be reached, what it said before.

    Raises NetworkError, HubError, CancelledError.
    """
    path = f"api/models/{ref.repo}"
    if ref.revision != DEFAULT_REVISION:
        path += f"/revision/{quote(ref.revision, safe='')}"
    try:
        purpose = Purpose(LISTING, ref.repo)
        document = client.json(f"{path}?blobs=true", purpose, ref.repo, is_cancelled)
        listing = read_listing(document, ref.repo, ref.revision)
    except NetworkError as error:
        known = cache.listing(ref)
        if known is None or (isinstance(error, HubError) and error.kind not in _PASSING):
            raise
        _log.info("%s as of %.0f s ago: %s", ref.repo, known.age_s, error)
        return HubRepository(known.listing, problem=error)
    cache.keep_listing(ref, listing)
    found = read_found(document)
    return HubRepository(listing, found if found and found.repo == ref.repo else None)
