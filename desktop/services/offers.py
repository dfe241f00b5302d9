"""What a repository offers: its models by quantization, with what belongs beside each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from desktop.common.errors import HausgeistError
from desktop.common.reading import TOKENS_PER_PAGE
from desktop.fit.types import FitReport, Verdict
from desktop.hub.listing import FileGroup, Listing
from desktop.hub.model_card import ModelCard
from desktop.hub.search import FoundRepo, Gated
from desktop.library.catalog import Licence
from desktop.library.model import Ability
from desktop.services.remote_model import Beside

Basis = Literal["", "estimate", "header"]


@dataclass(frozen=True, slots=True)
class FileOffer:
    """One quantization of a model: `group` holds its files (several if it is split).

    `reference` is what downloads and commands take. `report` is None until it was judged, then by
    `basis` an estimate or from the file's own header; `problem` says why there is none.
    """

    group: FileGroup
    quantization: str
    file_bytes: int | None
    reference: str
    projector: Beside | None = None
    drafts: tuple[Beside, ...] = ()
    loras: tuple[Beside, ...] = ()
    is_here: bool = False
    report: FitReport | None = None
    basis: Basis = ""
    is_recommended: bool = False
    problem: HausgeistError | None = None

    @property
    def verdict(self) -> Verdict | None:
        return None if self.report is None else self.report.verdict

    @property
    def tokens_per_s(self) -> float | None:
        """How fast it writes here; None where nobody knows or it does not fit."""
        if self.report is None or self.report.verdict == "too_large":
            return None
        return self.report.speed.tokens_per_s

    @property
    def page_s(self) -> float | None:
        """Seconds for a page of text."""
        return None if not self.tokens_per_s else TOKENS_PER_PAGE / self.tokens_per_s

    @property
    def download_bytes(self) -> int | None:
        """With the projector, if one belongs to it."""
        if self.file_bytes is None or self.projector is None:
            return self.file_bytes
        return self.file_bytes + (self.projector.file_bytes or 0)


@dataclass(frozen=True, slots=True)
class RepositoryView:
    """One repository, opened: offers sorted by size, the smallest first.

    `source`: "hub", or the name of an organisation's own source. `card` None: it has none, or it
    could not be had. `is_catalogue`: known from the built-in catalogue only, `problem` says why
    the Hub was not asked. `page` is its address on the web for a person; "" where it has none.
    `abilities` are known once a header has been read.
    """

    repo: str
    listing: Listing
    offers: tuple[FileOffer, ...]
    licence: Licence
    languages: tuple[str, ...] = ()
    gated: Gated = ""
    found: FoundRepo | None = None
    card: ModelCard | None = None
    projectors: tuple[Beside, ...] = ()
    drafts: tuple[Beside, ...] = ()
    loras: tuple[Beside, ...] = ()
    source: str = "hub"
    page: str = ""
    is_catalogue: bool = False
    problem: HausgeistError | None = None
    abilities: tuple[Ability, ...] = ()

    @property
    def card_summary(self) -> str:
        return "" if self.card is None else self.card.summary

    @property
    def recommended(self) -> FileOffer | None:
        return next((offer for offer in self.offers if offer.is_recommended), None)
