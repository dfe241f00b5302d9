"""Write the index of a folder of models, so that a share or a web server becomes a source."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.errors import HausgeistError, PackError, UsageError
from desktop.common.safe_names import is_safe_file
from desktop.common.storage import storage_error
from desktop.engine.cancel import CancelToken
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.hub.file_names import kind_of
from desktop.library.naming import name_of, unique
from desktop.library.packs.index_json import is_licence_file
from desktop.library.packs.making import (
    ModelToPack,
    Sign,
    claim_target,
    hashed,
    iso_time,
    to_hash_bytes,
)
from desktop.library.packs.making_folder import index_in, write_index
from desktop.library.packs.manifest import (
    INDEX_NAME,
    SIGNATURE_NAME,
    Manifest,
    PackedFile,
    PackedModel,
    Role,
)
from desktop.library.packs.minisign import read_secret_key
from desktop.library.packs.notes import Notes
from desktop.library.packs.progress import Meter, OnProgress
from desktop.services.models import model_files
from desktop.services.pack_contents import model_to_pack
from desktop.services.pack_keys import signer

_NOTES = "index"  # .index.making.json in the folder: hashes are not computed twice


@dataclass(frozen=True, slots=True)
class FolderIndex:
    """`failed` are the files that were left out, with the reason."""

    path: Path
    models: tuple[PackedModel, ...]
    failed: tuple[tuple[Path, HausgeistError], ...]
    signed_by: str


def write_folder_index(
    folder: Path,
    *,
    title: str = "",
    sign_with: Path | None = None,
    password: str = "",
    progress: OnProgress | None = None,
    cancel: CancelToken | None = None,
    now: Callable[[], float] = time.time,
) -> FolderIndex:
    """Read and hash every model in `folder` and below, and write ``index.json`` into it.

    A file that was hashed before and not written since is not read again. What an earlier index
    says beyond the files (descriptions, tasks, languages) stays.
    Raises UsageError("not_a_folder"), PackError: pack_empty, pack_would_unsign, pack_busy;
    StorageError, CancelledError.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise UsageError("not_a_folder", path=str(folder))
    key = None if sign_with is None else read_secret_key(sign_with, password)
    if key is None and (folder / SIGNATURE_NAME).exists():
        raise PackError("pack_would_unsign", path=str(folder))
    lock = claim_target(folder / _NOTES)
    try:
        models, failed = _found(folder)
        if not models:
            raise PackError("pack_empty", path=str(folder))
        notes = Notes.beside(folder / _NOTES)
        meter = Meter(
            to_hash_bytes(models), progress, None if cancel is None else lambda: cancel.cancelled
        )
        before = index_in(folder)
        whole = tuple(_with_words(one.packed, before) for one in hashed(models, notes, meter))
        manifest = Manifest(whole, title or (before.title if before else ""), iso_time(now()))
        sign: Sign | None = None if key is None else signer(key)
        write_index(folder, manifest, sign)
        meter.finish()
    finally:
        lock.close()
    return FolderIndex(
        folder / INDEX_NAME, whole, tuple(failed), "" if key is None else key.public.number
    )


def _found(folder: Path) -> tuple[list[ModelToPack], list[tuple[Path, HausgeistError]]]:
    """Every model below `folder` under the paths that it has there."""
    models: list[ModelToPack] = []
    failed: list[tuple[Path, HausgeistError]] = []
    names: set[str] = set()
    for path in model_files(folder):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if kind_of(path.name) != "model":
            continue
        try:
            header = read_header(path)
            check(header)
            made = _at_its_place(model_to_pack(name_of(header), header), folder)
        except HausgeistError as error:
            failed.append((path, error))
            continue
        name = unique(made.packed.name, lambda wanted: wanted.casefold() in names)
        names.add(name.casefold())
        models.append(replace(made, packed=replace(made.packed, name=name)))
    return models, failed


def _at_its_place(made: ModelToPack, folder: Path) -> ModelToPack:
    """The model's own files, and what lies beside it, where they are. Raises PackError."""
    parts = [made.places[file.path] for file in made.packed.parts]
    first = parts[0]
    assert isinstance(first, Path)
    beside = sorted(os.scandir(first.parent), key=lambda entry: entry.name)
    files: list[PackedFile] = []
    places: dict[str, Path | bytes] = {}

    def put(path: Path, role: Role) -> None:
        place = path.relative_to(folder).as_posix()
        if not is_safe_file(place):
            raise PackError("pack_unsafe_name", path=place)
        try:
            size = path.stat().st_size
        except OSError as error:
            raise storage_error(error, path, reading=True) from error
        files.append(PackedFile(place, size, "", role))
        places[place] = path

    for part in parts:
        assert isinstance(part, Path)
        put(part, "model")
    for entry in beside:
        if entry.is_file() and kind_of(entry.name) == "projector":
            put(Path(entry.path), "projector")
            break
    for entry in beside:
        if entry.is_file() and is_licence_file(entry.name) and entry.stat().st_size:
            put(Path(entry.path), "licence")
    return ModelToPack(replace(made.packed, files=tuple(files)), places)


def _with_words(packed: PackedModel, before: Manifest | None) -> PackedModel:
    """What people wrote into the index by hand stays, as long as the file is the same."""
    for known in before.models if before else ():
        if known.files[0].sha256 == packed.files[0].sha256:
            return replace(
                packed,
                name=known.name,
                about=known.about,
                task=known.task or packed.task,
                languages=known.languages or packed.languages,
                licence=known.licence or packed.licence,
                settings=known.settings,
                origin=known.origin,
            )
    return packed
