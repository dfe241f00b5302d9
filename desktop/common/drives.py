"""What kind of drive does a file lie on: one that stays, or one that can go away?

A model file on a stick or in a network folder must not be mapped into memory: reading a mapped
page that is gone kills the process (SIGBUS). Each platform's answer is taken apart by a function
that sees plain data, so that all three are tested on any of them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from desktop.common import drives_linux, drives_macos, drives_windows
from desktop.common.drive_kind import DriveKind

__all__ = ["DriveKind", "drive_kind"]


def drive_kind(path: Path, *, platform: str = sys.platform) -> DriveKind:
    """The kind of drive under `path`, which need not exist yet; "unknown" where nothing tells.

    Never raises; may wait as long as the system does for a network folder that sleeps.
    """
    try:
        real = Path(os.path.realpath(path))
        while not real.exists() and real != real.parent:
            real = real.parent
        if platform == "win32":
            return drives_windows.kind_of(real)
        if platform == "darwin":
            return drives_macos.kind_of(real)
        return drives_linux.kind_of(real)
    except (OSError, ValueError):  # the second: a zero character in the path
        return "unknown"
