"""An organisation's own sources of models: an index on a plain web server or in a shared folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.errors import (
    HausgeistError,
    NetworkError,
    PackError,
    StorageError,
    UsageError,
)
from desktop.common.settings import SettingsStore
from desktop.common.storage import free_bytes
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header_from
from desktop.hub.door import Door
from desktop.hub.index_source import as_source_error, clean_address
from desktop.hub.listing import HubFile
from desktop.hub.policy import origin_of
from desktop.hub.ranges import HubRangeReader
from desktop.library.catalog import Licence, shipped_catalog
from desktop.library.library import Library
from desktop.library.packs.manifest import INDEX_NAME, PackedModel
from desktop.library.packs.minisign import PublicKey, parse_public_key
from desktop.services.core import Core
from desktop.services.fetch_wish import AS_USUAL, FetchWish
from desktop.services.pack_keys import pinned_keys
from desktop.services.packs import Packs
from desktop.services.source_fetch import FolderJob, SourceJob, WebJob
from desktop.services.source_index import KnownIndex, SourceIndex, SourceKind, kind_of

__all__ = ["ModelSource", "SourceModel", "Sources", "is_source_reference"]

_PREFIX = "source:"


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One source as its index stands here; `address` is a web address or a folder.

    `seen_at` is when the index was last read (seconds since 1970, 0.0 never), `problem` what was
    the matter since. `signed_by` is the number of the key that signed it, "" for none.
    """

    id: str
    address: str
    kind: SourceKind
    name: str
    models: int
    seen_at: float
    signed_by: str
    is_trusted: bool
    problem: HausgeistError | None


@dataclass(frozen=True, slots=True)
class SourceModel:
    """A model that a source offers. `reference` is what Downloads and `pull` take."""

    source: ModelSource
    packed: PackedModel
    licence: Licence
    reference: str
    is_here: bool

    @property
    def name(self) -> str:
        return self.packed.name

    @property
    def file_bytes(self) -> int:
        return self.packed.total_bytes


def is_source_reference(reference: str) -> bool:
    """Whether it names a model of a source: ``source:ID/NAME``."""
    return reference.lower().startswith(_PREFIX)


class Sources:
    """Any thread. `sources` and `search` answer at once from what is known here; `refresh` asks."""

    def __init__(
        self,
        door: Door,
        settings: SettingsStore,
        library: Library,
        cache_dir: Path,
        main_folder: Callable[[], Path],
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._door = door
        self._settings = settings
        self._library = library
        self._cache_dir = cache_dir
        self._main_folder = main_folder
        self._free = free
        self._problems: dict[str, HausgeistError] = {}

    @classmethod
    def of(cls, core: Core) -> Sources:
        """For this house; nothing is asked before somebody wants it."""
        return cls(
            core.network.door,
            core.settings_store,
            core.library,
            core.paths.cache_dir,
            core.places.for_new,
        )

    def sources(self) -> tuple[ModelSource, ...]:
        """In the order of the settings."""
        keys = self._keys()
        return tuple(self._source(index, index.known(keys)) for index in self._indexes())

    def refresh(self, is_cancelled: Callable[[], bool] | None = None) -> tuple[ModelSource, ...]:
        """Read every source's index anew; what fails stands in its `problem`."""
        keys = self._keys()
        found = []
        for index in self._indexes():
            if is_cancelled is None or not is_cancelled():
                self._refresh(index, keys)
            found.append(self._source(index, index.known(keys)))
        return tuple(found)

    def search(self, text: str = "") -> tuple[SourceModel, ...]:
        """The models whose name, task, language or description has all words of `text`."""
        words = text.casefold().split()
        keys = self._keys()
        here = {model.content for model in self._library.list() if not model.problem}
        found = []
        for index in self._indexes():
            known = index.known(keys)
            if known.manifest is None:
                continue
            source = self._source(index, known)
            found += [
                _offered(source, packed, is_here=packed.content != "" and packed.content in here)
                for packed in known.manifest.models
                if all(word in _haystack(source, packed) for word in words)
            ]
        return tuple(found)

    def get(self, reference: str) -> SourceModel:
        """The model of that reference; raises UsageError("no_source_model")."""
        for model in self.search():
            if model.reference.casefold() == reference.casefold():
                return model
        raise UsageError("no_source_model", model=reference.removeprefix(_PREFIX)[:200])

    def look(self, address: str) -> ModelSource:
        """Read the index there, without keeping the source; its `address` is what to keep.

        Raises UsageError("bad_source"), PackError, NetworkError, StorageError."""
        index = SourceIndex(_clean(address), self._cache_dir)
        known = index.refresh(self._door, self._keys())
        self._problems.pop(index.id, None)
        return self._source(index, known)

    def add(self, address: str) -> ModelSource:
        """As `look`, and keep the source if nothing was wrong."""
        found = self.look(address)
        settings = self._settings.load()
        if found.address not in settings.sources:
            self._settings.save(replace(settings, sources=(*settings.sources, found.address)))
        return found

    def remove(self, address: str) -> None:
        """Forget a source (by its address or id); its models that are here stay.

        Raises UsageError("no_such_source")."""
        settings = self._settings.load()
        gone = [one for one in self._indexes() if address in (one.address, one.id)]
        if not gone:
            raise UsageError("no_such_source", address=address[:200])
        left = tuple(one for one in settings.sources if one not in {i.address for i in gone})
        self._settings.save(replace(settings, sources=left))
        for index in gone:
            index.forget()

    def header(
        self, model: SourceModel, is_cancelled: Callable[[], bool] | None = None
    ) -> ModelHeader:
        """What the model's file says, by its first bytes: whether it fits can be said before it is
        fetched. Raises NetworkError, PackError, StorageError, ModelFileError."""
        index = self._index_of(model.source)
        if index.kind == "folder":
            packs = Packs(self._library, self._main_folder, tuple, free=self._free)
            return packs.header_at(index.path, model.packed)
        web = index.web(self._door)
        readers = [
            HubRangeReader(
                web, web.host, "", HubFile(file.path, file.size_bytes, file.sha256),
                is_cancelled=is_cancelled,
            )
            for file in model.packed.parts
        ]  # fmt: skip
        try:
            return read_header_from(readers, model.packed.parts[0].path)
        except NetworkError as error:
            raise as_source_error(error, web.host, model.packed.parts[0].path) from error

    def job(self, reference: str, wish: FetchWish = AS_USUAL) -> SourceJob:
        """Fetches one model as services.fetch_model.FetchJob does: pausable, resumable, verified.

        Raises UsageError("no_source_model")."""
        model = self.get(reference)
        index = self._index_of(model.source)
        target = self._main_folder() if wish.folder is None else wish.folder
        if index.kind == "folder":
            return FolderJob(
                self._library, model.packed, model.source.name, target, index.path, wish,
                free=self._free,
            )  # fmt: skip
        return WebJob(
            self._library, model.packed, model.source.name, target, index.web(self._door), wish,
            free=self._free,
        )  # fmt: skip

    def _keys(self) -> list[PublicKey]:
        """What is pinned; raises UsageError("bad_public_key"), StorageError."""
        return [parse_public_key(text) for text in pinned_keys(self._settings)]

    def _indexes(self) -> list[SourceIndex]:
        addresses = dict.fromkeys(self._settings.load().sources)
        return [SourceIndex(address, self._cache_dir) for address in addresses]

    def _index_of(self, source: ModelSource) -> SourceIndex:
        return SourceIndex(source.address, self._cache_dir)

    def _refresh(self, index: SourceIndex, keys: Sequence[PublicKey]) -> None:
        try:
            index.refresh(self._door, keys)
        except (NetworkError, PackError, StorageError, UsageError) as error:
            self._problems[index.id] = error
        else:
            self._problems.pop(index.id, None)

    def _source(self, index: SourceIndex, known: KnownIndex) -> ModelSource:
        manifest = known.manifest
        return ModelSource(
            id=index.id,
            address=index.address,
            kind=index.kind,
            name=(manifest.title if manifest else "") or _short(index),
            models=len(manifest.models) if manifest else 0,
            seen_at=known.seen_at,
            signed_by=known.trust.signed_by,
            is_trusted=known.trust.is_trusted,
            problem=self._problems.get(index.id) or known.problem,
        )


def _clean(address: str) -> str:
    """As it shall stand in the settings. Raises UsageError("bad_source")."""
    address = address.strip()
    if kind_of(address) == "web":
        return clean_address(address, INDEX_NAME)
    if not address or "://" in address:
        raise UsageError("bad_source", address=address[:200])
    return str(Path(address).expanduser().absolute())


def _short(index: SourceIndex) -> str:
    """What to call a source that has no title."""
    if index.kind == "folder":
        return index.path.name or index.address
    origin = origin_of(index.address)
    return origin.shown if origin else index.address


def _offered(source: ModelSource, packed: PackedModel, *, is_here: bool) -> SourceModel:
    licence = shipped_catalog().licence(packed.licence) if packed.licence else Licence("")
    return SourceModel(source, packed, licence, f"{_PREFIX}{source.id}/{packed.name}", is_here)


def _haystack(source: ModelSource, packed: PackedModel) -> str:
    words = (
        packed.name,
        packed.architecture,
        packed.quantization,
        packed.licence,
        packed.task,
        packed.about,
        source.name,
        *packed.languages,
    )
    return " ".join(words).casefold()
