"""Which models files and folders mean that somebody gives us: by drag and drop, by double click."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.engine.cancel import CancelToken
from desktop.library.scan import Walk, models_in
from desktop.library.stores.documents import is_file, is_folder
from desktop.library.stores.model import StoreFolder, StoreModel
from desktop.library.stores.ollama import read_ollama
from desktop.services.store_models import StoreModels

_PART = re.compile(r"-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<ending>\.gguf)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file to look into; `is_searched`: found in a folder, not named by the person.

    `model` is what another program says of it, where the folder is that program's store.
    """

    path: Path
    is_searched: bool
    model: StoreModel | None = None


def candidates(
    paths: Sequence[Path], should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Candidate]:
    """Every file once, folders with all that lies in them; of a split model the first part.

    A folder that holds none yields itself. Stops early where `should_stop` says so.
    """
    seen: set[Path] = set()
    for path in paths:
        found = [Candidate(_first_part(path), is_searched=False)]
        if (store := _ollama(path, should_stop)) is not None:
            found = _of_store(store)
        elif is_folder(path):
            inside = models_in(path, Walk(), should_stop)
            found = [Candidate(one.path, is_searched=True) for one in inside] or [
                Candidate(path, is_searched=True)
            ]
        for one in found:
            if one.path not in seen:
                seen.add(one.path)
                yield one


def _ollama(path: Path, should_stop: Callable[[], bool]) -> StoreFolder | None:
    """Ollama's folder, whose models have no ending: by itself, or the one above."""
    for root in (path, path / "models"):
        if is_folder(root / "manifests") and is_folder(root / "blobs"):
            return read_ollama(root, should_stop)
    return None


def _of_store(store: StoreFolder) -> list[Candidate]:
    models, _here = StoreModels((), CancelToken()).look(store.models)
    return [
        Candidate(
            model.paths[0] if model.paths else store.path / model.name,
            is_searched=True,
            model=model,
        )
        for model in models
    ] or [Candidate(store.path, is_searched=True)]


def _first_part(path: Path) -> Path:
    """Whoever drags all parts of a model, or a later one, means the model."""
    part = _PART.search(path.name)
    if part is None or int(part["number"]) == 1:
        return path
    name = f"{path.name[: part.start()]}-00001-of-{part['count']}{part['ending']}"
    first = path.with_name(name)
    return first if is_file(first) else path
