"""Make a pack: hash what shall go in, then write it, from where an interrupted time stopped."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from desktop.common.errors import CancelledError, PackError, StorageError
from desktop.common.locks import FileClaim, claim
from desktop.common.storage import free_bytes, storage_error
from desktop.library.packs.archive import END_BYTES, Layout, lay_out, padded
from desktop.library.packs.digests import CHUNK_BYTES, Digests, sha256_of
from desktop.library.packs.index_json import index_bytes
from desktop.library.packs.manifest import (
    INDEX_NAME,
    SIGNATURE_NAME,
    Manifest,
    PackedFile,
    PackedModel,
)
from desktop.library.packs.notes import Notes, lock_path, try_keep
from desktop.library.packs.progress import Meter, OnProgress
from desktop.library.packs.writer import (
    UNFINISHED,
    VolumeWriter,
    Written,
    remove,
    take_back,
    unfinished,
    volume_paths,
)

SPARE_BYTES = 1 << 20
_UNKNOWN_HASH = "0" * 64

Where = Path | bytes
"""A file on this disk, or what shall stand in one."""

Sign = Callable[[bytes, str], bytes]
"""The signature file for an index made at that time: the same bytes for the same index."""


@dataclass(frozen=True, slots=True)
class ModelToPack:
    """`places` tells where each of its files lies, or what stands in it; a file without a sha256 is
    hashed first."""

    packed: PackedModel
    places: Mapping[str, Where]


@dataclass(frozen=True, slots=True)
class Made:
    """`index` is what was signed; `volumes` are the files of an archive."""

    manifest: Manifest
    index: bytes
    volumes: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Making:
    """What shall become of which models; `volume_bytes` 0: one file of any size.

    `may_replace`: a finished pack of that name is written over, once the new one is whole.
    """

    models: tuple[ModelToPack, ...]
    target: Path
    volume_bytes: int = 0
    title: str = ""
    sign: Sign | None = None
    may_replace: bool = False
    free: Callable[[Path], int] = free_bytes
    now: Callable[[], float] = time.time

    def run(
        self,
        on_progress: OnProgress | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        *,
        keep_unfinished: bool = True,
    ) -> Made:
        """Raises CancelledError (what was written stays for the next time, if that is wanted),
        StorageError: no_room_for_pack, disk_full, read_only, drive_gone, pack_file_too_large;
        PackError: pack_busy, pack_target_taken, pack_source_gone, pack_source_changed,
        pack_source_damaged, pack_too_many_pieces."""
        lock = claim_target(self.target)
        try:
            return _Run(self, on_progress, is_cancelled, keep_unfinished).run()
        finally:
            lock.close()


class _Run:
    def __init__(
        self,
        making: Making,
        on_progress: OnProgress | None,
        is_cancelled: Callable[[], bool] | None,
        keep_unfinished: bool,
    ) -> None:
        self._making = making
        self._target = making.target
        self._notes = Notes.beside(making.target)
        self._notes.made_at = self._notes.made_at or iso_time(making.now())
        self._keep_unfinished = keep_unfinished
        unknown = to_hash_bytes(making.models)
        self._meter = Meter(
            unknown + self._layout(making.models).total_bytes, on_progress, is_cancelled
        )

    def run(self) -> Made:
        layout = self._layout(self._making.models)  # hashes have one length, so the sizes stand
        volumes = volume_paths(self._target, layout.total_bytes, self._making.volume_bytes)
        self._require_place(volumes, layout.total_bytes)
        try:
            models = hashed(self._making.models, self._notes, self._meter)
        except CancelledError:
            if not self._keep_unfinished:
                delete_unfinished(self._target)
            raise
        manifest = self._manifest(models)
        index = index_bytes(manifest)
        signature = self._making.sign(index, manifest.made_at) if self._making.sign else None
        try_keep(self._notes)  # the same time stands in it when it is gone on with
        writer = VolumeWriter(
            self._target,
            layout.total_bytes,
            self._making.volume_bytes,
        )
        try:
            written = self._write(writer, layout, models, index, signature)
        except CancelledError:
            self._stop(writer, keep=self._keep_unfinished)
            raise
        except PackError:  # the source is not what it was: nothing of this can be used
            self._stop(writer, keep=False)
            raise
        except BaseException:
            writer.close()
            raise
        self._notes.forget()
        return Made(manifest, index, written)

    def _write(
        self,
        writer: VolumeWriter,
        layout: Layout,
        models: Sequence[ModelToPack],
        index: bytes,
        signature: bytes | None,
    ) -> tuple[Written, ...]:
        bodies: dict[str, bytes] = {INDEX_NAME: index}
        if signature is not None:
            bodies[SIGNATURE_NAME] = signature
        sources = places_of(models)
        files = unique_files(models)
        with Digests() as digests:
            for header, entry in zip(layout.headers, layout.entries, strict=True):
                writer.write(header, digests)
                if entry.path in bodies:
                    self._meter.begin("writing", self._target.name)
                    writer.write(bodies[entry.path], digests)
                else:
                    source = sources[entry.path]
                    copy(files[entry.path], source, writer, digests, self._meter)
                writer.write(bytes(padded(entry.size_bytes) - entry.size_bytes), digests)
            writer.write(bytes(END_BYTES), digests)
        written = writer.finish()
        self._meter.finish()
        return written

    def _stop(self, writer: VolumeWriter, *, keep: bool) -> None:
        if not keep:
            writer.discard()
            self._notes.forget()
            return
        writer.close()

    def _layout(self, models: Sequence[ModelToPack]) -> Layout:
        manifest = self._manifest(models)
        index = index_bytes(manifest)
        files = [(INDEX_NAME, len(index))]
        if self._making.sign is not None:
            files.append((SIGNATURE_NAME, len(self._making.sign(index, manifest.made_at))))
        files += [(file.path, file.size_bytes) for file in unique_files(models).values()]
        return lay_out(files, int(datetime.fromisoformat(self._notes.made_at).timestamp()))

    def _manifest(self, models: Sequence[ModelToPack]) -> Manifest:
        packed = tuple(_with_hashes(model.packed) for model in models)
        return Manifest(packed, self._making.title, self._notes.made_at)

    def _require_place(self, volumes: Sequence[Path], total_bytes: int) -> None:
        take_back(volumes)
        taken = [path for path in (self._target, *volumes) if path.exists()]
        if taken and not self._making.may_replace:
            raise PackError("pack_target_taken", path=str(taken[0]))
        begun = sum(size_of(unfinished(path)) for path in volumes)
        require_room(self._target.parent, total_bytes - begun, self._making.free)


def require_folder(folder: Path) -> None:
    """Never made here: on a drive that is not connected it would lie on another one.

    Raises StorageError("no_such_folder")."""
    if not folder.is_dir():
        raise StorageError("no_such_folder", path=str(folder))


def claim_target(target: Path) -> FileClaim:
    """Only one process makes a pack of that name.

    Raises PackError("pack_busy"), StorageError("no_such_folder")."""
    require_folder(target.parent)
    lock = claim(lock_path(target))
    if lock is None:
        raise PackError("pack_busy", path=str(target))
    return lock


def hashed(models: Sequence[ModelToPack], notes: Notes, meter: Meter) -> tuple[ModelToPack, ...]:
    """The models with the hash of every file; what an earlier time found is not read again."""
    known: dict[str, str] = {}
    for model in models:
        for file in model.packed.files:
            source = model.places[file.path]
            if isinstance(source, bytes):
                known[file.path] = hashlib.sha256(source).hexdigest()
                continue
            stamp = _stamp(source, file)
            if file.sha256 or file.path in known:
                continue
            sha256 = notes.hashes.get(stamp, "")
            if sha256:
                meter.add(file.size_bytes)
            else:
                meter.begin("hashing", file.path)
                sha256 = sha256_of(source, meter).hexdigest()
                if _stamp(source, file) != stamp:
                    raise PackError("pack_source_changed", path=str(source))
                notes.hashes[stamp] = sha256
                notes.keep()
            known[file.path] = sha256
    return tuple(
        replace(model, packed=replace(model.packed, files=tuple(
            replace(file, sha256=file.sha256 or known[file.path]) for file in model.packed.files
        )))
        for model in models
    )  # fmt: skip


def unique_files(models: Sequence[ModelToPack]) -> dict[str, PackedFile]:
    """Every file once, in order: models may share what lets them see."""
    return {file.path: file for model in models for file in model.packed.files}


def places_of(models: Sequence[ModelToPack]) -> dict[str, Where]:
    """Where each file lies, by its path in the pack."""
    return {path: place for model in models for path, place in model.places.items()}


def to_hash_bytes(models: Sequence[ModelToPack]) -> int:
    """What must be read before anything is written."""
    places = places_of(models)
    return sum(
        file.size_bytes
        for file in unique_files(models).values()
        if not file.sha256 and isinstance(places[file.path], Path)
    )


def chunks_of(source: Where, file: PackedFile) -> Iterator[bytes]:
    """All of a file that must still have the size it had. Raises PackError, StorageError."""
    if isinstance(source, bytes):
        yield source
        return
    left = file.size_bytes
    try:
        with source.open("rb") as reader:
            while left > 0:
                chunk = reader.read(min(left, CHUNK_BYTES))
                if not chunk:
                    raise PackError("pack_source_changed", path=str(source))
                left -= len(chunk)
                yield chunk
            if reader.read(1):
                raise PackError("pack_source_changed", path=str(source))
    except OSError as error:
        raise storage_error(error, source, reading=True) from error


def copy(
    file: PackedFile, source: Where, writer: VolumeWriter, digests: Digests, meter: Meter
) -> None:
    """All of a file, which must still be what it was.

    Raises PackError: pack_source_changed, pack_source_damaged; StorageError, CancelledError.
    """
    meter.begin("writing", file.path)
    digest = hashlib.sha256()
    for chunk in chunks_of(source, file):
        writer.write(chunk, digests, digest)
        meter.add(len(chunk))
    if digest.hexdigest() != file.sha256:
        shown = str(source) if isinstance(source, Path) else file.path
        raise PackError("pack_source_damaged", path=shown)


def require_room(folder: Path, needed_bytes: int, free: Callable[[Path], int]) -> None:
    """Raises StorageError("no_room_for_pack")."""
    room = free(folder)
    if needed_bytes > 0 and needed_bytes + SPARE_BYTES > room:
        raise StorageError(
            "no_room_for_pack",
            path=str(folder),
            needed_bytes=needed_bytes + SPARE_BYTES,
            free_bytes=room,
        )


def archive_bytes(models: Sequence[ModelToPack], title: str, signature_bytes: int) -> int:
    """How large the archive of `models` will be, to the byte."""
    packed = tuple(_with_hashes(model.packed) for model in models)
    index = index_bytes(Manifest(packed, title, iso_time(0.0)))
    files = [(INDEX_NAME, len(index))]
    if signature_bytes:
        files.append((SIGNATURE_NAME, signature_bytes))
    files += [(file.path, file.size_bytes) for file in unique_files(models).values()]
    return lay_out(files, 0).total_bytes


def iso_time(seconds: float) -> str:
    """``2026-01-31T12:00:00+00:00``: whole seconds, so that it always has one length."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def size_of(path: Path) -> int:
    """0 for a file that is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def delete_unfinished(target: Path) -> None:
    """Give up an interrupted pack. Raises StorageError."""
    name = re.compile(re.escape(target.name) + r"(\.\d{3})?" + re.escape(UNFINISHED))
    parts = [path for path in target.parent.iterdir() if name.fullmatch(path.name)]
    remove([*parts, Notes.beside(target).path])


def _with_hashes(model: PackedModel) -> PackedModel:
    files = tuple(replace(file, sha256=file.sha256 or _UNKNOWN_HASH) for file in model.files)
    return replace(model, files=files)


def _stamp(source: Path, file: PackedFile) -> str:
    try:
        stat = source.stat()
    except FileNotFoundError as error:
        raise PackError("pack_source_gone", path=str(source)) from error
    except OSError as error:
        raise storage_error(error, source, reading=True) from error
    if stat.st_size != file.size_bytes:
        raise PackError("pack_source_changed", path=str(source))
    return f"{source}|{stat.st_size}|{stat.st_mtime_ns}"
