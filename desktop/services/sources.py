"""An organisation's own sources of models: an index on a plain web server or in a shared folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.common.errors import HausgeistError
from desktop.common.settings import SettingsStore
from desktop.hub.door import Door
from desktop.library.catalog import Licence
from desktop.library.library import Library
from desktop.library.packs.manifest import PackedModel


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One source as its index stands here; `address` is a web address or a folder.

    `seen_at` is when the index was last read (seconds since 1970, 0.0 never), `problem` what was
    the matter since. `signed_by` is the number of the key that signed it, "" for none.
    """

    id: str
    address: str
    kind: Literal["web", "folder"]
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


class Sources:
    """Any thread. `sources` and `search` answer at once from what is known here; `refresh` asks."""

    def __init__(
        self, door: Door, settings: SettingsStore, library: Library, cache_dir: Path
    ) -> None:
        self._door = door
        self._settings = settings
        self._library = library
        self._cache_dir = cache_dir

    def sources(self) -> tuple[ModelSource, ...]:
        """In the order of the settings."""
        raise NotImplementedError

    def refresh(self, is_cancelled: Callable[[], bool] | None = None) -> tuple[ModelSource, ...]:
        """Read every source's index anew; what fails stands in its `problem`."""
        raise NotImplementedError

    def search(self, text: str = "") -> tuple[SourceModel, ...]:
        """The models whose name, task, language or description has all words of `text`."""
        raise NotImplementedError

    def add(self, address: str) -> ModelSource:
        """Read the index there and keep the source. Raises UsageError("bad_source"), PackError,
        NetworkError, StorageError: then nothing is kept."""
        raise NotImplementedError

    def remove(self, address: str) -> None:
        """Forget a source; its models that are here stay."""
        raise NotImplementedError
