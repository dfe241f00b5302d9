"""The ledger: every connection that leaves this machine, for its user to read.

A line is written before the first byte leaves and another when the connection has ended, so that
even one that the power cut short stands there (outcome "unfinished").
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.locks import file_lock
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error

MAX_FILE_BYTES = 1_000_000
"""About 3,000 connections; then the older half goes."""

_MAX_UNWRITTEN = 2_000

UNFINISHED = "unfinished"
OK = "ok"

_log = get_logger("ledger")


@dataclass(frozen=True, slots=True)
class Connection:
    """One request to one host; a redirect to another host is a line of its own.

    `purpose` is a slug with a sentence ``ledger.purpose.<purpose>``, `subject` what was asked for
    (a repository's name). `outcome`: ``ok``, ``unfinished`` or the kind of an error. `status` is
    HTTP's, None where none came. `sent_bytes` counts what was said to a server beyond the question
    itself. `started_at` counts seconds since 1970.
    """

    id: str
    started_at: float
    purpose: str
    host: str
    subject: str = ""
    outcome: str = UNFINISHED
    status: int | None = None
    received_bytes: int = 0
    seconds: float = 0.0
    sent_bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """What `hausgeist doctor` prints."""
        return {
            "time": self.started_at,
            "purpose": self.purpose,
            "host": self.host,
            "subject": self.subject,
            "outcome": self.outcome,
            "status": self.status,
            "received_bytes": self.received_bytes,
            "sent_bytes": self.sent_bytes,
            "seconds": round(self.seconds, 3),
        }


class Ledger:
    """Appends to one bounded file; any thread, any number of processes.

    A disk that cannot be written does not stop a connection that the user asked for: its lines
    are then kept in memory, where `entries` still shows them.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_file_bytes: int = MAX_FILE_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._max_file_bytes = max_file_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._unwritten: deque[str] = deque(maxlen=_MAX_UNWRITTEN)

    @property
    def path(self) -> Path:
        return self._path

    def begin(self, purpose: str, host: str, subject: str = "") -> Connection:
        """Note that a connection to `host` is about to be made; hand the result to `end`."""
        connection = Connection(os.urandom(6).hex(), self._clock(), purpose, host, subject=subject)
        self._append(
            {
                "id": connection.id,
                "started_at": connection.started_at,
                "purpose": purpose,
                "host": host,
                "subject": subject,
            }
        )
        return connection

    def end(
        self,
        connection: Connection,
        outcome: str,
        *,
        status: int | None = None,
        received_bytes: int = 0,
        sent_bytes: int = 0,
        seconds: float = 0.0,
    ) -> None:
        """Note how it went."""
        self._append(
            {
                "id": connection.id,
                "outcome": outcome,
                "status": status,
                "received_bytes": received_bytes,
                "sent_bytes": sent_bytes,
                "seconds": round(seconds, 4),
            }
        )

    def entries(self, last: int | None = None) -> tuple[Connection, ...]:
        """The connections, oldest first; only the newest `last` if given. Raises StorageError."""
        with self._lock:
            unwritten = list(self._unwritten)
        found = _joined([*self._lines(), *unwritten])
        return found if last is None else found[max(0, len(found) - last) :]

    def clear(self) -> None:
        """Forget everything, as its user may wish. Raises StorageError."""
        with self._lock:
            self._unwritten.clear()
            with file_lock(self._lock_path):
                try:
                    self._path.unlink(missing_ok=True)
                except OSError as error:
                    raise storage_error(error, self._path) from error

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise storage_error(error, self._path, reading=True) from error

    def _append(self, document: dict[str, Any]) -> None:
        line = json.dumps(document, ensure_ascii=True)
        with self._lock:
            try:
                with file_lock(self._lock_path):
                    self._write(line)
            except StorageError as error:
                _log.warning("ledger kept in memory: %s", error)
                self._unwritten.append(line)

    def _write(self, line: str) -> None:
        try:
            # A line that a power cut left without its end must not swallow this one.
            with self._path.open("ab+") as file:
                size = file.seek(0, 2)
                if size:
                    file.seek(size - 1)
                    if file.read(1) != b"\n":
                        file.write(b"\n")
                file.write(line.encode() + b"\n")
                size = file.tell()
        except OSError as error:
            raise storage_error(error, self._path) from error
        if size > self._max_file_bytes:
            self._shorten()

    def _shorten(self) -> None:
        """Keep the newer half."""
        kept: list[str] = []
        left = self._max_file_bytes // 2
        for line in reversed(self._lines()):
            left -= len(line) + 1
            if left < 0:
                break
            kept.append(line)
        write_atomic(self._path, "".join(f"{line}\n" for line in reversed(kept)).encode())


def _joined(lines: Iterable[str]) -> tuple[Connection, ...]:
    """Beginnings and ends put together; lines that a power cut damaged are left out."""
    found: dict[str, Connection] = {}
    for line in lines:
        try:
            document = json.loads(line)
            key = document["id"]
            if "host" in document:
                found[key] = Connection(
                    key,
                    float(document["started_at"]),
                    str(document["purpose"]),
                    str(document["host"]),
                    str(document["subject"]),
                )
            elif key in found:  # its beginning may have been shortened away
                status = document["status"]
                found[key] = replace(
                    found[key],
                    outcome=str(document["outcome"]),
                    status=None if status is None else int(status),
                    received_bytes=int(document["received_bytes"]),
                    seconds=float(document["seconds"]),
                    sent_bytes=int(document.get("sent_bytes", 0)),  # older lines have none
                )
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            continue
    return tuple(found.values())
