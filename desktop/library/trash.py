"""The system's trash: where files wait that somebody may want back."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from desktop.common.drives import DriveKind, drive_kind
from desktop.common.errors import StorageError
from desktop.library.files import size_of
from desktop.library.recycle_bin import bin_takes


def can_trash(
    path: Path,
    *,
    platform: str = sys.platform,
    kind_of: Callable[[Path], DriveKind] = drive_kind,
    takes: Callable[[Path, int], bool] = bin_takes,
) -> bool:
    """Whether the file `path` can be brought back out of a trash of this user; touches nothing.

    Windows keeps one on its own drives only, and only for files that are not too large for it;
    macOS on every drive but a network's; elsewhere (freedesktop.org's rules) the home's drive has
    one, and any other whose top can be written.
    """
    if platform == "win32":
        return kind_of(path) == "local" and takes(path, max(0, size_of(path)))
    if platform == "darwin":
        return kind_of(path) != "network"
    try:
        if path.lstat().st_dev == Path.home().lstat().st_dev:
            return True
        top = _mount_point(path)
        user = os.getuid() if sys.platform != "win32" else 0
        own = top / f".Trash-{user}"
        return os.access(own if own.is_dir() else top, os.W_OK)
    except (OSError, RuntimeError):  # the second: a user without a home
        return False


def to_trash(files: Sequence[Path]) -> None:
    """Move files that are there into the trash, one by one.

    Raises StorageError("no_trash") for the first that the system will not take.
    """
    from send2trash import send2trash  # asks for desktop libraries: only when something goes

    for file in files:
        if not file.exists():
            continue
        try:
            send2trash(file)
        except (OSError, ValueError) as error:
            raise StorageError("no_trash", path=str(file), detail=str(error)) from error


def _mount_point(path: Path) -> Path:
    place = Path(os.path.realpath(path))
    while not os.path.ismount(place) and place != place.parent:
        place = place.parent
    return place
