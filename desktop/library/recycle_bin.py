"""Windows' recycle bin: whether it keeps a file, or deletes it without a word as too large.

Explorer notes for every drive how much its bin may hold (in megabytes), and whether it is off;
where it has noted nothing, the bin holds a twentieth of the drive.
"""

from __future__ import annotations

import ctypes
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

_KEY = r"Software\Microsoft\Windows\CurrentVersion\Explorer\BitBucket\Volume"
_MEGABYTE = 1 << 20
_USUAL_SHARE = 0.05
_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class BinRules:
    """What is noted for one drive; None where nothing is."""

    capacity_bytes: int | None = None
    is_off: bool = False


def takes(rules: BinRules, size_bytes: int, drive_bytes: int) -> bool:
    """Whether a file of that size can be brought back out of the bin."""
    if rules.is_off:
        return False
    if rules.capacity_bytes is not None:
        return size_bytes <= rules.capacity_bytes
    return size_bytes <= _USUAL_SHARE * drive_bytes


def bin_takes(path: Path, size_bytes: int) -> bool:
    """As `takes`, for the drive of `path`; what cannot be found out counts as no."""
    try:
        drive_bytes = shutil.disk_usage(path.anchor).total
        return takes(_rules_of(path.anchor), size_bytes, drive_bytes)
    except OSError:
        return False


if sys.platform == "win32":
    import winreg

    def _rules_of(drive: str) -> BinRules:
        """Raises OSError where the drive has no name of its own."""
        name = ctypes.create_unicode_buffer(_NAME_CHARACTERS)
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        if not kernel.GetVolumeNameForVolumeMountPointW(drive, name, _NAME_CHARACTERS):
            raise OSError(ctypes.get_last_error(), "no volume", drive)
        volume = name.value.partition("Volume")[2].strip("\\")
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, f"{_KEY}\\{volume}") as key:
                capacity, _ = winreg.QueryValueEx(key, "MaxCapacity")
                is_off, _ = winreg.QueryValueEx(key, "NukeOnDelete")
        except FileNotFoundError:
            return BinRules()
        return BinRules(int(capacity) * _MEGABYTE, bool(is_off))

else:

    def _rules_of(drive: str) -> BinRules:
        raise OSError(f"no recycle bin on {sys.platform}: {drive}")
