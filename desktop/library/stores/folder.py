"""Models that lie in a store's folders as plain .gguf files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import ModelFileError
from desktop.library.scan import FoundModel, Walk, models_in
from desktop.library.stores.model import StoreFolder, StoreKind, StoreModel

MAX_MODELS = 20_000
MAX_FILES = 500_000
"""A setting may name any folder, a whole disk too."""


@dataclass(slots=True)
class Gathering:
    """What was found so far in one store, and what kept us from finding more."""

    store: StoreKind
    root: Path
    should_stop: Callable[[], bool]

    def gather(self, describe: Callable[[FoundModel], StoreModel | None]) -> StoreFolder | None:
        """Each model file below the root, as `describe` tells it; None where no folder is there."""
        try:
            if not self.root.is_dir():
                return None
        except OSError as error:
            problem = ModelFileError("store_unreadable", path=str(self.root), detail=str(error))
            return StoreFolder(self.store, self.root, (), problem)
        walk = Walk()

        def enough() -> bool:
            return walk.files > MAX_FILES or self.should_stop()

        models = tuple(self._described(models_in(self.root, walk, enough), describe))
        problem_found = None
        if self.root in walk.unreadable:
            problem_found = ModelFileError("store_unreadable", path=str(self.root))
        elif walk.files > MAX_FILES:
            problem_found = ModelFileError(
                "store_too_many_files", path=str(self.root), count=MAX_FILES
            )
        elif len(models) >= MAX_MODELS:
            problem_found = ModelFileError("store_too_large", path=str(self.root), count=MAX_MODELS)
        return StoreFolder(self.store, self.root, models, problem_found)

    def _described(
        self, found: Iterator[FoundModel], describe: Callable[[FoundModel], StoreModel | None]
    ) -> Iterator[StoreModel]:
        count = 0
        for one in found:
            model = describe(one)
            if model is not None:
                yield model
                count += 1
                if count >= MAX_MODELS:
                    return


def inside(path: Path, root: Path) -> str:
    """The path below the root, with slashes; the file's name where it lies elsewhere."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.name


def projectors_of(found: FoundModel) -> tuple[Path, ...]:
    """The files beside a model that are named as projectors."""
    return tuple(path for path, _stamp in found.projectors)
