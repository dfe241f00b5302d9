"""Open a database whatever state its file is in, losing nothing and never stopping the app.

    as it should be             opened, migrated; a stand-in of earlier is merged and removed
    damaged, or not ours        kept aside as <name>.damaged-<n>, what can be read is brought over
    locked by another program   left alone; a stand-in is used until it is free again
    from a newer version        left alone, not one byte written; a stand-in is used
    not writable, disk full     StorageError: read_only, disk_full

The stand-in is an ordinary database beside the real one. The next opening that succeeds brings
its content home.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path, PurePath
from urllib.parse import quote

from desktop.common.database import (
    SQLITE_ERRORS,
    Database,
    Schema,
    check_marker,
    database_error,
    in_transaction,
    migrate,
    schema_version,
    tolerant_text,
)
from desktop.common.errors import StorageError
from desktop.common.locks import file_lock
from desktop.common.logs import get_logger
from desktop.common.storage import free_name, storage_error

BUSY_TIMEOUT_S = 3.0
_PAUSE_S = 0.01
# Checking every page takes 0.9 ms a megabyte; larger files are checked on suspicion only.
ALWAYS_CHECKED_BYTES = 8 << 20
_SMALLEST_PAGE_BYTES = 512
_NEWER = "database_newer"
_COMPANIONS = ("-wal", "-shm", "-journal")
_log = get_logger("storage")


def open_database(
    path: Path, schema: Schema, *, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> Database:
    """See the module; raises StorageError only where nothing can be stored at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error
    deadline = time.monotonic() + busy_timeout_s
    while True:
        trouble = _look(path, schema, busy_timeout_s)
        if trouble is None:
            try:
                connection = _open(path, schema, busy_timeout_s)
            except StorageError as error:
                trouble = error
            else:
                _bring_home(connection, path, schema)
                return Database(connection, path)
        # Two that make the same new database meet in the change to write-ahead logging, where
        # SQLite refuses one of them at once instead of waiting.
        if trouble.kind != "database_locked" or time.monotonic() >= deadline:
            break
        time.sleep(_PAUSE_S)
    if trouble.kind == "database_unreadable":
        return _start_again(path, schema, busy_timeout_s, trouble)
    if trouble.kind in ("database_locked", _NEWER):
        return _use_stand_in(path, schema, busy_timeout_s, trouble)
    raise trouble


def stand_in_path(path: Path) -> Path:
    """Where the stand-in of `path` lies: ``chats.db`` has ``chats.stand-in.db``."""
    return path.with_name(f"{path.stem}.stand-in{path.suffix}")


def _look(path: Path, schema: Schema, busy_timeout_s: float) -> StorageError | None:
    """What is wrong with the file, found out without writing to it."""
    try:
        if path.is_dir():
            return StorageError("storage", path=str(path), detail="is a directory")
        if not path.exists() or path.stat().st_size == 0:
            return None
        if path.stat().st_size < _SMALLEST_PAGE_BYTES:  # SQLite would take it for empty
            return _unreadable(path, "shorter than a page")
    except OSError as error:
        return storage_error(error, path, reading=True)
    try:
        with contextlib.closing(
            _connect_read_only(path, busy_timeout_s, immutable=_is_alone(path))
        ) as connection:
            return _look_inside(connection, path, schema)
    except OSError as error:
        return storage_error(error, path, reading=True)
    except SQLITE_ERRORS as error:
        found = database_error(error, path)
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CANTOPEN:
            return StorageError("not_readable", path=str(path), detail=found.detail)
        return found


def _look_inside(connection: sqlite3.Connection, path: Path, schema: Schema) -> StorageError | None:
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = schema_version(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != schema.application_id and tables:
        return _unreadable(path, f"application id {owner}")
    if version > schema.version:
        return StorageError(_NEWER, path=str(path), detail=f"version {version} > {schema.version}")
    asked_for = check_marker(path).exists()
    if asked_for or not _has_its_length(connection, path) or _is_small(path):
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            return _unreadable(path, str(found))
        with contextlib.suppress(OSError):
            check_marker(path).unlink(missing_ok=True)
    return None


def _is_alone(path: Path) -> bool:
    """Without a log beside it nobody has the file open: then it can be read without locks, which
    leaves nothing behind in the folder. The opening that follows meets any lock."""
    return not any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal"))


def _unreadable(path: Path, detail: str) -> StorageError:
    return StorageError("database_unreadable", path=str(path), detail=detail)


def _is_small(path: Path) -> bool:
    return path.stat().st_size <= ALWAYS_CHECKED_BYTES


def _has_its_length(connection: sqlite3.Connection, path: Path) -> bool:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    # Pages that are still in the write-ahead log make the file shorter; then check, too.
    return path.stat().st_size >= int(pages) * int(page_bytes)


def _connect_read_only(
    path: Path, busy_timeout_s: float, *, immutable: bool = False
) -> sqlite3.Connection:
    options = "mode=ro&immutable=1" if immutable else "mode=ro"
    address = f"{file_address(path.absolute())}?{options}"
    return sqlite3.connect(address, uri=True, timeout=busy_timeout_s, isolation_level=None)


def file_address(path: PurePath) -> str:
    """The URI of an absolute path for SQLite (https://sqlite.org/uri.html), which takes no server
    in it: a Windows network path begins with four slashes."""
    name = path.as_posix()
    return f"file://{'' if name.startswith('/') else '/'}{quote(os.fsencode(name), safe='/:')}"


def _open(path: Path, schema: Schema, busy_timeout_s: float) -> sqlite3.Connection:
    """For writing, at the newest version; raises StorageError."""
    try:
        connection = sqlite3.connect(
            path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise database_error(error, path) from error
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What a person deletes is overwritten, not only marked as free.
        connection.execute("PRAGMA secure_delete = ON")
        # A lock that is held for good, or a file that cannot be written, shows now and not
        # in the middle of an answer. BEGIN alone is content with a read-only file.
        with in_transaction(connection):
            if schema_version(connection):
                connection.execute("DELETE FROM migrations WHERE false")
        migrate(connection, schema)
    except SQLITE_ERRORS as error:
        connection.close()
        raise database_error(error, path) from error
    return connection


def _start_again(
    path: Path, schema: Schema, busy_timeout_s: float, trouble: StorageError
) -> Database:
    """Keep the damaged file aside, start a new one, bring over what can be read."""
    with file_lock(path.with_name(path.name + ".lock")):
        again = _look(path, schema, busy_timeout_s)
        if again is None:  # another process has done it in the meantime
            return Database(_open(path, schema, busy_timeout_s), path)
        if again.kind != "database_unreadable":
            raise again
        kept = _keep_aside(path)
        connection = _open(path, schema, busy_timeout_s)
        rescued = _rescue(kept, connection, schema)
    problem = StorageError(
        f"{schema.name}_damaged",
        path=str(path),
        kept_as=str(kept),
        rescued=rescued,
        detail=trouble.detail,
    )
    _bring_home(connection, path, schema)
    return Database(connection, path, problem)


def _keep_aside(path: Path) -> Path:
    """Rename the file with its write-ahead log, which may hold pages that it lacks."""
    kept = free_name(path, "damaged")
    try:
        for companion in _COMPANIONS:
            lying = path.with_name(path.name + companion)
            if lying.exists() and (companion == "-shm" or lying.stat().st_size == 0):
                lying.unlink()  # holds nothing that the other two do not
            elif lying.exists():
                lying.rename(kept.with_name(kept.name + companion))
        path.rename(kept)
        check_marker(path).unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error
    return kept


def _rescue(kept: Path, connection: sqlite3.Connection, schema: Schema) -> int:
    """Bring over what a damaged file still gives; never fails, the file is kept in any case."""
    has_log = kept.with_name(kept.name + "-wal").exists()
    try:
        with (
            contextlib.closing(_connect_read_only(kept, 0.1, immutable=not has_log)) as source,
            in_transaction(connection),
        ):
            # Makes SQLite read a file that is shorter than it says of itself.
            source.execute("PRAGMA writable_schema = ON")
            source.text_factory = tolerant_text
            return schema.merge(source, connection)
    except SQLITE_ERRORS as error:
        _log.warning("nothing could be rescued from %s: %s", kept.name, error)
        return 0


def _use_stand_in(
    path: Path, schema: Schema, busy_timeout_s: float, trouble: StorageError
) -> Database:
    stand_in = stand_in_path(path)
    inner = _look(stand_in, schema, busy_timeout_s)
    if inner is None:
        opened = Database(_open(stand_in, schema, busy_timeout_s), stand_in)
    elif inner.kind == "database_unreadable":
        opened = _start_again(stand_in, schema, busy_timeout_s, inner)
    else:
        raise trouble
    state = "newer" if trouble.kind == _NEWER else "locked"
    opened.problem = StorageError(
        f"{schema.name}_{state}", path=str(path), stand_in=str(stand_in), detail=trouble.detail
    )
    return opened


def _bring_home(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Merge a stand-in that nobody uses any more; otherwise it waits for the next start."""
    stand_in = stand_in_path(path)
    if not stand_in.exists():
        return
    try:
        with contextlib.closing(_open(stand_in, schema, 0.1)) as source:
            # In this mode the next transaction fails while any other connection is open.
            source.execute("PRAGMA locking_mode = EXCLUSIVE")
            with in_transaction(source), in_transaction(connection):
                schema.merge(source, connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for companion in ("", *_COMPANIONS):
            stand_in.with_name(stand_in.name + companion).unlink(missing_ok=True)
    except (*SQLITE_ERRORS, StorageError, OSError) as error:
        _log.warning("the stand-in of %s stays for now: %s", path.name, error)


def open_in_memory(schema: Schema, like: Path | None = None) -> Database:
    """A database that lives as long as the program: for a disk that cannot be written at all.

    It begins with what the file `like` holds, where that can be read. Never raises.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if like is not None:
        _copy(like, connection, schema)
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection, schema)
    return Database(connection, Path(":memory:"))


def _copy(path: Path, connection: sqlite3.Connection, schema: Schema) -> None:
    """Fill an empty database with what `path` holds; it stays empty if that cannot be read."""
    # In a folder that cannot be written the log of a crash cannot be used: then without it.
    for immutable in (True,) if _is_alone(path) else (False, True):
        try:
            with contextlib.closing(_connect_read_only(path, 0.1, immutable=immutable)) as source:
                if _look_inside(source, path, schema) is None:
                    source.backup(connection)
                return
        except (*SQLITE_ERRORS, OSError) as error:
            _log.warning("%s not read into memory: %s", path.name, error)
