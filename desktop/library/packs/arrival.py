"""Bring models out of a pack: everything is checked before anything of it can be seen.

<folder>/.unpacking/<pack>/...     files on their way, and notes of how far they are
<folder>/...                       their places, into which they are renamed at the end
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.common.atomic import replace, sync_folder
from desktop.common.errors import PackError, StorageError
from desktop.common.locks import claim
from desktop.common.logs import get_logger
from desktop.common.storage import free_bytes, storage_error
from desktop.library.packs.digests import CHUNK_BYTES, Digests, sha256_of
from desktop.library.packs.making import size_of
from desktop.library.packs.manifest import PackedFile, PackedModel
from desktop.library.packs.notes import Notes, try_keep
from desktop.library.packs.opening import OpenPack
from desktop.library.packs.progress import Meter, OnProgress
from desktop.library.packs.writer import VolumeWriter, unfinished, write_error

STAGING = ".unpacking"
SPARE_BYTES = 500_000_000
_FORGOTTEN_S = 30 * 24 * 3600.0
_MOST_PLACES = 1_000

_log = get_logger("packs")


@dataclass(frozen=True, slots=True)
class Arrived:
    """One model in its place; `paths` in the order of its files. `was_here`: nothing of it had to
    be written."""

    packed: PackedModel
    paths: tuple[Path, ...]
    was_here: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """`models` of `pack` shall go into `folder`."""

    pack: OpenPack
    models: tuple[PackedModel, ...]
    folder: Path
    free: Callable[[Path], int] = free_bytes

    def run(
        self,
        on_progress: OnProgress | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> tuple[Arrived, ...]:
        """What was brought stays for the next time, whatever happens.

        Raises CancelledError, StorageError: no_room_for_unpack, disk_full, read_only, storage;
        PackError: pack_wrong_hash, pack_cut_short, pack_busy.
        """
        staging = staging_of(self.pack, self.folder)
        try:
            staging.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, self.folder) from error
        lock = claim(staging.with_name(staging.name + ".lock"))
        if lock is None:
            raise PackError("pack_busy", path=str(self.pack.path))
        try:
            remove_forgotten(self.folder, keep=staging)
            return _Run(self, staging, on_progress, is_cancelled).run()
        finally:
            lock.close()
            _remove_empty(staging)

    def needed_bytes(self) -> int:
        """What must still be written, without looking into files that may be there already."""
        return sum(file.size_bytes for file in _unique(self.models).values())


class _Run:
    def __init__(
        self,
        arrival: Arrival,
        staging: Path,
        on_progress: OnProgress | None,
        is_cancelled: Callable[[], bool] | None,
    ) -> None:
        self._pack = arrival.pack
        self._models = arrival.models
        self._folder = arrival.folder
        self._free = arrival.free
        self._staging = staging
        self._files = _unique(arrival.models)
        self._notes = Notes.beside(staging / "pack")
        self._meter = Meter(arrival.needed_bytes(), on_progress, is_cancelled)

    def run(self) -> tuple[Arrived, ...]:
        base = self._base()
        here = self._already_there(base)
        self._require_room(here)
        with Digests() as digests:
            for file in self._files.values():
                if file.path not in here:
                    self._bring(file, digests)
        places = self._put_in_place(base, here)
        self._notes.forget()
        shutil.rmtree(self._staging, ignore_errors=True)
        self._meter.finish()
        return tuple(
            Arrived(
                model,
                tuple(places[file.path] for file in model.files),
                was_here=all(file.path in here for file in model.files),
            )
            for model in self._models
        )

    def _base(self) -> Path:
        """The models' folder, or one in it where none of the names belongs to another file."""
        for number in range(1, _MOST_PLACES):
            base = self._folder if number == 1 else self._folder / f"pack-{number}"
            if not any(self._is_taken(base, file) for file in self._files.values()):
                return base
        raise PackError("pack_target_taken", path=str(self._folder))

    def _is_taken(self, base: Path, file: PackedFile) -> bool:
        """By another file, or by a file where a folder is needed."""
        place = _place(base, file)
        if place.exists():
            return (
                not place.is_file()
                or size_of(place) != file.size_bytes
                or not self._is_it(place, file)
            )
        above = place.parent
        while above != base and not above.exists():
            above = above.parent
        return above.exists() and not above.is_dir()

    def _is_it(self, place: Path, file: PackedFile) -> bool:
        """Whether the file in that place is the one of the pack; read whole, and remembered."""
        key = f"{place}|{size_of(place)}|{place.stat().st_mtime_ns}"
        if key not in self._notes.hashes:
            self._meter.begin("checking", file.path)
            done = self._meter.done_bytes
            self._notes.hashes[key] = sha256_of(place, self._meter).hexdigest()
            self._meter.add(done - self._meter.done_bytes)
        return self._notes.hashes[key] == file.sha256

    def _already_there(self, base: Path) -> set[str]:
        found = {path for path, file in self._files.items() if _place(base, file).exists()}
        for path in found:
            self._meter.add(self._files[path].size_bytes)
        return found

    def _require_room(self, here: set[str]) -> None:
        left = 0
        for file in self._files.values():
            if file.path not in here:
                staged = max(size_of(self._staged(file)), size_of(unfinished(self._staged(file))))
                left += max(0, file.size_bytes - staged)
        room = self._free(self._folder)
        spare = min(SPARE_BYTES, left // 20)
        if left and left + spare > room:
            raise StorageError(
                "no_room_for_unpack",
                path=str(self._folder),
                needed_bytes=left + spare,
                free_bytes=room,
            )

    def _bring(self, file: PackedFile, digests: Digests) -> None:
        """Into the staging folder, checked; from where an interrupted time stopped."""
        staged = self._staged(file)
        stamp = _stamp(staged)
        if stamp and self._notes.hashes.get(stamp) == file.sha256:
            self._meter.add(file.size_bytes)
            return
        try:
            staged.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, staged.parent) from error
        # The last byte is always written, so that the writer sees the end.
        done = min(size_of(unfinished(staged)), file.size_bytes - 1)
        if (done and self._write(file, staged, done, digests)) or self._write(
            file, staged, 0, digests
        ):
            return
        raise PackError(
            "pack_wrong_hash",
            path=str(self._pack.path),
            file=file.path,
            model=self._model_of(file),
        )

    def _write(self, file: PackedFile, staged: Path, done: int, digests: Digests) -> bool:
        """Whether all of it is there and right; what an earlier time wrote is hashed, and if it
        was not right (a failure of power), nothing of it stays."""
        self._meter.begin("checking", file.path)
        before = self._meter.done_bytes
        digest = sha256_of(unfinished(staged), self._meter, done) if done else hashlib.sha256()
        writer = VolumeWriter(staged, file.size_bytes, 0, with_hashes=False)
        writer.begin_at(done)
        try:
            self._copy(file, writer, digests, digest)
        except StorageError as error:
            writer.close()
            if error.kind == "pack_file_too_large":  # no matter of the pack's pieces here
                raise StorageError("file_too_large_here", path=str(self._folder)) from error
            raise
        except BaseException:
            writer.close()
            raise
        if digest.hexdigest() != file.sha256:
            writer.discard()
            self._meter.add(before - self._meter.done_bytes)
            return False
        writer.finish()
        self._notes.hashes[_stamp(staged)] = file.sha256
        try_keep(self._notes)
        return True

    def _copy(
        self, file: PackedFile, writer: VolumeWriter, digests: Digests, digest: hashlib._Hash
    ) -> None:
        self._meter.begin("writing", file.path)
        while writer.offset < file.size_bytes:
            chunk = self._pack.read_at(file, writer.offset, CHUNK_BYTES)
            if not chunk:
                raise PackError("pack_cut_short", path=str(self._pack.path))
            writer.write(chunk, digests, digest)
            self._meter.add(len(chunk))

    def _put_in_place(self, base: Path, here: set[str]) -> dict[str, Path]:
        """Rename all, the first part of each model last: whoever sees it sees a whole model."""
        self._meter.begin("placing", "")
        places = {path: _place(base, file) for path, file in self._files.items()}
        first = {model.files[0].path for model in self._models}
        order = sorted(self._files, key=lambda path: path in first)
        moved: list[str] = []
        try:
            for path in order:
                if path in here:
                    continue
                places[path].parent.mkdir(parents=True, exist_ok=True)
                replace(self._staged(self._files[path]), places[path])
                moved.append(path)
        except OSError as error:
            for path in reversed(moved):
                with contextlib.suppress(OSError):  # the first error is the one that tells
                    replace(places[path], self._staged(self._files[path]))
            raise write_error(error, places[order[len(moved)]]) from error
        for folder in {place.parent for place in places.values()}:
            sync_folder(folder)
        return places

    def _staged(self, file: PackedFile) -> Path:
        return _place(self._staging, file)

    def _model_of(self, file: PackedFile) -> str:
        return next(model.name for model in self._models if file in model.files)


def staging_of(pack: OpenPack, folder: Path) -> Path:
    """Where a pack's files lie until all of them are right."""
    return folder / STAGING / hashlib.sha256(pack.index).hexdigest()[:16]


def delete_staged(pack: OpenPack, folder: Path) -> None:
    """Give up what was brought of a pack and is not finished."""
    staging = staging_of(pack, folder)
    shutil.rmtree(staging, ignore_errors=True)
    _remove_empty(staging)


def check_pack(
    pack: OpenPack,
    on_progress: OnProgress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> None:
    """Read all of it and compare every hash; raises as Arrival.run."""
    files = _unique(pack.manifest.models)
    meter = Meter(sum(file.size_bytes for file in files.values()), on_progress, is_cancelled)
    for file in files.values():
        meter.begin("checking", file.path)
        digest = hashlib.sha256()
        offset = 0
        while offset < file.size_bytes:
            chunk = pack.read_at(file, offset, CHUNK_BYTES)
            if not chunk:
                raise PackError("pack_cut_short", path=str(pack.path))
            digest.update(chunk)
            offset += len(chunk)
            meter.add(len(chunk))
        if digest.hexdigest() != file.sha256:
            name = next(one.name for one in pack.manifest.models if file in one.files)
            raise PackError("pack_wrong_hash", path=str(pack.path), file=file.path, model=name)
    meter.finish()


def remove_forgotten(folder: Path, *, keep: Path, now: Callable[[], float] = time.time) -> None:
    """Delete what was left half unpacked a month ago: gigabytes that nobody would miss."""
    try:
        staged = [path for path in (folder / STAGING).iterdir() if path.is_dir()]
    except OSError as error:
        _log.info("not looked for forgotten packs: %s", error)
        return
    for path in staged:
        with contextlib.suppress(OSError):
            if path != keep and now() - path.stat().st_mtime > _FORGOTTEN_S:
                shutil.rmtree(path, ignore_errors=True)


def _unique(models: Sequence[PackedModel]) -> dict[str, PackedFile]:
    return {file.path: file for model in models for file in model.files}


def _place(base: Path, file: PackedFile) -> Path:
    return base.joinpath(*file.path.split("/"))


def _stamp(path: Path) -> str:
    """Which file this is, "" where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{path}|{stat.st_size}|{stat.st_mtime_ns}"


def _remove_empty(staging: Path) -> None:
    for folder in (staging, staging.parent):
        with contextlib.suppress(OSError):  # something of another pack is in it
            folder.rmdir()
