"""Which file system a folder lies on: some take no large files."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from desktop.common.logs import get_logger

FAT_MOST_BYTES = (4 << 30) - 1
"""The largest file that FAT32 holds."""

_FAT = ("vfat", "msdos", "fat", "fat16", "fat32", "umsdos")

_log = get_logger("storage")


def file_system_of(path: Path) -> str:
    """Its name in lower case (``ext4``, ``ntfs``, ``vfat``, ``fat32``...), "" where nobody says.

    `path` need not exist yet. May wait as long as the system does for a drive that sleeps.
    """
    try:
        real = Path(os.path.realpath(path))
        mounts = psutil.disk_partitions(all=False)
    except (OSError, ValueError, RuntimeError) as error:
        _log.info("file systems not listed: %s", error)
        return ""
    best, found = -1, ""
    for mount in mounts:
        place = Path(mount.mountpoint)
        if (real == place or place in real.parents) and len(place.parts) > best:
            best, found = len(place.parts), mount.fstype.lower()
    return found


def takes_large_files(file_system: str) -> bool:
    """Whether a file may have more than 4 GiB there; what is unknown counts as able."""
    return file_system not in _FAT
