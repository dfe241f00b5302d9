"""Which files this engine has loaded well before, for files that are not in the library."""

from __future__ import annotations

import json
from pathlib import Path

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.logs import get_logger

MOST = 500
_log = get_logger("services")


class ProbeMemory:
    """A small list of file fingerprints; losing it costs one more probe, so it never raises."""

    def __init__(self, path: Path, *, most: int = MOST) -> None:
        self._path = path
        self._most = most

    def knows(self, model: Path, engine_version: str) -> bool:
        """Whether this very file was loaded well by this engine version."""
        key = fingerprint(model, engine_version)
        return bool(key) and key in self._load()

    def remember(self, model: Path, engine_version: str) -> None:
        key = fingerprint(model, engine_version)
        known = self._load()
        if not key or key in known:
            return
        try:
            write_atomic(self._path, json.dumps([*known, key][-self._most :]).encode())
        except StorageError as error:
            _log.warning("probe result not kept: %s", error)

    def _load(self) -> list[str]:
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            _log.warning("unreadable list of probed models: %s", error)
            return []
        return [key for key in found if isinstance(key, str)] if isinstance(found, list) else []


def fingerprint(model: Path, engine_version: str) -> str:
    """Path, size and time of change of a file, with the engine; empty if it cannot be looked at."""
    try:
        found = model.stat()
    except OSError:
        return ""
    return f"{model.absolute()}|{found.st_size}|{found.st_mtime_ns}|{engine_version}"
