"""How the operating system's complaints about a disk become our own errors."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from desktop.common.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
# ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL: Windows gives no errno of its own for them.
_WINDOWS_FULL = {39, 112}


def storage_error(error: OSError, path: Path, *, reading: bool = False) -> StorageError:
    """The clearest StorageError for `error`, which happened at `path`: disk_full, read_only
    (not_readable where it was only to be read) or storage."""
    detail = f"{type(error).__name__}: {error}"
    if error.errno in _FULL or getattr(error, "winerror", None) in _WINDOWS_FULL:
        return StorageError("disk_full", path=str(path), detail=detail)
    if error.errno in _READ_ONLY:
        kind = "not_readable" if reading else "read_only"
        return StorageError(kind, path=str(path), detail=detail)
    return StorageError("storage", path=str(path), detail=detail)


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write where `folder` is or will be; raises StorageError."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        return shutil.disk_usage(existing).free
    except OSError as error:
        raise storage_error(error, existing) from error


def free_name(path: Path, label: str) -> Path:
    """Where to keep `path` aside: the first of ``<path>.<label>-1``, ``-2``, ... that is free."""
    number = 1
    while True:
        candidate = path.with_name(f"{path.name}.{label}-{number}")
        if not candidate.exists():
            return candidate
        number += 1
