"""A small JSON file of entries by key: what it costs dearly to find out, and little to lose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.logs import get_logger
from desktop.gguf.header import ModelHeader
from desktop.library.files import content_of

_FORMAT = 1
_log = get_logger("services")


class KeptEntries:
    """The newest entry stands last, and of more than `most` the oldest go.

    Reading and writing never raise: a file that cannot be read is an empty one.
    """

    def __init__(self, path: Path, field: str, most: int) -> None:
        """`field`: under which name the entries stand in the file."""
        self._path = path
        self._field = field
        self._most = most

    def load(self) -> dict[str, Any]:
        """Whatever the file has: an entry may be of any shape."""
        try:
            document = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("%s is unreadable: %s", self._path.name, error)
            return {}
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            return {}
        entries = document.get(self._field)
        return entries if isinstance(entries, dict) else {}

    def keep(self, key: str, entry: dict[str, Any]) -> None:
        """Instead of what stood there."""
        entries = self.load()
        entries.pop(key, None)
        self._write({**entries, key: entry})

    def forget(self, key: str) -> None:
        entries = self.load()
        if entries.pop(key, None) is not None:
            self._write(entries)

    def _write(self, entries: dict[str, Any]) -> None:
        newest = dict(list(entries.items())[-self._most :])
        document = {"format": _FORMAT, self._field: newest}
        try:
            write_atomic(self._path, json.dumps(document, indent=1).encode())
        except StorageError as error:
            _log.warning("%s is not written: %s", self._path.name, error)


def content_key(header: ModelHeader) -> str:
    """Of this very model, wherever it lies; "" while its files cannot be read."""
    try:
        return content_of(header.paths)
    except StorageError as error:
        _log.warning("no fingerprint for tuning: %s", error)
        return ""
