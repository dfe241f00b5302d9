"""Open a pack, whatever its shape: its index at once, its files' bytes when they are asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from desktop.common.errors import PackError
from desktop.common.storage import storage_error
from desktop.library.packs.archive import Entry, read_entries
from desktop.library.packs.index_json import parse_index
from desktop.library.packs.manifest import (
    INDEX_NAME,
    MAX_INDEX_BYTES,
    SIGNATURE_NAME,
    Manifest,
    PackedFile,
    PackedModel,
    Refused,
)
from desktop.library.packs.minisign import MAX_FILE_BYTES
from desktop.library.packs.volumes import (
    MOST_VOLUMES,
    VolumeReader,
    volume_path,
    volumes_of,
    whole_path,
)


class OpenPack(Protocol):
    """`manifest` names only models whose files are all there, with the size that it says.

    One thread at a time; close it at the end.
    """

    @property
    def path(self) -> Path: ...

    @property
    def index(self) -> bytes: ...

    @property
    def signature(self) -> bytes | None: ...

    @property
    def manifest(self) -> Manifest: ...

    @property
    def volumes(self) -> tuple[Path, ...]:
        """The files that it is made of; of a folder, none."""
        ...

    def read_at(self, file: PackedFile, offset: int, n: int) -> bytes:
        """Up to `n` bytes; fewer only at the file's end. Raises StorageError."""
        ...

    def close(self) -> None: ...


def open_pack(path: Path) -> OpenPack:
    """The pack at `path`: a file, any piece of a split one, a folder or its index.

    Raises StorageError, PackError: pack_not_one, pack_damaged, pack_newer, pack_empty,
    pack_cut_short, pack_part_missing, pack_part_short.
    """
    path = path.absolute()
    if path.name == INDEX_NAME and path.is_file():
        path = path.parent
    if path.is_dir():
        return FolderPack(path)
    return ArchivePack(path)


class ArchivePack:
    """A pack in one file, or cut into pieces."""

    def __init__(self, path: Path) -> None:
        paths = volumes_of(path)
        self.path = whole_path(path) if len(paths) > 1 or paths[0] != path else path
        self._reader = VolumeReader(paths)
        try:
            self._entries = self._read_entries()
            entry = self._entries.get(INDEX_NAME)
            if entry is None or entry.size_bytes > MAX_INDEX_BYTES:
                raise PackError("pack_not_one", path=str(self.path))
            self.index = self._whole(entry)
            signature = self._entries.get(SIGNATURE_NAME)
            self.signature = None if signature is None else self._whole(signature, MAX_FILE_BYTES)
            self.manifest = _with_what_is_there(
                parse_index(self.index, str(self.path)), str(self.path), self._problem
            )
        except BaseException:
            self.close()
            raise

    @property
    def volumes(self) -> tuple[Path, ...]:
        return self._reader.paths

    def read_at(self, file: PackedFile, offset: int, n: int) -> bytes:
        n = min(n, file.size_bytes - offset)
        return self._reader.read_at(self._entries[file.path].offset + offset, n) if n > 0 else b""

    def close(self) -> None:
        self._reader.close()

    def _read_entries(self) -> dict[str, Entry]:
        try:
            entries = read_entries(self._reader.read_at, self._reader.total_bytes, str(self.path))
        except PackError as error:
            paths = self._reader.paths
            if error.kind == "pack_cut_short" and paths[0] != self.path:
                # The pieces that are here follow one another, so it is the next one.
                missing = volume_path(self.path, len(paths) + 1).name
                raise PackError(
                    "pack_part_missing", path=str(self.path), missing=missing
                ) from error
            raise
        found: dict[str, Entry] = {}
        for entry in entries:
            found.setdefault(entry.path, entry)
        return found

    def _whole(self, entry: Entry, most: int = MAX_INDEX_BYTES) -> bytes:
        # One more than may be: whoever reads it finds it too long.
        return self._reader.read_at(entry.offset, min(entry.size_bytes, most + 1))

    def _problem(self, file: PackedFile) -> str:
        entry = self._entries.get(file.path)
        if entry is None:
            return "pack_file_missing"
        return "" if entry.size_bytes == file.size_bytes else "pack_file_size"


class FolderPack:
    """A pack, or a source of models, in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = _read(path / INDEX_NAME, MAX_INDEX_BYTES, path) or b""
        self.signature = _read(path / SIGNATURE_NAME, MAX_FILE_BYTES, path, may_miss=True)
        stated = parse_index(self.index, str(path))
        self._piece_bytes = stated.piece_bytes
        self._open: tuple[str, VolumeReader] | None = None
        self.manifest = _with_what_is_there(stated, str(path), self._problem)

    @property
    def volumes(self) -> tuple[Path, ...]:
        return ()

    def read_at(self, file: PackedFile, offset: int, n: int) -> bytes:
        if self._open is None or self._open[0] != file.path:
            self.close()
            self._open = (file.path, VolumeReader(self._paths(file)))
        return self._open[1].read_at(offset, min(n, file.size_bytes - offset))

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _paths(self, file: PackedFile) -> tuple[Path, ...]:
        whole = self.path.joinpath(*file.path.split("/"))
        if not 0 < self._piece_bytes < file.size_bytes:
            return (whole,)
        count = -(-file.size_bytes // self._piece_bytes)
        return tuple(volume_path(whole, number) for number in range(1, count + 1))

    def _problem(self, file: PackedFile) -> str:
        if self._piece_bytes > 0 and file.size_bytes > self._piece_bytes * MOST_VOLUMES:
            return "pack_file_missing"  # a stranger's numbers may mean billions of pieces
        try:
            size = sum(path.stat().st_size for path in self._paths(file))
        except OSError:
            return "pack_file_missing"
        return "" if size == file.size_bytes else "pack_file_size"


class _Problem(Protocol):
    def __call__(self, file: PackedFile, /) -> str: ...


def _with_what_is_there(stated: Manifest, path: str, problem: _Problem) -> Manifest:
    """The models whose files are there; raises PackError where none is."""
    models: list[PackedModel] = []
    refused = list(stated.refused)
    for model in stated.models:
        kinds = {file.path: kind for file in model.files if (kind := problem(file))}
        if kinds:
            first = next(iter(kinds))
            refused.append(Refused(model.name, kinds[first], first))
        else:
            models.append(model)
    if not models:
        raise PackError(refused[-1].kind, path=path, file=refused[-1].detail)
    return replace(stated, models=tuple(models), refused=tuple(refused))


def _read(path: Path, most: int, shown: Path, *, may_miss: bool = False) -> bytes | None:
    """At most one byte more than may be. Raises PackError("pack_not_one"), StorageError."""
    try:
        # What calls itself an index may be a pipe that nobody writes to.
        if path.exists() and not path.is_file():
            raise PackError("pack_not_one", path=str(shown))
        with path.open("rb") as file:
            return file.read(most + 1)
    except FileNotFoundError as error:
        if may_miss:
            return None
        raise PackError("pack_not_one", path=str(shown)) from error
    except OSError as error:
        raise storage_error(error, path, reading=True) from error
