"""Models that other programs keep on this computer, taken in where they lie: nothing is copied."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import (
    CancelledError,
    HausgeistError,
    StorageError,
    UsageError,
)
from desktop.engine.cancel import CancelToken
from desktop.library.library import Library
from desktop.library.stores.find import find_stores
from desktop.library.stores.model import STORES, StoreKind, StoreModel
from desktop.library.stores.places import Surroundings
from desktop.services.models import ImportProgress, ImportResult
from desktop.services.store_models import StoreModels
from desktop.services.store_taking import take_in


@dataclass(frozen=True, slots=True)
class FoundStore:
    """A store of another program, with its models; `here` are those that the library has already

    (the same file, or the same content elsewhere). `problem` says why a store that is there cannot
    be read.
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
        root: Path = Path("/"),
    ) -> None:
        """`models_dir` tells where copies go; `home` None is the user's own folder, `root` where
        the system's folders begin."""
        self._library = library
        self._models_dir = models_dir
        self._env = env
        self._home = home
        self._system = system
        self._root = root

    def found(
        self, stores: Sequence[StoreKind] = STORES, *, cancel: CancelToken | None = None
    ) -> tuple[FoundStore, ...]:
        """The stores that are on this computer, with their models; seconds on a slow disk.

        A store that is not there is left out; one that lies or cannot be read says so in
        `problem` of itself or of the model, and never stops the others. Raises CancelledError.
        """
        token = cancel or CancelToken()
        around = Surroundings(self._users_home(), self._env, self._system, self._root)
        looking = StoreModels(self._library.list(), token)
        found = []
        for folder in find_stores(around, stores, lambda: token.cancelled):
            models, here = looking.look(folder.models)
            found.append(FoundStore(folder.store, folder.path, models, here, folder.problem))
        token.raise_if_cancelled()
        return tuple(found)

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
        token = cancel or CancelToken()
        results = []
        for done, model in enumerate(models):
            place = model.paths[0] if model.paths else Path(model.name)

            def tell(fraction: float, place: Path = place, done: int = done) -> None:
                token.raise_if_cancelled()
                if progress is not None:
                    progress(ImportProgress(place, done, len(models), fraction))

            tell(0.0)
            try:
                folder = self._models_dir() if copy else None
                taken = take_in(self._library, model, folder, tell)
                results.append(ImportResult(place, taken, None))
            except CancelledError:
                raise
            except HausgeistError as error:
                results.append(ImportResult(place, None, error))
        return results

    def _users_home(self) -> Path:
        if self._home is not None:
            return self._home
        try:
            return Path.home()
        except RuntimeError as error:  # a user without any
            raise StorageError("no_home", detail=str(error)) from error


def wanted(text: str) -> tuple[StoreKind, ...]:
    """The stores that ``ollama``, ``all``... names. Raises UsageError("not_a_choice")."""
    if text == "all":
        return STORES
    for store in STORES:
        if text == store:
            return (store,)
    raise UsageError("not_a_choice", option="--from", value=text, choices=", ".join(_CHOICES))


_CHOICES = (*STORES, "all")
CHOICES = "|".join(_CHOICES)
