"""How each file of a repository would do on this machine, and which one to take.

One header is fetched; from it follows at once how the other quantizations do. Then their own
headers are fetched, the one that will be taken first, as far as a few megabytes go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from desktop.common.errors import CancelledError, HausgeistError, HubError, ModelFileError
from desktop.common.logs import get_logger
from desktop.fit.corrections import Corrections
from desktop.fit.types import FitReport
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine
from desktop.hub.client import HubClient
from desktop.hub.header_cache import HeaderCache
from desktop.hub.listing import FileGroup, Listing
from desktop.hub.refs import parse_ref
from desktop.hub.remote_header import fetch_header, known_header
from desktop.library.abilities import abilities_of, is_embedding
from desktop.library.catalog import CatalogFile, CatalogModel, Task
from desktop.library.model import Ability
from desktop.services.model_choice import Choice, Chooser
from desktop.services.offers import Basis, FileOffer, RepositoryView
from desktop.services.sibling_header import model_stem, sibling_header

TRAFFIC_BYTES = 24 << 20
"""For all headers of one repository: two of today's largest vocabularies, a dozen of smaller ones.
What is left out stays an estimate, which the tests hold to a thousandth of memory."""

_MOST_HEADERS = 24  # fetched at one visit; other models beyond that stay unjudged
_LARGE_HEADER_BYTES = 12 << 20

_log = get_logger("browse")

CatalogHeader = Callable[[FileOffer], ModelHeader | None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the verdicts depend on besides the files; `ours` are the bytes by device that closing
    our own models would free."""

    machine: Machine
    language: str
    corrections: Corrections
    ours: Mapping[str, int]
    catalog_model: CatalogModel | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    header: ModelHeader
    basis: Basis


class OfferJudge:
    """One repository's offers, better known step by step; for one thread."""

    def __init__(
        self,
        view: RepositoryView,
        around: Surroundings,
        client: HubClient,
        cache: HeaderCache,
        *,
        guess: CatalogHeader,
        is_cancelled: Callable[[], bool],
        traffic_bytes: int,
    ) -> None:
        """`guess` is a header for an offer whose own cannot be had."""
        self._around = around
        self._client = client
        self._cache = cache
        self._guess = guess
        self._is_cancelled = is_cancelled
        self._left_bytes = traffic_bytes
        self._left_headers = _MOST_HEADERS
        self._view = view
        self._offers = {offer.reference: offer for offer in view.offers}
        self._known: dict[str, _Known] = {}
        self._broken: dict[str, HausgeistError] = {}
        self._plans: dict[tuple[str, str], Choice | None] = {}
        self._failed: HausgeistError | None = view.problem  # the Hub was asked a moment ago

    def run(self) -> Iterator[FileOffer]:
        """Each offer as often as it becomes known better. Raises CancelledError."""
        self._take_cached()
        for offer in self._models():
            if self._fetch(offer):
                yield from self._told()
        if self._failed is not None:
            self._guess_the_rest()
            yield from self._told()
            yield from self._without_answer(self._failed)
        while (wanted := self._next()) is not None:
            if self._fetch(wanted):
                yield from self._told()

    @property
    def offers(self) -> tuple[FileOffer, ...]:
        """All of them, as they are known now, in their order."""
        return tuple(self._offers[offer.reference] for offer in self._view.offers)

    @property
    def abilities(self) -> tuple[Ability, ...]:
        """What the first model that lies there can do, as far as a header has been read."""
        found = [o.reference for o in self._view.offers if o.reference in self._known]
        if not found:
            return ()
        return abilities_of(self._known[found[0]].header, has_projector=bool(self._view.projectors))

    def _take_cached(self) -> None:
        """What was fetched before costs nothing."""
        for offer in self._complete():
            header = known_header(self._cache, self._view.listing, offer.group)
            if header is not None:
                self._known[offer.reference] = _Known(header, "header")
                self._left_bytes -= header.data_offset  # of what one repository may cost at all

    def _complete(self) -> list[FileOffer]:
        return [
            offer
            for offer in self._view.offers
            if offer.problem is None and offer.reference not in self._broken
        ]

    def _models(self) -> Iterator[FileOffer]:
        """One file of each model that lies there, the one that most people take."""
        by_stem: dict[str, list[FileOffer]] = {}
        for offer in self._complete():
            by_stem.setdefault(model_stem(offer.group), []).append(offer)
        usual = _usual(self._view.listing)
        # The largest family first: others are extras.
        for offers in sorted(by_stem.values(), key=lambda found: -len(found)):
            known = [offer for offer in offers if offer.reference in self._known]
            chosen = [offer for offer in offers if offer.group.path == usual]
            yield (known or chosen or _by_closeness(offers))[0]

    def _fetch(self, offer: FileOffer) -> bool:
        """The header of `offer`, if there is a way and traffic left; its siblings by it.

        Whether more is known than before.
        """
        self._require_wanted()
        if offer.reference not in self._known or self._basis(offer) != "header":
            if not self._may_fetch():
                return False
            self._left_headers -= 1
            try:
                found = fetch_header(
                    self._client,
                    self._cache,
                    parse_ref(offer.reference, self._client.endpoint),
                    on_progress=lambda _: self._require_wanted(),
                )
            except CancelledError:
                raise
            except ModelFileError as error:
                _log.warning("%s: %s", offer.reference, error)
                self._broken[offer.reference] = error
                self._know(offer, None)
                return True
            except HausgeistError as error:
                _log.warning("no headers of %s: %s", self._view.repo, error)
                self._failed = error
                return False
            self._left_bytes -= found.fetched_bytes
            self._know(offer, _Known(found.header, "header"))
        self._estimate_siblings(offer)
        return True

    def _know(self, offer: FileOffer, known: _Known | None) -> None:
        """From now on; what was planned by less is not used any more."""
        self._plans.pop((self._view.repo, f"{self._view.repo}:{offer.group.path}"), None)
        if known is None:
            self._known.pop(offer.reference, None)
        else:
            self._known[offer.reference] = known

    def _estimate_siblings(self, offer: FileOffer) -> None:
        stem, header = model_stem(offer.group), self._known[offer.reference].header
        for other in self._complete():
            if other.reference not in self._known and model_stem(other.group) == stem:
                estimated = sibling_header(header, other.group)
                if estimated is not None:
                    self._known[other.reference] = _Known(estimated, "estimate")

    def _guess_the_rest(self) -> None:
        for offer in self._complete():
            if offer.reference in self._known:
                continue
            header = self._guess(offer)
            if header is not None:
                self._known[offer.reference] = _Known(header, "estimate")

    def _next(self) -> FileOffer | None:
        """Whose own header is worth the next bytes: the recommended one, then what is near it."""
        tried = [o for o in self._offers.values() if o.problem is None]
        open_ones = [o for o in tried if self._basis(o) != "header"]
        if not open_ones or not self._may_fetch():
            return None
        chosen = next((o for o in tried if o.is_recommended), None)
        middle = chosen.file_bytes if chosen and chosen.file_bytes else 0
        return min(open_ones, key=lambda o: (o is not chosen, abs((o.file_bytes or 0) - middle)))

    def _may_fetch(self) -> bool:
        return (
            self._failed is None
            and self._left_headers > 0
            and self._left_bytes >= self._header_bytes()
        )

    def _header_bytes(self) -> int:
        typical = self._cache.typical_header_bytes(self._view.listing)
        return _LARGE_HEADER_BYTES if typical is None else typical

    def _basis(self, offer: FileOffer) -> Basis:
        known = self._known.get(offer.reference)
        return "" if known is None else known.basis

    def _told(self) -> list[FileOffer]:
        """Judge anew; what changed by that."""
        judged = self._judged()
        changed = []
        for reference, offer in self._offers.items():
            report, basis, is_recommended = judged.get(reference, (None, "", False))
            problem = offer.problem or self._broken.get(reference)
            found = replace(
                offer, report=report, basis=basis, is_recommended=is_recommended, problem=problem
            )
            if found != offer:
                self._offers[reference] = found
                changed.append(found)
        return changed

    def _without_answer(self, error: HausgeistError) -> Iterator[FileOffer]:
        """Why nothing can be said of some."""
        for reference, offer in self._offers.items():
            if offer.report is None and offer.problem is None:
                self._offers[reference] = replace(offer, problem=error)
                yield self._offers[reference]

    def _judged(self) -> dict[str, tuple[FitReport | None, Basis, bool]]:
        model, files = self._as_catalog_model()
        if model is None:
            return {}
        around = self._around
        chooser = Chooser(
            around.machine,
            model.tasks[0],
            around.language,
            corrections=around.corrections,
            ours=around.ours,
            headers=lambda file: self._known[files[file.name]].header,
            judged=self._plans,
        )
        best = chooser.best(model)
        found: dict[str, tuple[FitReport | None, Basis, bool]] = {}
        for file in model.files:
            self._require_wanted()
            reference = files[file.name]
            choice = chooser.judged(model, file)
            is_best = best is not None and best.file.name == file.name
            report = None if choice is None else choice.report
            found[reference] = (report, self._known[reference].basis if report else "", is_best)
        return found

    def _as_catalog_model(self) -> tuple[CatalogModel | None, dict[str, str]]:
        """The repository as the chooser knows models; each file's name with its reference."""
        offers = [o for o in self._offers.values() if o.reference in self._known]
        if not offers:
            return None, {}
        view, header = self._view, self._known[offers[0].reference].header
        known = self._around.catalog_model
        files = tuple(_file(view.repo, o.group, o.quantization, o.file_bytes) for o in offers)
        projectors = tuple(_file(view.repo, group, group.quantization, group.size_bytes)
                           for group in view.listing.of_kind("projector"))  # fmt: skip
        parameters = header.parameters
        model = CatalogModel(
            id=view.repo,
            name=view.repo,
            base_model="",
            tasks=(_task(view, header),),
            parameters=parameters,
            active_parameters=known.active_parameters if known else active_parameters(header),
            context_tokens=header.context_length or None,
            licence=view.licence,
            modalities=(),
            languages=None,
            german=None,
            released=None,
            released_exact=False,
            files=files,
            projectors=projectors,
            blueprint=None,
            sources=(),
            native_quantization=known.native_quantization if known else "",
        )
        return model, {o.group.path: o.reference for o in offers}

    def _require_wanted(self) -> None:
        if self._is_cancelled():
            raise CancelledError


def active_parameters(header: ModelHeader) -> int:
    """How many weights take part in each token: of a mixture's experts only those that are used."""
    experts, used = header.expert_count, header.expert_used_count
    if not 0 < used < experts:
        return header.parameters
    return sum(
        tensor.values * used // experts if "_exps." in tensor.name else tensor.values
        for tensor in header.tensors
    )


def _usual(listing: Listing) -> str:
    """The file that somebody gets who names none; "" where there is no telling."""
    try:
        return listing.select(parse_ref(listing.repo)).path
    except HubError:
        return ""


def _by_closeness(offers: list[FileOffer]) -> list[FileOffer]:
    """Those of about four bits first, which most people take: the middle of what is there."""
    ordered = sorted(offers, key=lambda offer: offer.file_bytes or 0)
    middle = (len(ordered) - 1) // 2
    return sorted(ordered, key=lambda offer: abs(ordered.index(offer) - middle))


def _file(repo: str, group: FileGroup, quantization: str, size: int | None) -> CatalogFile:
    return CatalogFile(repo, group.path, quantization, size or 0, exact=size is not None)


def _task(view: RepositoryView, header: ModelHeader) -> Task:
    if view.found is not None and view.found.task == "embedding":
        return "embedding"
    if is_embedding(header):
        return "embedding"
    return "vision" if view.projectors else "chat"
