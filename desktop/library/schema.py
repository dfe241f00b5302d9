"""The tables of the library's index, version by version; the models themselves are not in it."""

from __future__ import annotations

import sqlite3

from desktop.common.database import SQLITE_ERRORS, Schema

APPLICATION_ID = 0x48474C42  # "HGLB"

COLUMNS = (
    "name, path, part_names, file_bytes, architecture, quantization, parameters, added_at,"
    " last_used_at, source, mtime_ns, stamp, content, probed_engine"
)
_COUNT = COLUMNS.count(",") + 1


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


def merge_models(source: sqlite3.Connection, target: sqlite3.Connection) -> int:
    """Add the models of `source` whose name and path are free in `target`; returns how many."""
    added = 0
    try:
        for row in source.execute(f"SELECT {COLUMNS} FROM models ORDER BY added_at"):
            cursor = target.execute(
                f"INSERT OR IGNORE INTO models ({COLUMNS}) VALUES ({', '.join('?' * _COUNT)})", row
            )
            added += cursor.rowcount
    except SQLITE_ERRORS:
        return added  # as far as a damaged file can be read
    return added


SCHEMA = Schema("library", APPLICATION_ID, (_001_models,), merge_models)
