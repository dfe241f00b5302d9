"""What a store's models are, by their own headers, and which of them the library has already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from desktop.common.errors import HausgeistError, ModelFileError, StorageError
from desktop.engine.cancel import CancelToken
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.library.files import content_of, identity
from desktop.library.model import LibraryModel
from desktop.library.projectors import fits, projector_beside
from desktop.library.stores.model import StoreModel
from desktop.library.stores.own_form import is_own_form

_EXTRA = "no_language_model"


class StoreModels:
    """Looks at the models of one store after the other; for one thread."""

    def __init__(self, ours: Iterable[LibraryModel], token: CancelToken) -> None:
        """`ours` are the library's."""
        self._token = token
        self._by_file: dict[tuple[int, int], LibraryModel] = {}
        self._by_bytes: dict[int, set[str]] = {}
        for model in ours:
            place = identity(model.path)
            if place is not None and not model.problem:
                self._by_file[place] = model
                self._by_bytes.setdefault(model.file_bytes, set()).add(model.content)

    def look(
        self, models: Iterable[StoreModel]
    ) -> tuple[tuple[StoreModel, ...], frozenset[StoreModel]]:
        """Each model with what its header says, and those of them that the library has.

        Projectors and adapters are left out; one that cannot be opened says why in `problem`.
        Raises CancelledError.
        """
        here: set[StoreModel] = set()
        return tuple(self._looked_at(models, here)), frozenset(here)

    def _looked_at(
        self, models: Iterable[StoreModel], here: set[StoreModel]
    ) -> Iterator[StoreModel]:
        for model in models:
            self._token.raise_if_cancelled()
            if model.problem is not None:
                yield model
                continue
            ours = self._ours(model.paths[0])
            if ours is not None:
                taken = _as_ours(model, ours)
                here.add(taken)
                yield taken
                continue
            try:
                header = openable(model)
            except HausgeistError as error:
                if error.kind != _EXTRA:
                    yield replace(model, problem=error)
                continue
            known = _with_header(model, header)
            if self._is_twin(header):
                here.add(known)
            yield known

    def _ours(self, path: Path) -> LibraryModel | None:
        place = identity(path)
        return None if place is None else self._by_file.get(place)

    def _is_twin(self, header: ModelHeader) -> bool:
        """Whether the library has the same model from elsewhere: taken in, it would be that one.

        Sixteen samples are read of a file that is just as long as one of the library's.
        """
        contents = self._by_bytes.get(header.file_bytes)
        if not contents:
            return False
        try:
            return content_of(header.paths) in contents
        except StorageError:
            return False  # taking it in tells why


def openable(model: StoreModel) -> ModelHeader:
    """The header of a model that llama.cpp can open as far as a header tells.

    Raises ModelFileError (store_own_form, and as read_header and check), UnsafeModelError.
    """
    header = read_header(model.paths[0])
    check(header)
    if is_own_form(header):
        raise ModelFileError("store_own_form", model=model.name)
    return header


def _as_ours(model: StoreModel, ours: LibraryModel) -> StoreModel:
    """What the library knows is not read again."""
    return replace(
        model,
        file_bytes=ours.file_bytes,
        quantization=ours.quantization,
        licence=model.licence or ours.licence,
        projector=ours.projector,
    )


def _with_header(model: StoreModel, header: ModelHeader) -> StoreModel:
    return replace(
        model,
        paths=header.paths,
        file_bytes=header.file_bytes,
        quantization=header.quantization,
        licence=model.licence or header.licence,
        projector=_projector(model, header),
    )


def _projector(model: StoreModel, header: ModelHeader) -> Path | None:
    if model.projector is not None:
        return model.projector if fits(model.projector, header) else None
    return projector_beside(header, model.beside) if model.beside else None
