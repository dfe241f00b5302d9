"""The rows of the library's table, typed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

from desktop.common.database import Database, storable_text
from desktop.library.files import identity
from desktop.library.model import LibraryModel, Source
from desktop.library.schema import COLUMNS


def storable(path: Path | str) -> str | bytes:
    """A path for the table: text, or the raw bytes of a name that is no UTF-8.

    What stands there must not depend on the locale, in whose letters Python gives the name.
    """
    raw = os.fsencode(path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def readable(stored: str | bytes) -> str:
    """The reverse of `storable`, in the letters of this locale."""
    return os.fsdecode(stored.encode("utf-8") if isinstance(stored, str) else stored)


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One row; the fields are the table's columns, in their order."""

    name: str
    path: str
    part_names: str
    file_bytes: int
    architecture: str
    quantization: str
    parameters: int
    added_at: float
    last_used_at: float | None
    source: Source
    mtime_ns: int
    stamp: str
    content: str
    probed_engine: str = ""

    @property
    def parts(self) -> tuple[Path, ...]:
        """All files of the model, in order."""
        folder = Path(self.path).parent
        return tuple(folder / name for name in self.part_names.split("\n"))

    def model(self, problem: str = "") -> LibraryModel:
        return LibraryModel(
            name=self.name,
            path=Path(self.path),
            file_bytes=self.file_bytes,
            architecture=self.architecture,
            quantization=self.quantization,
            parameters=self.parameters,
            added_at=self.added_at,
            last_used_at=self.last_used_at,
            source=self.source,
            mtime_ns=self.mtime_ns,
            probed_engine=self.probed_engine,
            content=self.content,
            problem=problem,
        )


_PLACES = ", ".join("?" * len(dataclasses.fields(Entry)))


class Index:
    """Finds and writes entries; raises StorageError."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> tuple[Entry, ...]:
        """Every entry, by name."""
        return self._select("ORDER BY name COLLATE NOCASE")

    def by_name(self, name: str) -> Entry | None:
        """In upper or lower case."""
        return next(iter(self._select("WHERE name = ?", storable_text(name))), None)

    def by_file(self, path: Path) -> Entry | None:
        """The entry one of whose files is this one, by the same path or by another to it."""
        exact = self._select("WHERE path = ?", storable(path.absolute()))
        if exact:
            return exact[0]
        wanted = identity(path)
        if wanted is None:
            return None
        for entry in self.all():
            if any(identity(part) == wanted for part in entry.parts):
                return entry
        return None

    def by_content(self, content: str) -> Entry | None:
        return next(iter(self._select("WHERE content = ? ORDER BY added_at", content)), None)

    def insert(self, entry: Entry, free_name: Callable[[str, Callable[[str], bool]], str]) -> Entry:
        """Write a new entry, under the name that `free_name(wanted, is_taken)` gives."""
        with self._db.transaction() as db:
            entry = dataclasses.replace(
                entry, name=free_name(entry.name, lambda name: self.by_name(name) is not None)
            )
            # One path is one entry: where another process was quicker, its name stays.
            db.execute("DELETE FROM models WHERE path = ?", (storable(entry.path),))
            db.execute(f"INSERT INTO models ({COLUMNS}) VALUES ({_PLACES})", _row(entry))
        return entry

    def replace(self, name: str, entry: Entry) -> Entry:
        """Write `entry` in the place of the one called `name`."""
        with self._db.transaction() as db:
            db.execute(
                "DELETE FROM models WHERE path = ? AND name <> ?", (storable(entry.path), name)
            )
            db.execute(
                f"UPDATE models SET ({COLUMNS}) = ({_PLACES}) WHERE name = ?",
                (*_row(entry), name),
            )
        return entry

    def delete(self, name: str) -> None:
        with self._db.transaction() as db:
            db.execute("DELETE FROM models WHERE name = ?", (name,))

    def _select(self, condition: str, *values: object) -> tuple[Entry, ...]:
        rows = self._db.rows(f"SELECT {COLUMNS} FROM models {condition}", values)
        return tuple(
            Entry(name, readable(path), readable(part_names), *rest)
            for name, path, part_names, *rest in rows
        )


def _row(entry: Entry) -> tuple[object, ...]:
    name, path, part_names, *rest = dataclasses.astuple(entry)
    clean = (storable_text(item) if isinstance(item, str) else item for item in rest)
    return (storable_text(name), storable(path), storable(part_names), *clean)
