"""Notice at the next start that the last run died while a model loaded or answered.

llama.cpp can end the process on some inputs, and so can the system when memory runs out. Each
process writes what it is about to do into a file of its own beside `running.json` and removes it
afterwards; a file whose process is gone is a crash. Crashes are remembered for a while, so that
opening the model starts one step smaller instead of dying once more.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.logs import get_logger
from desktop.common.processes import is_alive, process_mark
from desktop.fit.types import Plan

Activity = Literal["loading", "generating"]

# A kill from outside or an empty battery during an answer looks like a crash too, so that one
# counts for a day only; a load that died will most likely die again.
_REMEMBERED_S: dict[Activity, float] = {"loading": 30 * 86400.0, "generating": 86400.0}
_log = get_logger("services")


@dataclass(frozen=True, slots=True)
class CrashRecord:
    """What a dead process was doing: with which model, under which plan, and when (epoch)."""

    activity: Activity
    model_path: Path
    plan: Plan
    started_at: float


class CrashMarker:
    """The markers of this process and the crashes of earlier ones, below one folder.

    A disk that cannot be written loses the memory of a crash, never an answer: such failures
    are logged and not raised.
    """

    def __init__(
        self,
        path: Path,
        *,
        alive: Callable[[str], bool] = is_alive,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._crashes_file = path
        self._own_file = path.with_name(f"{path.stem}-{os.getpid()}{path.suffix}")
        self._alive = alive
        self._now = now
        self._lock = threading.Lock()
        self._running: dict[int, CrashRecord] = {}
        self._next = 0

    @contextlib.contextmanager
    def running(
        self, activity: Activity, model_path: Path | None, plan: Plan | None
    ) -> Iterator[None]:
        """Mark the body of the `with`: if the process dies inside, the next start knows.

        A model without a file here (on a server) cannot take the process along: no mark.
        """
        if model_path is None or plan is None:
            yield
            return
        record = CrashRecord(activity, model_path, plan, self._now())
        with self._lock:
            token = self._next
            self._next += 1
            self._running[token] = record
            self._write_own()
        try:
            yield
        finally:
            with self._lock:
                del self._running[token]
                self._write_own()

    def collect(self) -> tuple[CrashRecord, ...]:
        """Turn the markers of dead processes into remembered crashes; the new ones are returned."""
        found: list[CrashRecord] = []
        with self._lock:
            for file in self._marker_files():
                entry = _read_marker(file)
                if entry is not None and self._alive(entry.process):
                    continue
                found.extend(entry.records if entry is not None else ())
                with contextlib.suppress(OSError):  # another process may have collected it first
                    file.unlink()
            if found:
                self._write_crashes([*found, *self._crashes()])
        return tuple(found)

    def remember(self, activity: Activity, model_path: Path, plan: Plan) -> None:
        """A process of its own, not this one, has died of the model just now."""
        record = CrashRecord(activity, model_path, plan, self._now())
        with self._lock:
            self._write_crashes([record, *self._crashes()])

    def crashed(self, model_path: Path) -> CrashRecord | None:
        """The newest remembered crash of this model."""
        with self._lock:
            for record in self._crashes():
                if record.model_path == model_path:
                    return record
        return None

    def remembered(self) -> tuple[CrashRecord, ...]:
        """The newest crash of every model, as long as it still counts."""
        with self._lock:
            return tuple(self._crashes())

    def forget(self, model_path: Path) -> None:
        """The user insists on the full plan, or the model is another one now."""
        with self._lock:
            before = self._crashes()
            kept = [r for r in before if r.model_path != model_path]
            if len(kept) != len(before):
                self._write_crashes(kept)

    def _marker_files(self) -> list[Path]:
        pattern = f"{self._crashes_file.stem}-*{self._crashes_file.suffix}"
        return [f for f in self._crashes_file.parent.glob(pattern) if f != self._own_file]

    def _crashes(self) -> list[CrashRecord]:
        now = self._now()
        records = _read_records(self._crashes_file)
        return [r for r in records if now - r.started_at < _REMEMBERED_S[r.activity]]

    def _write_crashes(self, records: list[CrashRecord]) -> None:
        newest: dict[Path, CrashRecord] = {}
        for record in records:
            newest.setdefault(record.model_path, record)
        self._write(self._crashes_file, {"crashes": [_to_json(r) for r in newest.values()]})

    def _write_own(self) -> None:
        if not self._running:
            with contextlib.suppress(OSError):  # never written where the disk is read-only
                self._own_file.unlink()
            return
        document = {
            "process": process_mark(),
            "running": [_to_json(r) for r in self._running.values()],
        }
        self._write(self._own_file, document)

    def _write(self, file: Path, document: dict[str, Any]) -> None:
        try:
            write_atomic(file, json.dumps(document).encode())
        except StorageError as error:
            _log.warning("crash marker not written: %s", error)


@dataclass(frozen=True, slots=True)
class _Marker:
    process: str
    records: tuple[CrashRecord, ...]


def _read_marker(file: Path) -> _Marker | None:
    """The marker in `file`, None if it cannot be understood (a crash in the middle of writing)."""
    try:
        document = json.loads(file.read_bytes())
        records = tuple(_from_json(item) for item in document["running"])
        return _Marker(str(document["process"]), records)
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("unreadable crash marker %s: %s", file.name, error)
        return None


def _read_records(file: Path) -> list[CrashRecord]:
    try:
        return [_from_json(item) for item in json.loads(file.read_bytes())["crashes"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("unreadable crash list %s: %s", file.name, error)
        return []


def _to_json(record: CrashRecord) -> dict[str, Any]:
    return {
        "activity": record.activity,
        "model_path": str(record.model_path),
        "plan": record.plan.to_json(),
        "started_at": record.started_at,
    }


def _from_json(item: dict[str, Any]) -> CrashRecord:
    if item["activity"] not in get_args(Activity):
        raise ValueError(f"unknown activity {item['activity']!r}")
    return CrashRecord(
        item["activity"],
        Path(item["model_path"]),
        Plan.from_json(item["plan"]),
        float(item["started_at"]),
    )
