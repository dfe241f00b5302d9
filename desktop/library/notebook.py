"""What the index says, written a second time as plain lines, so that the index can be lost.

Folders can be looked through again; but what a person called a model, where one lies that was only
shown to the app, and what its hash was when it came, stands nowhere else. One JSON object a line:
an entry, or ``{"gone": path}``; the last word on a path counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.locks import claim
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.library.index_entry import Entry

_MORE_LINES = 200
"""So many lines beyond twice the entries, and the file is written anew."""

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "Source": (str,),
}

_log = get_logger("library")


class Notebook:
    """A disk that takes no more costs nothing but the second copy: failures are only logged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_path = path.with_name(path.name + ".lock")
        self._lines: int | None = None

    def put(self, entry: Entry, all_entries: Callable[[], Iterable[Entry]]) -> None:
        """Write an entry down; `all_entries` is asked where the file has grown too long."""
        self._append(_document(entry), all_entries)

    def forget(self, path: str, all_entries: Callable[[], Iterable[Entry]]) -> None:
        """The entry with that path is gone."""
        self._append({"gone": path}, all_entries)

    def entries(self) -> tuple[Entry, ...]:
        """What stands there; lines that say nothing are passed over. Never raises."""
        found: dict[str, Entry] = {}
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    _read(line, found)
        except FileNotFoundError:
            return ()
        except OSError as error:
            _log.warning("notebook not readable: %s", error)
        return tuple(found.values())

    def _append(self, document: dict[str, Any], all_entries: Callable[[], Iterable[Entry]]) -> None:
        try:
            # One write of a line behind the others: two processes need no lock for that, and
            # nobody has to wait for one that was stopped.
            with self._path.open("ab", buffering=0) as file:
                file.write((json.dumps(document) + "\n").encode())
            if self._is_too_long(all_entries):
                self._write_anew(all_entries)
        except OSError as error:
            _log.warning("notebook not written: %s", storage_error(error, self._path))
        except StorageError as error:
            _log.warning("notebook not written: %s", error)

    def _is_too_long(self, all_entries: Callable[[], Iterable[Entry]]) -> bool:
        """Lines are counted once, and the entries only where there are many lines."""
        if self._lines is None:
            try:
                with self._path.open("rb") as file:
                    self._lines = sum(1 for _ in file)
            except FileNotFoundError:
                self._lines = 0
        self._lines += 1
        if self._lines % _MORE_LINES:
            return False
        return self._lines > 2 * sum(1 for _ in all_entries()) + _MORE_LINES

    def _write_anew(self, all_entries: Callable[[], Iterable[Entry]]) -> None:
        """Only the entries that are; left to another process that is doing it already."""
        lock = claim(self._lock_path)
        if lock is None:
            return
        try:
            lines = [json.dumps(_document(entry)) for entry in all_entries()]
            write_atomic(self._path, "".join(line + "\n" for line in lines).encode())
            self._lines = len(lines)
        finally:
            lock.close()


def _document(entry: Entry) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(Entry)}


def _read(line: str, found: dict[str, Entry]) -> None:
    try:
        document = json.loads(line)
        if not isinstance(document, dict):
            return
        if isinstance(gone := document.get("gone"), str):
            found.pop(gone, None)
            return
        entry = _entry(document)
    except (ValueError, TypeError, KeyError, RecursionError):
        return  # a line cut short by a crash
    found.pop(entry.path, None)
    found[entry.path] = entry


def _entry(document: dict[str, Any]) -> Entry:
    """Raises KeyError and TypeError for what is no entry."""
    values: dict[str, Any] = {}
    for field in fields(Entry):
        value = document[field.name]
        if isinstance(value, bool) or not isinstance(value, _TYPES[str(field.type)]):
            raise TypeError(field.name)
        values[field.name] = value
    return Entry(**values)
