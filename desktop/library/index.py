"""The rows of the library's table, typed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from desktop.common.database import Database, storable_text
from desktop.library.files import identity, size_of
from desktop.library.index_entry import Entry
from desktop.library.notebook import Notebook
from desktop.library.schema import COLUMNS, SEEN_COLUMNS

What = Literal["duplicate", "forgotten", "part", "unusable"]
"""Of a file that is no entry: the same as one, let go of, a projector or adapter, or broken."""


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
class Seen:
    """A file that a scan need not open again as long as its stamp is the same."""

    path: str
    stamp: str
    what: What
    content: str = ""


_PLACES = ", ".join("?" * len(dataclasses.fields(Entry)))
_PATHS = ("path", "part_names", "projector")
_KINDS = {
    "int": "'integer'",
    "float": "'real'",
    "float | None": "'real', 'null'",
    "str": "'text'",
    "Source": "'text'",
}
_NO_ENTRY = " OR ".join(
    f"typeof({field.name}) NOT IN ('text', 'blob') OR instr(CAST({field.name} AS BLOB), x'00')"
    if field.name in _PATHS
    else f"typeof({field.name}) NOT IN ({_KINDS[str(field.type)]})"
    for field in dataclasses.fields(Entry)
)
_NOT_SEEN = (
    "typeof(path) NOT IN ('text', 'blob') OR instr(CAST(path AS BLOB), x'00')"
    " OR typeof(stamp) <> 'text' OR typeof(what) <> 'text' OR typeof(content) <> 'text'"
)


class Index:
    """Finds and writes entries; raises StorageError."""

    def __init__(self, database: Database, notebook: Notebook | None = None) -> None:
        """`notebook` keeps a second copy, for the day on which the database is lost."""
        self._db = database
        self._notebook = notebook

    def all(self) -> tuple[Entry, ...]:
        """Every entry, by name."""
        return self._select("ORDER BY name COLLATE NOCASE")

    def drop_unreadable(self) -> bool:
        """Throw out rows that a fault of the disk has left without sense; True if there were any.

        The notebook or the next scan brings back what they stood for.
        """
        wrong = [
            (table, sign)
            for table, sign in (("models", _NO_ENTRY), ("seen", _NOT_SEEN))
            if self._db.row(f"SELECT 1 FROM {table} WHERE {sign} LIMIT 1") is not None
        ]
        if wrong:
            with self._db.transaction() as db:
                for table, sign in wrong:
                    db.execute(f"DELETE FROM {table} WHERE {sign}")
        return bool(wrong)

    def is_empty(self) -> bool:
        return self._db.row("SELECT 1 FROM models LIMIT 1") is None

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
        size = size_of(path)
        for entry in self.all():
            # Only files of that size are asked: another's drive may be asleep.
            sizes = [stamp.partition(":")[0] for stamp in entry.stamp.split(" ")]
            for part, part_size in zip(entry.parts, sizes, strict=False):
                if part_size == str(size) and identity(part) == wanted:
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
        self._write_down(entry)
        return entry

    def replace(self, name: str, entry: Entry) -> Entry:
        """Write `entry` in the place of the one called `name`."""
        with self._db.transaction() as db:
            before = [old.path for old in self._select("WHERE name = ?", storable_text(name))]
            db.execute(
                "DELETE FROM models WHERE path = ? AND name <> ?", (storable(entry.path), name)
            )
            db.execute(
                f"UPDATE models SET ({COLUMNS}) = ({_PLACES}) WHERE name = ?",
                (*_row(entry), name),
            )
            moved_from = [path for path in before if path != entry.path]
        self._write_down(entry, moved_from)
        return entry

    def delete(self, name: str) -> None:
        with self._db.transaction() as db:
            before = [old.path for old in self._select("WHERE name = ?", storable_text(name))]
            db.execute("DELETE FROM models WHERE name = ?", (name,))
        self._forget(before)

    def restore(self, free_name: Callable[[str, Callable[[str], bool]], str]) -> int:
        """Bring back what only the notebook knows; returns how many entries."""
        if self._notebook is None:
            return 0
        known = {entry.path for entry in self.all()}
        lost = [entry for entry in self._notebook.entries() if entry.path not in known]
        notebook, self._notebook = self._notebook, None  # where they stand already
        try:
            for entry in lost:
                self.insert(entry, free_name)
        finally:
            self._notebook = notebook
        return len(lost)

    def _write_down(self, entry: Entry, moved_from: Sequence[str] = ()) -> None:
        self._forget(moved_from)
        if self._notebook is not None:
            self._notebook.put(entry, self.all)

    def _forget(self, paths: Sequence[str]) -> None:
        for path in paths:
            if self._notebook is not None:
                self._notebook.forget(path, self.all)

    def seen(self) -> dict[str, Seen]:
        """The files that are no entries, by path."""
        rows = self._db.rows(f"SELECT {SEEN_COLUMNS} FROM seen")
        return {readable(path): Seen(readable(path), *rest) for path, *rest in rows}

    def copies(self, content: str) -> tuple[Path, ...]:
        """Other files that hold the same model."""
        rows = self._db.rows(
            "SELECT path FROM seen WHERE content = ? AND what = 'duplicate' ORDER BY path",
            (content,),
        )
        return tuple(Path(readable(path)) for (path,) in rows)

    def note(self, files: Sequence[Seen]) -> None:
        """Remember files that are no entries."""
        with self._db.transaction() as db:
            db.executemany(
                f"INSERT OR REPLACE INTO seen ({SEEN_COLUMNS}) VALUES (?, ?, ?, ?)",
                [(storable(one.path), one.stamp, one.what, one.content) for one in files],
            )

    def unsee(self, paths: Sequence[str | Path]) -> None:
        """Know nothing of these files any more."""
        with self._db.transaction() as db:
            db.executemany("DELETE FROM seen WHERE path = ?", [(storable(path),) for path in paths])

    def _select(self, condition: str, *values: object) -> tuple[Entry, ...]:
        rows = self._db.rows(f"SELECT {COLUMNS} FROM models {condition}", values)
        return tuple(_entry(row) for row in rows)


_FIELDS = tuple(field.name for field in dataclasses.fields(Entry))


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(_FIELDS, row, strict=True))
    return Entry(**values | {name: readable(values[name]) for name in _PATHS})


def _row(entry: Entry) -> tuple[object, ...]:
    return tuple(
        storable(value)
        if name in _PATHS
        else storable_text(value)
        if isinstance(value, str)
        else value
        for name, value in zip(_FIELDS, dataclasses.astuple(entry), strict=True)
    )
