"""macOS: the flags of statfs, and where the volume is mounted."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from desktop.common.drive_kind import NETWORK_FILE_SYSTEMS, DriveKind

# sys/mount.h
MNT_LOCAL = 0x00001000
MNT_REMOVABLE = 0x00000200


class _Statfs(ctypes.Structure):
    """struct statfs with 64-bit inodes, statfs(2)."""

    _fields_ = (
        ("f_bsize", ctypes.c_uint32),
        ("f_iosize", ctypes.c_int32),
        ("f_blocks", ctypes.c_uint64),
        ("f_bfree", ctypes.c_uint64),
        ("f_bavail", ctypes.c_uint64),
        ("f_files", ctypes.c_uint64),
        ("f_ffree", ctypes.c_uint64),
        ("f_fsid", ctypes.c_int32 * 2),
        ("f_owner", ctypes.c_uint32),
        ("f_type", ctypes.c_uint32),
        ("f_flags", ctypes.c_uint32),
        ("f_fssubtype", ctypes.c_uint32),
        ("f_fstypename", ctypes.c_char * 16),
        ("f_mntonname", ctypes.c_char * 1024),
        ("f_mntfromname", ctypes.c_char * 1024),
        ("f_flags_ext", ctypes.c_uint32),
        ("f_reserved", ctypes.c_uint32 * 7),
    )


@dataclass(frozen=True, slots=True)
class Volume:
    """What statfs tells of the volume under a path."""

    file_system: str
    flags: int
    mount_point: str


def kind_of(path: Path) -> DriveKind:
    """The kind of drive under `path`; raises OSError, "unknown" on another platform."""
    kind: DriveKind = "unknown"
    if sys.platform == "darwin":
        kind = classify(_ask(path))
    return kind


def _ask(path: Path) -> Volume:
    libc = ctypes.CDLL(None, use_errno=True)
    # Intel libraries still have the old struct under the plain name.
    call = getattr(libc, "statfs$INODE64", None) or libc.statfs
    buffer = _Statfs()
    if call(os.fsencode(path), ctypes.byref(buffer)) != 0:
        raise OSError(ctypes.get_errno(), "statfs", str(path))
    return Volume(
        bytes(buffer.f_fstypename).decode("ascii", "replace"),
        int(buffer.f_flags),
        os.fsdecode(bytes(buffer.f_mntonname)),
    )


def classify(volume: Volume) -> DriveKind:
    """What is mounted below /Volumes was plugged in or opened: it can be ejected at any time."""
    if volume.file_system in NETWORK_FILE_SYSTEMS or not volume.flags & MNT_LOCAL:
        return "network"
    if volume.flags & MNT_REMOVABLE or volume.mount_point.startswith("/Volumes/"):
        return "removable"
    return "local"
