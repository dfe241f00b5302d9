"""One SQLite file behind one lock: transactions, numbered migrations, clear errors."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.common.errors import StorageError

Values = Sequence[Any] | Mapping[str, Any]
Migration = Callable[[sqlite3.Connection], None]
# The second is what Python raises where SQLite's own message quotes damaged text.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
Merge = Callable[[sqlite3.Connection, sqlite3.Connection], int]


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database of ours holds.

    `name` begins the kinds of its problems: ``chats_damaged``, ``chats_locked``, ``chats_newer``.
    `migrations[n - 1]` brings it to version n, and once published is never changed. `merge(source,
    target)` brings over what `target` does not have yet, as far as a damaged `source` can be
    read, and returns how many things a person would count (chats, models).
    """

    name: str
    application_id: int
    migrations: tuple[Migration, ...]
    merge: Merge

    @property
    def version(self) -> int:
        return len(self.migrations)


class Database:
    """An open database; every method may be called from any thread and raises StorageError.

    `problem` tells what had to be done at opening (a damaged file kept aside, a stand-in for a
    locked one); None when all was well.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, problem: StorageError | None = None
    ) -> None:
        self.path = path
        self.problem = problem
        self._connection = connection
        self._lock = threading.RLock()
        self._closed = False

    def rows(self, sql: str, values: Values = ()) -> list[Any]:
        """All rows of a query, as tuples."""
        with self._lock, self._clear_errors():
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                if not str(error).startswith("Could not decode to UTF-8"):
                    raise
            # One damaged letter must not hide a whole chat. Asking every text in Python would
            # take four times as long, so only after a failure.
            self._connection.text_factory = tolerant_text
            try:
                return self._connection.execute(sql, values).fetchall()
            finally:
                self._connection.text_factory = str

    def row(self, sql: str, values: Values = ()) -> Any | None:
        """The first row, or None."""
        found = self.rows(sql, values)
        return found[0] if found else None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; the write lock is taken at the start, so a wait happens only there."""
        with self._lock, self._clear_errors(), in_transaction(self._connection) as connection:
            yield connection

    def clean(self) -> None:
        """Move the write-ahead log into the file, so that no deleted text lingers in it."""
        with self._lock, self._clear_errors():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file; a second call does nothing, later use raises StorageError."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._connection.close()

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        if self._closed:
            raise StorageError("database_closed", path=str(self.path))
        try:
            yield
        except SQLITE_ERRORS as error:
            found = database_error(error, self.path)
            if found.kind == "database_unreadable":
                ask_for_check(self.path)
            raise found from error


def storable_text(text: str) -> str:
    """`text` without lone surrogates (a byte of a file name, say), which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


@contextlib.contextmanager
def in_transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """BEGIN IMMEDIATE ... COMMIT, rolled back on any exception."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled back already; a broken connection cannot.
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise


def tolerant_text(raw: bytes) -> str:
    """A text factory for damaged files: what is no UTF-8 becomes a question mark in a diamond."""
    return raw.decode("utf-8", "replace")


def database_error(error: Exception, path: Path) -> StorageError:
    """SQLite's result code as one of our kinds (https://sqlite.org/rescode.html)."""
    if isinstance(error, UnicodeDecodeError):
        return StorageError("database_unreadable", path=str(path), detail=str(error))
    extended = getattr(error, "sqlite_errorcode", 0)
    detail = f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    primary = extended & 0xFF
    if primary == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_SHMSIZE:
        return StorageError("disk_full", path=str(path), detail=detail)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError("database_locked", path=str(path), detail=detail)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StorageError("read_only", path=str(path), detail=detail)
    if primary == sqlite3.SQLITE_CANTOPEN and not path.is_dir():
        return StorageError("read_only", path=str(path), detail=detail)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StorageError("database_unreadable", path=str(path), detail=detail)
    return StorageError("storage", path=str(path), detail=detail)


def check_marker(path: Path) -> Path:
    """Beside a database: its next opening shall check every page."""
    return path.with_name(path.name + ".check")


def ask_for_check(path: Path) -> None:
    """Remember that reading failed; where even that cannot be written, opening finds out anyway."""
    with contextlib.suppress(OSError):
        check_marker(path).touch()


def schema_version(connection: sqlite3.Connection) -> int:
    """The last migration that was applied; 0 for a new database."""
    known = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'"
    ).fetchone()
    if known is None:
        return 0
    row = connection.execute("SELECT max(number) FROM migrations").fetchone()
    return int(row[0] or 0)


def migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Apply what is missing, all of it or nothing; safe against a second process doing the same."""
    if schema_version(connection) >= schema.version:
        return
    with in_transaction(connection):
        done = schema_version(connection)  # another process may have been quicker
        if done >= schema.version:
            return
        if done == 0:
            connection.execute(f"PRAGMA application_id = {schema.application_id}")
            connection.execute(
                "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                " applied_at REAL NOT NULL)"
            )
        for number in range(done + 1, schema.version + 1):
            migration = schema.migrations[number - 1]
            migration(connection)
            connection.execute(
                "INSERT INTO migrations VALUES (?, ?, ?)",
                (number, migration.__name__, time.time()),
            )
