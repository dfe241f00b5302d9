"""Disks that are full or gone: what a download waits for there, and whether it is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from desktop.common.errors import HausgeistError, StorageError
from desktop.services.downloads_entry import Download
from desktop.services.downloads_outlook import FOLDER_GONE, NO_ROOM

_SPARE_BYTES = 64 << 20


def is_of_disk(error: HausgeistError | None) -> bool:
    return isinstance(error, StorageError)


def folder_gone(entry: Download) -> StorageError | None:
    """What was begun on a drive that is not there goes on there later: it must not be begun anew
    on the disk on which the drive was mounted."""
    if entry.bytes and entry.folder and not Path(entry.folder).exists():
        return StorageError("download_folder_gone", path=entry.folder, name=entry.name)
    return None


def is_over(entry: Download, folder: Path, free: Callable[[Path], int]) -> bool:
    """Whether what `entry.error` says of the disk is so no longer."""
    error = entry.error
    if error is not None and error.kind == FOLDER_GONE:
        return folder.exists()
    if error is None or error.kind not in NO_ROOM:
        return True
    needed = error.params.get("needed_bytes", _SPARE_BYTES)
    try:
        return free(folder) >= (needed if isinstance(needed, int) else _SPARE_BYTES)
    except StorageError:
        return False
