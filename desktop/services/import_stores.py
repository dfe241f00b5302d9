"""Models that other programs keep on this computer, taken in where they lie: nothing is copied."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import HausgeistError
from desktop.engine.cancel import CancelToken
from desktop.library.library import Library
from desktop.library.stores.model import STORES, StoreKind, StoreModel
from desktop.services.models import ImportProgress, ImportResult


@dataclass(frozen=True, slots=True)
class FoundStore:
    """A store of another program, with its models; `here` are those that the library has already.

    `problem` says why a store that is there cannot be read.
    """

    store: StoreKind
    path: Path
    models: tuple[StoreModel, ...]
    here: frozenset[StoreModel] = frozenset()
    problem: HausgeistError | None = None

    @property
    def new(self) -> tuple[StoreModel, ...]:
        """What could be taken in: readable, and not in the library yet."""
        return tuple(one for one in self.models if one.problem is None and one not in self.here)


class StoreImporter:
    """Finds the stores of this user and takes models in from them."""

    def __init__(
        self,
        library: Library,
        models_dir: Callable[[], Path],
        env: Mapping[str, str],
        *,
        home: Path | None = None,
        system: str = sys.platform,
    ) -> None:
        """`models_dir` tells where copies go; `home` None is the user's own folder."""
        self._library = library
        self._models_dir = models_dir
        self._env = env
        self._home = home
        self._system = system

    def found(
        self, stores: Sequence[StoreKind] = STORES, *, cancel: CancelToken | None = None
    ) -> tuple[FoundStore, ...]:
        """The stores that are on this computer, with their models; seconds on a slow disk.

        A store that is not there is left out; one that lies or cannot be read says so in
        `problem` of itself or of the model, and never stops the others. Raises CancelledError.
        """
        raise NotImplementedError

    def take_in(
        self,
        models: Sequence[StoreModel],
        *,
        copy: bool = False,
        progress: Callable[[ImportProgress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> list[ImportResult]:
        """Put models into the library, by reference unless `copy`; one that fails stops no other.

        Raises CancelledError.
        """
        raise NotImplementedError
