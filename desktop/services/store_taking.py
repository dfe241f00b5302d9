"""Put one model of another program's store into the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from desktop.library.copying import copy_model
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.stores.model import StoreModel
from desktop.services.store_models import openable


def take_in(
    library: Library, model: StoreModel, copy_to: Path | None, tell: Callable[[float], None]
) -> LibraryModel:
    """By reference, or as a copy in the folder `copy_to`, what lets it see included.

    Raises the model's `problem`, as `openable`, and as Library.add; whatever `tell` raises.
    """
    if model.problem is not None:
        raise model.problem
    header = openable(model)
    kept = library.add(
        model.paths[0],
        header,
        copy_to=copy_to,
        progress=tell,
        origin=model.origin,
        name=_library_name(model),
        projector=model.projector,
        settings=model.settings,
    )
    if copy_to is None or model.projector is None or kept.path.parent == model.projector.parent:
        return kept
    # What lets it see must not stay where another program may delete it.
    name = f"{kept.path.stem}-mmproj.gguf"
    beside = kept.path.parent / name
    if not beside.exists():
        beside = copy_model((model.projector,), kept.path.parent, names=(name,))[0].path
    return library.add(kept.path, projector=beside, source="copy")


def _library_name(model: StoreModel) -> str | None:
    """Ollama's names are what its users know; elsewhere the model's own says more."""
    if model.store == "ollama":
        name = model.name.removesuffix(":latest")
        return name.rpartition("/")[2] if name.startswith("hf.co/") else name
    return None
