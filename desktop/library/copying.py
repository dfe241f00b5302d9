"""Copy a model into the library's folder: wholly or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from desktop.common.errors import StorageError
from desktop.common.processes import is_alive, process_mark
from desktop.common.storage import free_bytes, storage_error

# What a system needs to go on breathing when the copy is done.
SPARE_BYTES = 500_000_000
FLUSHED_BYTES = 32 << 20
_CHUNK_BYTES = 4 << 20
_UNFINISHED = ".part"
_ABANDONED = re.compile(r"\.(\d+_[\d.]*_[\da-f-]*)\.part$")

Progress = Callable[[float], None]
OnBytes = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """`sha256` is that of the bytes that were read."""

    path: Path
    sha256: str


def copy_model(
    parts: Sequence[Path],
    folder: Path,
    *,
    names: Sequence[str] = (),
    progress: Progress | None = None,
    free: Callable[[Path], int] = free_bytes,
) -> tuple[CopiedFile, ...]:
    """Copy all parts into `folder` under their own `names` (none: as they are called now).

    Returns the new files.

    `progress` hears the fraction done and may raise (CancelledError): then, and on any failure,
    nothing is left behind. A file of that name which is another model is never overwritten: then
    the copy goes into a folder of its own.
    Raises StorageError: not_enough_space before the first byte, disk_full, read_only, storage.
    """
    try:
        total_bytes = sum(part.stat().st_size for part in parts)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    remove_abandoned(folder)
    available_bytes = free(folder)
    if total_bytes + SPARE_BYTES > available_bytes:
        raise StorageError(
            "not_enough_space",
            path=str(folder),
            needed_bytes=total_bytes + SPARE_BYTES,
            free_bytes=available_bytes,
        )
    names = names or [part.name for part in parts]
    target = _free_folder(names, folder)
    ending = unfinished_ending(process_mark())
    unfinished = [target / (name + ending) for name in names]
    finished = [target / name for name in names]
    placed: list[Path] = []
    done_bytes = 0

    def tell(count: int) -> None:
        nonlocal done_bytes
        done_bytes += count
        if progress is not None:
            progress(min(1.0, done_bytes / max(1, total_bytes)))

    try:
        target.mkdir(parents=True, exist_ok=True)
        hashes = [copy_file(part, into, tell) for part, into in zip(parts, unfinished, strict=True)]
        # The first part comes last: whoever sees it sees a whole model.
        for temporary, final in reversed(list(zip(unfinished, finished, strict=True))):
            temporary.rename(final)
            placed.append(final)
    except BaseException as error:
        _clean_up([*unfinished, *placed], target if target != folder else None)
        if isinstance(error, OSError):
            raise storage_error(error, target) from error
        raise
    return tuple(CopiedFile(*pair) for pair in zip(finished, hashes, strict=True))


class Flusher:
    """Sends what was written to the disk every now and then.

    Else a slow stick takes it all at the end, where nobody sees it going on or can stop it.
    """

    def __init__(self, file: BinaryIO, every_bytes: int = FLUSHED_BYTES) -> None:
        self._file = file
        self._every_bytes = every_bytes
        self._waiting_bytes = 0

    def wrote(self, count: int) -> None:
        """Raises OSError."""
        self._waiting_bytes += count
        if self._waiting_bytes >= self._every_bytes:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._waiting_bytes = 0


def copy_file(source: Path, into: Path, on_bytes: OnBytes) -> str:
    """Copy onto the disk itself; returns the SHA-256 of what was read. Raises OSError."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, into.open("wb") as writer:
        flusher = Flusher(writer)
        while chunk := reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            flusher.wrote(len(chunk))
            digest.update(chunk)
            on_bytes(len(chunk))
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def remove_abandoned(folder: Path) -> None:
    """Delete what copies left behind whose process was killed: gigabytes that nobody would miss."""
    for file in [*folder.glob(f"*{_UNFINISHED}"), *folder.glob(f"*/*{_UNFINISHED}")]:
        match = _ABANDONED.search(file.name)
        if match is not None and not is_alive(match[1].replace("_", ":")):
            _clean_up([file], file.parent if file.parent != folder else None)


def unfinished_ending(mark: str) -> str:
    """Says whose unfinished copy it is; a colon cannot stand in a file name everywhere."""
    return f".{mark.replace(':', '_')}{_UNFINISHED}"


def _free_folder(names: Sequence[str], folder: Path) -> Path:
    """`folder`, or one below it where none of the names is taken."""
    number = 1
    target = folder
    while any((target / name).exists() for name in names):
        number += 1
        target = folder / f"{Path(names[0]).stem}-{number}"
    return target


def _clean_up(files: Sequence[Path], folder: Path | None) -> None:
    for file in files:
        with contextlib.suppress(OSError):  # the failure that brought us here is the one to tell
            file.unlink(missing_ok=True)
    if folder is not None:
        with contextlib.suppress(OSError):
            folder.rmdir()
