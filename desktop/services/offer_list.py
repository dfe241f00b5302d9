"""What a listing offers, file by file, and what of it is here already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from desktop.common.errors import HubError, ModelFileError
from desktop.hub.file_names import split_place
from desktop.hub.listing import FileGroup, Listing
from desktop.hub.refs import HubRef
from desktop.library.model import LibraryModel
from desktop.services.model_ref import KnownModels, find_local
from desktop.services.offers import FileOffer
from desktop.services.remote_model import Beside


def offers_in(listing: Listing, ref: HubRef, library: KnownModels) -> tuple[FileOffer, ...]:
    """Each model with what belongs to it, the smallest first; `ref` says at which revision."""
    projectors = projectors_in(listing, ref)
    drafts = beside(listing.of_kind("draft"), ref)
    loras = beside(listing.of_kind("lora"), ref)
    here = _Here(library.list(), listing.repo)
    offers = []
    for group in listing.of_kind("model"):
        reference = _reference(group, ref)
        offers.append(
            FileOffer(
                group=group,
                quantization=group.quantization,
                file_bytes=group.size_bytes,
                reference=reference,
                projector=projectors[0] if projectors else None,
                drafts=drafts,
                loras=loras,
                is_here=find_local(reference, here) is not None,
                problem=_incomplete(listing, group),
            )
        )
    unknown = max((offer.file_bytes or 0 for offer in offers), default=0) + 1
    return tuple(sorted(offers, key=lambda o: (o.file_bytes or unknown, o.group.path)))


def projectors_in(listing: Listing, ref: HubRef) -> tuple[Beside, ...]:
    """The one to take first: 16 bits (what its makers tried), then the smallest."""
    groups = sorted(
        listing.of_kind("projector"),
        key=lambda group: (group.quantization != "F16", group.size_bytes or 0),
    )
    return beside(groups, ref)


def beside(groups: Iterable[FileGroup], ref: HubRef) -> tuple[Beside, ...]:
    """As references with sizes."""
    return tuple(
        Beside(_reference(group, ref), group.kind, group.size_bytes)
        for group in groups
        if _incomplete_count(group) is None
    )


def _reference(group: FileGroup, ref: HubRef) -> str:
    return str(replace(ref, file=group.path, quant=None))


def _incomplete(listing: Listing, group: FileGroup) -> HubError | None:
    """What keeps a split model from being fetched: its publisher has not put all parts there."""
    count = _incomplete_count(group)
    if count is None:
        return None
    return HubError("hub_part_missing", repo=listing.repo, file=group.path, count=count)


def _incomplete_count(group: FileGroup) -> int | None:
    place = split_place(group.path)
    return None if place is None or len(group.files) == place[2] else place[2]


class _Here:
    """What of the library can be of that repository, read once for all its files."""

    def __init__(self, models: Iterable[LibraryModel], repo: str) -> None:
        name = repo.partition("/")[2].casefold()
        self._models = [model for model in models if name in str(model.path).casefold()]

    def list(self) -> list[LibraryModel]:
        return self._models

    def get(self, name: str) -> LibraryModel:
        raise ModelFileError("unknown_model", model=name)

    def find(self, path: Path) -> LibraryModel | None:
        return next((model for model in self._models if model.path == path), None)
