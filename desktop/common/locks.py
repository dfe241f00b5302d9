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


class FileClaim:
    """A lock that is held until `close`, on a small file that then goes away again."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    def close(self) -> None:
        handle, self._handle = self._handle, -1
        if handle < 0:
            return
        if sys.platform == "win32":  # an open file cannot be deleted there
            os.close(handle)
            with contextlib.suppress(OSError):  # somebody else holds it by now
                self._path.unlink()
        else:
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(handle)


def claim(path: Path) -> FileClaim | None:
    """Take the lock `path` without waiting; None while another holds it. Raises StorageError."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise storage_error(error, path) from error
        if not _try_lock(handle):
            os.close(handle)
            return None
        if _is_still(path, handle):
            return FileClaim(path, handle)
        os.close(handle)  # its last owner deleted it just now


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_still(path: Path, handle: int) -> bool:
    try:
        there, ours = path.stat(), os.fstat(handle)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
