"""The folders in which models are looked for: what they are, and whether they are there now."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

FolderRole = Literal["main", "more", "shared"]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """`main` is where new models go; `shared`: others' folder, in which nothing can be written.

    `present` is False while its drive is not connected or does not answer; `free_bytes` is None
    where nobody can say.
    """

    path: Path
    role: FolderRole
    present: bool
    writable: bool
    free_bytes: int | None


def is_present(folder: Path) -> bool:
    """Whether the folder is there now."""
    try:
        return folder.is_dir()
    except OSError:
        return False


def is_bare(mount_point: Path) -> bool:
    """A mount point without its drive is an empty folder, or gone itself."""
    try:
        with os.scandir(mount_point) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def is_writable(folder: Path) -> bool:
    """Whether a file can be made there: tried, since permission bits alone say too little."""
    try:
        handle, name = tempfile.mkstemp(prefix=".hausgeist-", suffix=".tmp", dir=folder)
    except OSError:
        return False
    os.close(handle)
    with contextlib.suppress(OSError):  # an empty file; the next cleaning takes it
        Path(name).unlink()
    return True


def may_write(folder: Path) -> bool:
    """As `is_writable`, but leaves no trace where the system's answer can be trusted."""
    if os.name == "nt":  # there it knows nothing of a share's rights
        return is_writable(folder)
    return os.access(folder, os.W_OK)


def remove_empty(folder: Path, top: Path) -> None:
    """Delete `folder` and what is around it below `top`, as far as nothing lies there."""
    while folder != top and top in folder.parents:
        try:
            folder.rmdir()
        except OSError:  # something else lies there
            return
        folder = folder.parent


def holder_of(path: Path, folders: Sequence[Path]) -> Path | None:
    """The innermost of `folders` in which `path` lies, by its words alone; None elsewhere."""
    words = os.path.normcase(path)
    inside = [
        folder
        for folder in folders
        if words.startswith(os.path.join(os.path.normcase(folder), ""))  # noqa: PTH118
    ]
    return max(inside, key=lambda folder: len(folder.parts), default=None)


def drive_root(path: PurePath, *, platform: str = sys.platform) -> Path | None:
    """Where the drive begins that may be pulled out or asleep; None for the system's own.

    By the words of the path alone: ``/media/anna/STICK``, ``/Volumes/STICK``, ``E:\\``, a share.
    """
    if platform == "win32":
        system = os.environ.get("SYSTEMDRIVE", "C:")
        anchor = path.anchor
        return None if anchor.casefold().startswith(system.casefold()) else Path(anchor)
    parts = path.parts
    for start, length in _MOUNTED_BELOW:
        if parts[: len(start)] == start and len(parts) > length:
            return Path(*parts[: length + 1])
    return None


# Where removable drives and network folders appear, and how many names stand before theirs.
_MOUNTED_BELOW = (
    (("/", "run", "media"), 4),
    (("/", "media"), 3),
    (("/", "mnt"), 2),
    (("/", "Volumes"), 2),
    (("/", "net"), 2),
)
