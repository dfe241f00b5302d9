"""Windows: the drive's letter and what GetDriveTypeW says of it."""

from __future__ import annotations

import sys
from pathlib import Path, PureWindowsPath

from desktop.common.drive_kind import DriveKind

# https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdrivetypew
_REMOVABLE, _FIXED, _REMOTE, _CDROM, _RAMDISK = 2, 3, 4, 5, 6


def kind_of(path: Path) -> DriveKind:
    """The kind of drive under `path`; "unknown" on another platform."""
    drive = PureWindowsPath(path).drive
    if is_unc(drive):
        return "network"
    if sys.platform == "win32":
        import ctypes

        return classify(ctypes.windll.kernel32.GetDriveTypeW(drive + "\\"))
    return "unknown"


def is_unc(drive: str) -> bool:
    """``\\\\server\\share`` is a network folder, ``\\\\?\\C:`` is only a long way to write C:."""
    if drive.upper().startswith("\\\\?\\UNC\\"):
        return True
    return drive.startswith("\\\\") and drive[2:3] not in ("?", ".")


def classify(drive_type: int) -> DriveKind:
    """The meaning of GetDriveTypeW's result."""
    if drive_type in (_REMOVABLE, _CDROM):
        return "removable"
    if drive_type == _REMOTE:
        return "network"
    return "local" if drive_type in (_FIXED, _RAMDISK) else "unknown"
