"""The history of this computer: every load and answer, predicted against actual.

A small file of JSON lines that several processes may write; a disk that refuses loses the memory,
never an answer. What it teaches are `corrections` for the next plan.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.locks import file_lock
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.types import Plan, Speed
from desktop.hardware.machine import Machine
from desktop.services.history_records import (
    FailureRecord,
    LoadRecord,
    Record,
    Session,
    sessions,
)
from desktop.services.history_records import from_json as record_from_json
from desktop.services.history_records import to_json as record_to_json
from desktop.services.lessons import corrections_from, measured_from
from desktop.services.machine_key import machine_key

MOST_BYTES = 600_000
"""About 2,000 loads and answers, half a year of daily use; beyond it the oldest third goes."""
_KEPT_SHARE = 2 / 3
_MOST_UNWRITTEN = 1000

Stamp = tuple[int, int]
_NOWHERE = Path("history.jsonl")

_log = get_logger("services")


class History:
    """What loads and answers have shown. Every method may be called by any thread."""

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._lock_path = path.with_name(path.name + ".lock")
        self._now = now
        self._lock = threading.Lock()
        self._unwritten: list[Record] = []
        self._read: tuple[Stamp, tuple[Record, ...]] | None = None
        self._taught: tuple[tuple[Record, ...], Machine, Corrections] | None = None

    @property
    def now(self) -> float:
        """The time to stamp a record with (epoch)."""
        return self._now()

    def add(self, record: Record) -> None:
        """Keep `record`; where the disk refuses, until the end of this process."""
        with self._lock:
            try:
                self._append(record)
            except StorageError as error:
                _log.warning("history not written: %s", error)
                self._unwritten = [*self._unwritten, record][-_MOST_UNWRITTEN:]

    def failed_load(
        self,
        machine: Machine,
        device: str,
        predicted_bytes: int,
        *,
        available_bytes: int | None = None,
        kind: str = "",
        model: str = "",
        at: float | None = None,
    ) -> None:
        """A load (or a trial) that died of memory: later plans leave more of `device` free.

        `available_bytes` is what was free there before: more than predicted, or it teaches nothing.
        """
        self.add(
            FailureRecord(
                at=self._now() if at is None else at,
                machine=machine_key(machine),
                device=device,
                predicted_bytes=max(0, predicted_bytes),
                available_bytes=available_bytes,
                error=kind,
                model=model,
            )
        )

    def entries(self) -> tuple[Record, ...]:
        """Everything that is known, oldest first; lines that cannot be read are left out."""
        with self._lock:
            stored = self._stored()
            return (*stored, *self._unwritten) if self._unwritten else stored

    def sessions(self) -> tuple[Session, ...]:
        """The loads with their answers and ends, oldest first."""
        return sessions(self.entries())

    def corrections(self, machine: Machine) -> Corrections:
        """What was learned on `machine`; nothing for another one."""
        records = self.entries()
        if not records:
            return NO_CORRECTIONS
        known = self._taught
        if known is not None and known[0] is records and known[1] == machine:
            return known[2]
        found = corrections_from(records, machine, self._now())
        self._taught = (records, machine, found)
        return found

    def may_know(self, architecture: str, file_bytes: int) -> bool:
        """Whether a model of this kind and size has been opened: cheaper than its fingerprint."""
        return any(
            isinstance(record, LoadRecord)
            and record.model.file_bytes == file_bytes
            and record.model.architecture == architecture
            for record in self.entries()
        )

    def measured(self, machine: Machine, fingerprint: str, plan: Plan) -> Speed | None:
        """How fast this model has really been under such a plan here; None before its first use."""
        return measured_from(self.entries(), machine, fingerprint, plan)

    def forget(self) -> None:
        """Remove everything that was learned. Raises StorageError."""
        with self._lock:
            self._unwritten = []
            self._read = None
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, self._path) from error

    def _append(self, record: Record) -> None:
        line = _line(record)
        with file_lock(self._lock_path):
            before = self._stamp()
            try:
                with self._path.open("ab+") as file:
                    file.write(line if _ends_well(file) else b"\n" + line)
            except OSError as error:
                raise storage_error(error, self._path) from error
            after = self._stamp()
            if after is not None and after[1] > MOST_BYTES:
                self._shorten()
            elif after is not None and self._read is not None and self._read[0] == before:
                self._read = (after, (*self._read[1], record))  # known without reading it again

    def _shorten(self) -> None:
        """Keep the newest two thirds."""
        kept: list[bytes] = []
        left = MOST_BYTES * _KEPT_SHARE
        for record in reversed(self._stored()):
            line = _line(record)
            left -= len(line)
            if left < 0:
                break
            kept.append(line)
        write_atomic(self._path, b"".join(reversed(kept)))

    def _stamp(self) -> Stamp | None:
        """What changes with the file; None where there is none, or nobody may look."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _stored(self) -> tuple[Record, ...]:
        """The file's records, read again only when it has changed."""
        stamp = self._stamp()
        if stamp is not None and self._read is not None and self._read[0] == stamp:
            return self._read[1]
        try:
            records = _records(self._path.read_bytes().splitlines(), self._path)
        except FileNotFoundError:
            return ()
        except OSError as error:
            _log.warning("history not read: %s", error)
            return ()
        if stamp is not None:
            self._read = (stamp, records)
        return records


def _line(record: Record) -> bytes:
    return json.dumps(record_to_json(record)).encode() + b"\n"


def _ends_well(file: BinaryIO) -> bool:
    """Whether the last line has its end: one that a power cut left open must not swallow more."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return True
    file.seek(size - 1)
    return file.read(1) == b"\n"


class Unrecorded(History):
    """Keeps nothing, for what nothing can be learned from."""

    def __init__(self) -> None:
        super().__init__(_NOWHERE)

    def add(self, record: Record) -> None:
        """Nothing is kept of it."""


def _records(lines: Sequence[bytes], path: Path) -> tuple[Record, ...]:
    records: list[Record] = []
    bad = 0
    for line in lines:
        try:
            record = record_from_json(json.loads(line))
        except (ValueError, RecursionError):
            bad += 1
            continue
        if record is not None:
            records.append(record)
    if bad:
        _log.warning("%d lines of %s could not be read", bad, path.name)
    return tuple(records)
