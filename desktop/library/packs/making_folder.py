"""Make a pack as a folder, or add models to one: what a share or a web server then offers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.common.atomic import write_atomic
from desktop.common.errors import CancelledError, PackError
from desktop.common.safe_names import folded
from desktop.common.storage import free_bytes, storage_error
from desktop.library.packs.digests import Digests, sha256_of
from desktop.library.packs.index_json import index_bytes, parse_index
from desktop.library.packs.making import (
    Made,
    ModelToPack,
    Sign,
    Where,
    chunks_of,
    claim_target,
    copy,
    hashed,
    iso_time,
    places_of,
    require_folder,
    require_room,
    size_of,
    to_hash_bytes,
    unique_files,
)
from desktop.library.packs.manifest import (
    INDEX_NAME,
    MAX_INDEX_BYTES,
    SIGNATURE_NAME,
    Manifest,
    PackedFile,
    PackedModel,
)
from desktop.library.packs.notes import Notes
from desktop.library.packs.progress import Meter, OnProgress
from desktop.library.packs.writer import VolumeWriter, Written, remove, unfinished, volume_paths

_NOTES = "pack"  # .pack.making.json in the folder


@dataclass(frozen=True, slots=True)
class FolderMaking:
    """As Making; models that the folder has already stay, one of the same name is replaced.

    `piece_bytes`: larger files are cut, 0 none is; a folder that has an index keeps its own.
    """

    models: tuple[ModelToPack, ...]
    target: Path
    piece_bytes: int = 0
    title: str = ""
    sign: Sign | None = None
    free: Callable[[Path], int] = free_bytes
    now: Callable[[], float] = time.time

    def run(
        self,
        on_progress: OnProgress | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        *,
        keep_unfinished: bool = True,
    ) -> Made:
        """Raises as Making.run, and PackError("pack_would_unsign") where the folder's index is
        signed and this one would not be."""
        require_folder(self.target.parent)
        try:
            self.target.mkdir(exist_ok=True)
        except OSError as error:
            raise storage_error(error, self.target) from error
        lock = claim_target(self.target / _NOTES)
        try:
            return _Run(self, on_progress, is_cancelled, keep_unfinished).run()
        finally:
            lock.close()


class _Run:
    def __init__(
        self,
        making: FolderMaking,
        on_progress: OnProgress | None,
        is_cancelled: Callable[[], bool] | None,
        keep_unfinished: bool,
    ) -> None:
        self._making = making
        self._target = making.target
        self._keep_unfinished = keep_unfinished
        self._notes = Notes.beside(making.target / _NOTES)
        self._before = index_in(making.target)
        self._piece_bytes = self._before.piece_bytes if self._before else making.piece_bytes
        if self._before and making.sign is None and (self._target / SIGNATURE_NAME).exists():
            raise PackError("pack_would_unsign", path=str(self._target))
        files = unique_files(making.models).values()
        unknown = to_hash_bytes(making.models)
        total = sum(file.size_bytes for file in files)
        self._meter = Meter(unknown + total, on_progress, is_cancelled)

    def run(self) -> Made:
        making = self._making
        kept = self._kept()
        require_free_places(kept, making.models)
        self._require_room()
        try:
            models = hashed(making.models, self._notes, self._meter)
        except CancelledError:
            if not self._keep_unfinished:
                self._notes.forget()
            raise
        files = unique_files(models)
        sources = places_of(models)
        written: list[Written] = []
        with Digests() as digests:
            for file in files.values():
                written.extend(self._bring(file, sources[file.path], digests))
        manifest = Manifest(
            (*kept, *(model.packed for model in models)),
            making.title or (self._before.title if self._before else ""),
            iso_time(making.now()),
            self._piece_bytes,
        )
        index = write_index(self._target, manifest, making.sign)
        self._notes.forget()
        self._meter.finish()
        return Made(manifest, index, tuple(written))

    def _kept(self) -> tuple[PackedModel, ...]:
        """What the folder has already, without those that are made anew."""
        new = {model.packed.name.casefold() for model in self._making.models}
        before = self._before.models if self._before else ()
        return tuple(model for model in before if model.name.casefold() not in new)

    def _require_room(self) -> None:
        needed = 0
        for file in unique_files(self._making.models).values():
            paths = volume_paths(self._place(file), file.size_bytes, self._piece_bytes)
            there = sum(max(size_of(path), size_of(unfinished(path))) for path in paths)
            needed += max(0, file.size_bytes - there)
        require_room(self._target, needed, self._making.free)

    def _bring(self, file: PackedFile, source: Where, digests: Digests) -> tuple[Written, ...]:
        """One file into its place, unless that very file is there already."""
        place = self._place(file)
        paths = volume_paths(place, file.size_bytes, self._piece_bytes)
        if self._is_there(file, paths):
            sha256 = file.sha256 if len(paths) == 1 else ""
            return tuple(Written(path, size_of(path), sha256) for path in paths)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, place.parent) from error
        writer = VolumeWriter(
            place,
            file.size_bytes,
            self._piece_bytes,
            with_hashes=len(paths) > 1,
        )
        try:
            copy(file, source, writer, digests, self._meter)
        except CancelledError:
            writer.close()
            if not self._keep_unfinished:
                writer.discard()
                self._notes.forget()
            raise
        except PackError:
            writer.discard()
            raise
        except BaseException:
            writer.close()
            raise
        written = writer.finish()
        return written if len(paths) > 1 else (Written(place, file.size_bytes, file.sha256),)

    def _is_there(self, file: PackedFile, paths: Sequence[Path]) -> bool:
        if sum(size_of(path) for path in paths) != file.size_bytes:
            return False
        self._meter.begin("checking", file.path)
        digest = hashlib.sha256()
        done = self._meter.done_bytes
        if len(paths) == 1:
            digest = sha256_of(paths[0], self._meter)
        else:
            for path in paths:
                for chunk in chunks_of(path, PackedFile(path.name, size_of(path), "")):
                    digest.update(chunk)
                    self._meter.add(len(chunk))
        if digest.hexdigest() == file.sha256:
            return True
        self._meter.add(done - self._meter.done_bytes)  # it is written after all
        return False

    def _place(self, file: PackedFile) -> Path:
        return self._target.joinpath(*file.path.split("/"))


def index_in(folder: Path) -> Manifest | None:
    """The index of a folder; None where there is none. Raises PackError, StorageError."""
    path = folder / INDEX_NAME
    try:
        with path.open("rb") as file:
            return parse_index(file.read(MAX_INDEX_BYTES + 1), str(folder))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(error, path, reading=True) from error


def write_index(folder: Path, manifest: Manifest, sign: Sign | None) -> bytes:
    """Put the index into its place, what signs it first. Raises StorageError."""
    index = index_bytes(manifest)
    if sign is not None:
        write_atomic(folder / SIGNATURE_NAME, sign(index, manifest.made_at))
    else:
        remove([folder / SIGNATURE_NAME])
    write_atomic(folder / INDEX_NAME, index)
    for name in (INDEX_NAME, SIGNATURE_NAME):
        if (folder / name).exists():
            (folder / name).chmod(0o644)  # a web server is another user
    return index


def require_free_places(kept: Sequence[PackedModel], models: Sequence[ModelToPack]) -> None:
    """No file may be written over that another model of the folder needs.

    Raises PackError("pack_target_taken").
    """
    taken: Mapping[str, PackedFile] = {
        folded(file.path): file for model in kept for file in model.files
    }
    for file in unique_files(models).values():
        other = taken.get(folded(file.path))
        if other is not None and (other.size_bytes, other.sha256) != (
            file.size_bytes,
            file.sha256 or other.sha256,
        ):
            raise PackError("pack_target_taken", path=file.path)
