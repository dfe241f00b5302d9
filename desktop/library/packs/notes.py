"""What an interrupted making of a pack had done, noted beside it: a small file, atomically written.

A note that is missing, damaged or of another pack costs time, never a wrong byte: every file is
hashed again on its way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.logs import get_logger

_MAX_BYTES = 4 << 20

_log = get_logger("packs")


@dataclass(slots=True)
class Notes:
    """`made_at` stands in the pack; `hashes` are those that were computed, by a file's stamp."""

    path: Path
    made_at: str = ""
    hashes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def beside(cls, target: Path) -> Notes:
        """What is noted for `target`; nothing where that cannot be read."""
        path = notes_path(target)
        notes = cls(path)
        try:
            with path.open("rb") as file:
                document = json.loads(file.read(_MAX_BYTES))
            notes.made_at = iso_time_or_none(document["made_at"])
            notes.hashes = {str(k): str(v) for k, v in document["hashes"].items()}
        except FileNotFoundError:
            return notes
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            _log.info("notes not used: %s", error)
            return cls(path)
        return notes

    def keep(self) -> None:
        """Raises StorageError; drive_gone where the folder is not there (any more): what was a
        stick's place must not be made anew on another drive."""
        if not self.path.parent.is_dir():
            raise StorageError("drive_gone", path=str(self.path.parent))
        document: dict[str, Any] = {
            "made_at": self.made_at,
            "hashes": self.hashes,
        }
        write_atomic(self.path, json.dumps(document).encode())

    def forget(self) -> None:
        """They have served."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            _log.info("notes not deleted: %s", error)


def iso_time_or_none(text: object) -> str:
    """ "" for what is no time."""
    try:
        return datetime.fromisoformat(str(text)).isoformat()
    except ValueError:
        return ""


def notes_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.making.json")


def lock_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.making.lock")


def try_keep(notes: Notes) -> None:
    """Where writing them is a comfort and not the matter."""
    try:
        notes.keep()
    except StorageError as error:
        _log.info("notes not kept: %s", error)
