from __future__ import annotations

import sqlite3
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import pytest

from desktop.common import database_opening
from desktop.common.database import Schema, migrate, schema_version
from desktop.common.database_opening import file_address, open_database, open_in_memory
from desktop.common.errors import StorageError


def _001_things(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE things (name TEXT NOT NULL)")


def _002_sizes(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7")


def _003_fails(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE halfway (x)")
    connection.execute("CREATE TABLE things (already TEXT)")


def _merge(source: sqlite3.Connection, target: sqlite3.Connection) -> int:
    rows = source.execute("SELECT name FROM things").fetchall()
    target.executemany("INSERT INTO things (name) VALUES (?)", rows)
    return len(rows)


ONE = Schema("things", 77, (_001_things,), _merge)
TWO = Schema("things", 77, (_001_things, _002_sizes), _merge)
BROKEN = Schema("things", 77, (_001_things, _002_sizes, _003_fails), _merge)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Größe #1 %20?.db"  # every letter that an address could stumble over


def test_migrations_are_numbered_and_recorded(path: Path) -> None:
    old = open_database(path, ONE)
    with old.transaction() as db:
        db.execute("INSERT INTO things VALUES ('a')")
    old.close()
    new = open_database(path, TWO)
    assert new.rows("SELECT * FROM things") == [("a", 7)]
    assert new.rows("SELECT number, name FROM migrations") == [
        (1, "_001_things"),
        (2, "_002_sizes"),
    ]
    new.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    open_database(path, TWO).close()
    with pytest.raises(StorageError):
        open_database(path, BROKEN)
    again = open_database(path, TWO)
    assert again.problem is None
    assert again.row("SELECT 1 FROM sqlite_master WHERE name = 'halfway'") is None
    again.close()


def test_a_second_migration_of_the_same_database_does_nothing(path: Path) -> None:
    open_database(path, TWO).close()
    connection = sqlite3.connect(path, isolation_level=None)
    before = connection.execute("SELECT * FROM migrations").fetchall()
    migrate(connection, TWO)
    migrate(connection, ONE)
    assert connection.execute("SELECT * FROM migrations").fetchall() == before
    assert schema_version(connection) == 2
    connection.close()


def test_the_settings_that_survive_a_crash_are_on(path: Path) -> None:
    database = open_database(path, ONE)
    assert database.row("PRAGMA journal_mode") == ("wal",)
    assert database.row("PRAGMA synchronous") == (1,)  # NORMAL
    assert database.row("PRAGMA busy_timeout") == (3000,)
    assert database.row("PRAGMA secure_delete") == (1,)
    database.close()


def test_an_exception_rolls_everything_back(path: Path) -> None:
    database = open_database(path, ONE)

    def fail() -> None:
        with database.transaction() as db:
            db.execute("INSERT INTO things VALUES ('a')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert database.rows("SELECT * FROM things") == []
    with database.transaction() as db:
        db.execute("INSERT INTO things VALUES ('b')")
    assert database.rows("SELECT * FROM things") == [("b",)]
    database.close()


def test_one_damaged_letter_hides_no_row(path: Path) -> None:
    database = open_database(path, ONE)
    with database.transaction() as db:
        db.execute("INSERT INTO things VALUES (CAST(x'61FF62' AS TEXT)), ('whole')")
    assert database.rows("SELECT name FROM things") == [("a\ufffdb",), ("whole",)]
    assert database.rows("SELECT 'ä'") == [("ä",)]
    database.close()


def test_a_database_of_the_same_name_by_another_part_is_not_ours(path: Path) -> None:
    open_database(path, Schema("other", 78, (_001_things,), _merge)).close()
    database = open_database(path, ONE)
    assert database.problem is not None
    assert database.problem.kind == "things_damaged"
    database.close()


def test_in_memory_has_the_same_tables() -> None:
    database = open_in_memory(TWO)
    assert database.rows("SELECT * FROM things") == []
    assert database.rows("SELECT max(number) FROM migrations") == [(2,)]
    database.close()


@pytest.mark.parametrize(
    ("path", "address"),
    [
        (PurePosixPath("/home/ä b/c.db"), "file:///home/%C3%A4%20b/c.db"),
        (PurePosixPath("/a?b#c%d.db"), "file:///a%3Fb%23c%25d.db"),
        (PureWindowsPath("C:\\Users\\x\\c.db"), "file:///C:/Users/x/c.db"),
        (PureWindowsPath("\\\\server\\share\\c.db"), "file:////server/share/c.db"),
    ],
)
def test_addresses(path: PurePath, address: str) -> None:
    assert file_address(path) == address


def test_a_database_that_another_is_just_making_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses the change to write-ahead logging at once, whatever the busy timeout says."""
    really_open = database_opening._open
    refusals = [StorageError("database_locked", path=str(path))]

    def refused_once(*arguments: Any) -> sqlite3.Connection:
        if refusals:
            raise refusals.pop()
        return really_open(*arguments)

    monkeypatch.setattr(database_opening, "_open", refused_once)
    opened = open_database(path, ONE)
    assert opened.problem is None
    assert opened.path == path
    opened.close()
