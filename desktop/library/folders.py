"""The folders in which models are looked for: what they are, and whether they are there now."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
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
