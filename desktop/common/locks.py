"""A lock between processes, held on a small file and let go by the system if its owner dies."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from desktop.common.storage import storage_error


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Wait for and hold the lock `path`, which stays behind as an empty file; raises StorageError.

    For short work only (keeping a file aside): there is no time limit.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)  # which lets go of the lock


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        while True:
            with contextlib.suppress(OSError):  # it gives up after ten seconds
                msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
                return
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
