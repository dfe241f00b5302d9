"""The tables of the library's index, version by version; the models themselves are not in it."""

from __future__ import annotations

import sqlite3

from desktop.common.database import SQLITE_ERRORS, Schema

APPLICATION_ID = 0x48474C42  # "HGLB"

COLUMNS = (
    "name, path, part_names, file_bytes, architecture, quantization, parameters, added_at,"
    " last_used_at, source, mtime_ns, stamp, content, probed_engine, context_tokens, licence,"
    " abilities, origin, projector, hashes, verified_at, reading"
)
SEEN_COLUMNS = "path, stamp, what, content"


def _001_models(connection: sqlite3.Connection) -> None:
    # part_names: the names of all files of the model, one a line, in the folder of `path`.
    # stamp: size and time of every part, to notice a file that changed.
    # content: a digest of samples, to notice the same file at another place.
    connection.execute(
        """
        CREATE TABLE models (
            name TEXT PRIMARY KEY COLLATE NOCASE,
            path TEXT NOT NULL UNIQUE,
            part_names TEXT NOT NULL,
            file_bytes INTEGER NOT NULL,
            architecture TEXT NOT NULL,
            quantization TEXT NOT NULL,
            parameters INTEGER NOT NULL,
            added_at REAL NOT NULL,
            last_used_at REAL,
            source TEXT NOT NULL,
            mtime_ns INTEGER NOT NULL,
            stamp TEXT NOT NULL,
            content TEXT NOT NULL,
            probed_engine TEXT NOT NULL DEFAULT ''
        )
        """
    )
    connection.execute("CREATE INDEX models_by_content ON models (content)")


def _002_what_is_known(connection: sqlite3.Connection) -> None:
    # abilities: words, a blank between. origin: JSON, library.origin. hashes: the SHA-256 that each
    # part is to have, one a line, empty where nobody knows. reading: which version of the app's
    # reading of headers filled the row; 0 for rows of version 1, which lack the new columns.
    for column in (
        "context_tokens INTEGER NOT NULL DEFAULT 0",
        "licence TEXT NOT NULL DEFAULT ''",
        "abilities TEXT NOT NULL DEFAULT ''",
        "origin TEXT NOT NULL DEFAULT ''",
        "projector TEXT NOT NULL DEFAULT ''",
        "hashes TEXT NOT NULL DEFAULT ''",
        "verified_at REAL",
        "reading INTEGER NOT NULL DEFAULT 0",
    ):
        connection.execute(f"ALTER TABLE models ADD COLUMN {column}")
    # Files that are no entries: what they are (library.index.What), so that no scan opens them
    # twice. A model that was let go is here, too: a scan must not bring it back.
    connection.execute(
        """
        CREATE TABLE seen (
            path TEXT PRIMARY KEY,
            stamp TEXT NOT NULL,
            what TEXT NOT NULL,
            content TEXT NOT NULL DEFAULT ''
        ) WITHOUT ROWID
        """
    )
    connection.execute("CREATE INDEX seen_by_content ON seen (content)")


def merge_models(source: sqlite3.Connection, target: sqlite3.Connection) -> int:
    """Add the models of `source` whose name and path are free in `target`; returns how many.

    `source` may be of any earlier version.
    """
    added = _merge(source, target, "models", COLUMNS, "ORDER BY added_at")
    _merge(source, target, "seen", SEEN_COLUMNS, "")
    return added


def _merge(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str, columns: str, order: str
) -> int:
    added = 0
    try:
        there = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
        shared = [name for name in columns.split(", ") if name in there]
        if not shared:
            return 0
        names, places = ", ".join(shared), ", ".join("?" * len(shared))
        for row in source.execute(f"SELECT {names} FROM {table} {order}"):
            cursor = target.execute(
                f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})", row
            )
            added += cursor.rowcount
    except SQLITE_ERRORS:
        return added  # as far as a damaged file can be read
    return added


SCHEMA = Schema("library", APPLICATION_ID, (_001_models, _002_what_is_known), merge_models)
