"""The rows of the library's table, typed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, cast, get_args

from desktop.common.database import Database, storable_text
from desktop.library.files import identity
from desktop.library.model import Ability, LibraryModel, Source
from desktop.library.origin import from_text
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
    context_tokens: int = 0
    licence: str = ""
    abilities: str = ""
    origin: str = ""
    projector: str = ""
    hashes: str = ""
    verified_at: float | None = None
    reading: int = 0

    @property
    def part_hashes(self) -> tuple[str, ...]:
        """What each part is to be by SHA-256, "" where nobody knows."""
        known = self.hashes.split("\n")
        return tuple(known[n] if n < len(known) else "" for n in range(len(self.parts)))

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
            context_tokens=self.context_tokens,
            licence=self.licence,
            abilities=_abilities(self.abilities),
            origin=from_text(self.origin),
            projector=Path(self.projector) if self.projector else None,
            verified_at=self.verified_at,
        )


def _abilities(words: str) -> tuple[Ability, ...]:
    known = get_args(Ability)
    return tuple(cast(Ability, word) for word in words.split() if word in known)


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A file that a scan need not open again as long as its stamp is the same."""

    path: str
    stamp: str
    what: What
    content: str = ""


_PLACES = ", ".join("?" * len(dataclasses.fields(Entry)))
_PATHS = ("path", "part_names", "projector")


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
