"""Looking for models: the Hub's where it can be reached, else the catalogue's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from desktop.common.errors import CancelledError, HausgeistError, HubError, NetworkError
from desktop.common.logs import get_logger
from desktop.gguf.header import ModelHeader
from desktop.hub.client import HubClient
from desktop.hub.header_cache import HeaderCache
from desktop.hub.model_card import fetch_card
from desktop.hub.refs import DEFAULT_REVISION, HubRef, parse_ref
from desktop.hub.repository import HubRepository, fetch_repository
from desktop.hub.search import FoundRepo, HubSearch, SearchPage, SearchQuery
from desktop.library.catalog import Catalog, CatalogFile
from desktop.services.catalog_search import (
    catalog_listing,
    catalog_model_of,
    catalog_repo,
    search_catalog,
)
from desktop.services.core import Core
from desktop.services.judge_offers import TRAFFIC_BYTES, OfferJudge, Surroundings
from desktop.services.licences import OFFICE, licence_of, may_be_used_at_work
from desktop.services.model_ref import KnownModels
from desktop.services.offer_list import beside, offers_in, projectors_in
from desktop.services.offers import FileOffer, RepositoryView
from desktop.services.this_machine import HeldOn, MachineNow, PastOf

OnOffer = Callable[[FileOffer], None]
IsCancelled = Callable[[], bool]

# The Hub answered, and what it said is about this question; no catalogue knows better.
_ANSWERS = ("hub_no_repo", "hub_gated", "hub_forbidden", "hub_no_revision", "hub_no_gguf")

_log = get_logger("browse")


class KnownCatalog(Protocol):
    """The part of CatalogUpdates that browsing needs."""

    def catalog(self) -> Catalog: ...
    def header(self, file: CatalogFile) -> ModelHeader | None: ...


@dataclass(frozen=True, slots=True)
class BrowserParts:
    """What browsing stands on."""

    client: HubClient
    headers: HeaderCache
    search: HubSearch
    catalog: KnownCatalog
    library: KnownModels
    machine: MachineNow
    history: PastOf
    held: HeldOn


def browser_of(core: Core) -> Browser:
    """On the parts that every command stands on."""
    network = core.network
    return Browser(
        BrowserParts(
            network.hub,
            network.headers,
            network.search,
            network.catalog,
            core.library,
            core.machine_service,
            core.history,
            core.held,
        )
    )


class Browser:
    """Every method may be called from any thread, and waits for the network at most 15 s a step."""

    def __init__(self, parts: BrowserParts, *, traffic_bytes: int = TRAFFIC_BYTES) -> None:
        """`traffic_bytes`: what the headers of one repository may cost."""
        self._parts = parts
        self._traffic_bytes = traffic_bytes

    def search(
        self,
        query: SearchQuery,
        cursor: str | None = None,
        *,
        is_cancelled: IsCancelled | None = None,
    ) -> SearchPage:
        """One page; where the Hub cannot be asked, of the catalogue, with the reason in `problem`.

        A licence of "office" leaves in what may be used at work. A further page (`cursor`) is
        never the catalogue's: it raises NetworkError, HubError. Raises CancelledError, UsageError.
        """
        _require_wanted(is_cancelled)
        asked, is_wanted = query, None
        if query.licence == OFFICE:
            asked, is_wanted = replace(query, licence=""), self._is_for_work
        try:
            return self._parts.search.page(
                asked, cursor, is_cancelled=is_cancelled, is_wanted=is_wanted
            )
        except NetworkError as error:
            if cursor is not None:
                raise
            return self.in_catalogue(query, error)

    def in_catalogue(self, query: SearchQuery, problem: HausgeistError) -> SearchPage:
        """What the catalogue has, without asking the Hub; `problem` says why not."""
        _log.info("searched in the catalogue: %s", problem)
        return search_catalog(self._parts.catalog.catalog(), query, problem)

    def _is_for_work(self, repo: FoundRepo) -> bool:
        return may_be_used_at_work(licence_of(repo.licence_id, self._parts.catalog.catalog()))

    def repository(
        self,
        repo: str,
        *,
        with_card: bool = True,
        is_cancelled: IsCancelled | None = None,
    ) -> RepositoryView:
        """What lies in `repo` (``org/name``, or a reference into it), without verdicts.

        Where the Hub cannot be reached: as it was when last asked, else as the catalogue knows it.
        Raises UsageError, NetworkError, HubError (hub_no_repo, hub_no_gguf...), CancelledError.
        """
        _require_wanted(is_cancelled)
        given = parse_ref(repo, self._parts.client.endpoint)
        ref = HubRef(given.repo, revision=given.revision)
        try:
            found = fetch_repository(
                self._parts.client, self._parts.headers, ref, is_cancelled=is_cancelled
            )
        except NetworkError as error:
            if isinstance(error, HubError) and error.kind in _ANSWERS:
                raise
            view = self._from_catalog(ref, error)
            if view is None:
                raise
            return view
        if not found.listing.groups:
            raise HubError("hub_no_gguf", repo=ref.repo)
        view = self._view(found, ref)
        return self.with_card(view, is_cancelled=is_cancelled) if with_card else view

    def with_card(
        self, view: RepositoryView, *, is_cancelled: IsCancelled | None = None
    ) -> RepositoryView:
        """The same with what its makers write, and what follows from that; without, if that cannot
        be had. Raises CancelledError."""
        if view.is_catalogue or view.source != "hub":
            return view
        parts = self._parts
        try:
            card = fetch_card(
                parts.client,
                parts.headers,
                view.listing,
                ask=view.problem is None,  # else the Hub was asked in vain a moment ago
                is_cancelled=is_cancelled,
            )
        except NetworkError as error:
            _log.info("no card of %s: %s", view.repo, error)
            return view
        if card is None:
            return view
        licence = view.licence
        if not licence.name:
            stated = licence.id or card.licence
            licence = licence_of(stated, parts.catalog.catalog(), card.licence_name)
        return replace(view, card=card, licence=licence, languages=view.languages or card.languages)

    def judge(
        self, view: RepositoryView, on_offer: OnOffer, is_cancelled: IsCancelled
    ) -> RepositoryView:
        """How each offer does on this machine: estimates at once, then by each file's header.

        `on_offer` hears of every offer that became known better, in the calling thread. Returns
        the view with all of them; what failed stands in the offers. Raises CancelledError,
        MachineError.
        """
        parts = self._parts
        machine = parts.machine.machine()
        catalog = parts.catalog.catalog()
        around = Surroundings(
            machine,
            "",
            parts.history.corrections(machine),
            parts.held.by_device(machine),
            catalog_model_of(catalog, view.repo),
        )
        judge = OfferJudge(
            view,
            around,
            parts.client,
            parts.headers,
            guess=lambda offer: self._guess(catalog, view, offer),
            is_cancelled=is_cancelled,
            traffic_bytes=self._traffic_bytes,
        )
        for offer in judge.run():
            on_offer(offer)
        return replace(view, offers=judge.offers, abilities=judge.abilities)

    def _guess(
        self, catalog: Catalog, view: RepositoryView, offer: FileOffer
    ) -> ModelHeader | None:
        """A header by the catalogue's shape of the model."""
        for model in catalog.models:
            for file in model.files:
                if (file.repo, file.name) == (view.repo, offer.group.path):
                    return self._parts.catalog.header(file) or model.header(file)
        return None

    def _view(self, repository: HubRepository, ref: HubRef) -> RepositoryView:
        parts, listing, found = self._parts, repository.listing, repository.found
        catalog = parts.catalog.catalog()
        known = found or catalog_repo(catalog, ref.repo)
        return RepositoryView(
            repo=ref.repo,
            listing=listing,
            offers=offers_in(listing, ref, parts.library),
            licence=licence_of(known.licence_id if known else "", catalog),
            languages=known.languages if known else (),
            gated=repository.gated,
            found=known,
            projectors=projectors_in(listing, ref),
            drafts=beside(listing.of_kind("draft"), ref),
            loras=beside(listing.of_kind("lora"), ref),
            page=self._page(ref),
            problem=repository.problem,
        )

    def _from_catalog(self, ref: HubRef, problem: HausgeistError) -> RepositoryView | None:
        catalog = self._parts.catalog.catalog()
        known = catalog_repo(catalog, ref.repo)
        if known is None or ref.revision != DEFAULT_REVISION:
            return None
        listing = catalog_listing(catalog, ref.repo)
        view = self._view(HubRepository(listing, known), ref)
        return replace(view, is_catalogue=True, problem=problem)

    def _page(self, ref: HubRef) -> str:
        return f"{self._parts.client.endpoint}/{ref.repo}"


def _require_wanted(is_cancelled: IsCancelled | None) -> None:
    if is_cancelled is not None and is_cancelled():
        raise CancelledError
