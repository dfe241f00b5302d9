"""What came out of a pack, on its way into the library; and files while they are still inside."""

from __future__ import annotations

from desktop.common.errors import HausgeistError, ModelFileError
from desktop.common.logs import get_logger
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.model_settings import settings_from
from desktop.library.origin import Origin
from desktop.library.packs.arrival import Arrived
from desktop.library.packs.manifest import PackedFile, PackedModel
from desktop.library.packs.opening import OpenPack
from desktop.services.pack_origins import note_origins
from desktop.services.pack_views import PackView, UnpackedModel

_log = get_logger("packs")


class InPack:
    """A file in a pack, as the header's reader wants it."""

    def __init__(self, pack: OpenPack, file: PackedFile) -> None:
        self._pack = pack
        self._file = file
        self.size_bytes = file.size_bytes

    def read(self, offset: int, n: int) -> bytes:
        return self._pack.read_at(self._file, offset, n)


def already_here(library: Library, packed: PackedModel) -> UnpackedModel | None:
    """The very model in the library, if it is there and whole."""
    for model in library.list():
        if packed.content and model.content == packed.content and not model.problem:
            first = packed.files[0].sha256
            return UnpackedModel(packed, model.path, first, model, was_here=True)
    return None


def taken_in(library: Library, arrived: Arrived, view: PackView) -> UnpackedModel:
    """The model of files that have arrived whole, in the library. Raises StorageError."""
    packed = arrived.packed
    first = arrived.paths[0]
    model: LibraryModel | None = None
    problem: HausgeistError | None = None
    by_path = dict(zip((file.path for file in packed.files), arrived.paths, strict=True))
    note_origins(packed, by_path, view.manifest.title or view.path.name)
    projectors = packed.of_role("projector")
    try:
        header = read_header(first)
        check(header)
        model = library.add(
            first,
            header,
            source="copy",
            origin=_origin_of(packed, view),
            name=packed.name,
            projector=by_path[projectors[0].path] if projectors else None,
            settings=settings_from(dict(packed.settings)),
            hashes=tuple(file.sha256 for file in packed.parts),
        )
    except ModelFileError as error:  # it is what the pack says; only no model for us
        _log.warning("%s: %s", packed.name, error)
        problem = error
    return UnpackedModel(packed, first, packed.files[0].sha256, model, problem, arrived.was_here)


def _origin_of(packed: PackedModel, view: PackView) -> Origin:
    """From this pack; and where it first came from, in `file`."""
    first = packed.origin
    file = packed.files[0].path
    if first.get("kind") == "hub" and first.get("where"):
        file = f"{first['where']}:{first.get('file', '')}".rstrip(":")
    return Origin(
        "pack",
        view.manifest.title or view.path.name,
        file,
        str(first.get("commit", "")),
        packed.files[0].sha256,
        is_verified=True,
    )
