"""The models of an organisation's own sources, as search and repository views show the Hub's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from desktop.common.errors import CancelledError, HausgeistError
from desktop.fit.planner import plan
from desktop.fit.types import Wish
from desktop.gguf.header import ModelHeader
from desktop.hub.found import FoundRepo, SearchTask
from desktop.hub.listing import FileGroup, HubFile, Listing
from desktop.hub.model_card import ModelCard
from desktop.hub.search import SearchQuery, may_fit
from desktop.library.catalog import TASKS
from desktop.library.packs.manifest import Role
from desktop.services.licences import OFFICE, may_be_used_at_work
from desktop.services.offers import FileOffer, RepositoryView
from desktop.services.remote_model import Beside
from desktop.services.sources import ModelSource, SourceModel
from desktop.services.this_machine import HeldOn, MachineNow, PastOf

MOST = 500
"""Of one answer: an index may list thousands."""


class KnownSources(Protocol):
    """The part of Sources that browsing needs."""

    def search(self, text: str = "") -> tuple[SourceModel, ...]: ...
    def get(self, reference: str) -> SourceModel: ...
    def refresh(
        self, is_cancelled: Callable[[], bool] | None = None
    ) -> tuple[ModelSource, ...]: ...
    def header(
        self, model: SourceModel, is_cancelled: Callable[[], bool] | None = None
    ) -> ModelHeader: ...


class SourceBrowser:
    """Any thread. A repository's name is the model's reference, ``source:ID/NAME``."""

    def __init__(
        self, sources: KnownSources, machine: MachineNow, history: PastOf, held: HeldOn
    ) -> None:
        self._sources = sources
        self._machine = machine
        self._history = history
        self._held = held

    def search(self, query: SearchQuery) -> tuple[FoundRepo, ...]:
        """What the indexes that are known here have for `query`; asks nobody.

        Raises UsageError("bad_public_key"), StorageError.
        """
        models = self._sources.search(query.text)
        return tuple(found_of(model) for model in models if _is_wanted(model, query))[:MOST]

    def refresh(self, is_cancelled: Callable[[], bool]) -> None:
        """Read the indexes anew; what fails stays as it was."""
        self._sources.refresh(is_cancelled)

    def repository(self, reference: str) -> RepositoryView:
        """The model with its files; raises UsageError("no_source_model")."""
        return view_of(self._sources.get(reference))

    def judge(
        self,
        view: RepositoryView,
        on_offer: Callable[[FileOffer], None],
        is_cancelled: Callable[[], bool],
    ) -> RepositoryView:
        """As Browser.judge: by the first bytes of the file where it lies."""
        model = self._sources.get(view.repo)
        machine = self._machine.machine()
        offer = view.offers[0]
        try:
            header = self._sources.header(model, is_cancelled)
            report = plan(
                machine,
                header,
                Wish(),
                corrections=self._history.corrections(machine),
                ours=dict(self._held.by_device(machine)),
                advise=False,
            )
        except CancelledError:
            raise
        except HausgeistError as error:
            offer = replace(offer, problem=error)
        else:
            offer = replace(offer, report=report, basis="header")
        on_offer(offer)
        return replace(view, offers=(offer,))


def found_of(model: SourceModel) -> FoundRepo:
    """One model as a search lists it."""
    packed = model.packed
    return FoundRepo(
        repo=model.reference,
        author=model.source.name,
        name=packed.name,
        task=_task(packed.task),
        licence_id=packed.licence,
        languages=packed.languages,
        parameters=packed.parameters or None,
        architecture=packed.architecture,
        context_tokens=packed.context_tokens or None,
    )


def view_of(model: SourceModel) -> RepositoryView:
    """One model as a repository with one offer."""
    packed = model.packed
    files = tuple(HubFile(part.path, part.size_bytes, part.sha256) for part in packed.parts)
    group = FileGroup(files, packed.quantization, "model")
    offer = FileOffer(
        group=group,
        quantization=packed.quantization,
        file_bytes=group.size_bytes,
        reference=model.reference,
        projector=_first(model, "projector"),
        is_here=model.is_here,
    )
    return RepositoryView(
        repo=model.reference,
        listing=Listing(model.reference, packed.content or "0" * 40, (group,)),
        offers=(offer,),
        licence=model.licence,
        languages=packed.languages,
        found=found_of(model),
        card=ModelCard(summary=packed.about),
        source=model.source.name,
    )


def _first(model: SourceModel, role: Role) -> Beside | None:
    """The file of a role that comes along."""
    for file in model.packed.of_role(role):
        return Beside(model.reference, "projector", file.size_bytes)
    return None


def _task(stated: str) -> SearchTask | None:
    return next((task for task in TASKS if task == stated), None)


def _is_wanted(model: SourceModel, query: SearchQuery) -> bool:
    packed = model.packed
    licence_fits = (
        may_be_used_at_work(model.licence)
        if query.licence == OFFICE
        else query.licence in ("", packed.licence)
    )
    return (
        licence_fits
        and query.author in ("", model.source.name)
        and query.task in (None, _task(packed.task))
        and (not query.language or query.language in packed.languages or not packed.languages)
        and may_fit(found_of(model), query.max_bytes)
    )
