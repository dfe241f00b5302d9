"""Write a file wholly or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from desktop.common.storage import storage_error

_PAUSES_S = (0.02, 0.05, 0.1, 0.2) if os.name == "nt" else ()


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data`: after a crash the old or the new content is there, never a mix.

    Raises StorageError (disk_full, read_only, storage); the old file is then untouched.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):  # the first error is the one that tells
                temporary.unlink()
        raise storage_error(error, path) from error
    sync_folder(path.parent)


def replace(temporary: Path, path: Path, pauses_s: Sequence[float] = _PAUSES_S) -> None:
    """Rename over `path`. On Windows a virus scanner may hold either file for a moment."""
    for pause_s in pauses_s:
        try:
            temporary.replace(path)
            return
        except PermissionError:
            time.sleep(pause_s)
    temporary.replace(path)


def sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where folders can be synced at all (not on Windows)."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):  # some network file systems refuse; the data is written
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
