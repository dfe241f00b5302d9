"""What a support person needs to know, gathered part by part; no word of a chat is in it.

A part that is broken is itself a finding: it is named, and the others are looked at all the same.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TypeVar

from desktop.common.errors import HausgeistError, StorageError
from desktop.common.ledger import Connection
from desktop.common.logs import get_logger
from desktop.common.paths import Paths
from desktop.common.storage import free_bytes
from desktop.common.version import VERSION
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.hardware.machine import Machine
from desktop.library.model import LibraryModel
from desktop.services.core import HISTORY_FILE, Core
from desktop.services.crash_marker import CrashRecord
from desktop.services.history_records import FailureRecord, Record, Session, sessions
from desktop.services.history_summary import Accuracy, accuracy, compared
from desktop.services.log_tail import LoggedError, last_errors
from desktop.services.model_places import ModelPlaces
from desktop.services.network import Network
from desktop.services.pool import PoolServer
from desktop.services.remote_file import RemoteServer
from desktop.services.remotes import Remotes
from desktop.services.tune_records import TUNE_RECORDS_FILE, TuneRecord, TuneRecords

MOST_SESSIONS = 30
MOST_CONNECTIONS = 200

PACKAGES = (
    "llama-cpp-python",
    "PySide6-Essentials",
    "huggingface-hub",
    "httpx2",
    "numpy",
    "jinja2",
    "psutil",
    "nvidia-ml-py",
)

# What damaged files, refusing disks and odd systems raise; a fault of ours is still one.
_BROKEN = (HausgeistError, OSError, ValueError, LookupError, ArithmeticError, sqlite3.Error)

_log = get_logger("services")

T = TypeVar("T")
_NO_RECORDS: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the report that could not be had, and why (`error.kind` has its sentence)."""

    part: str
    error: HausgeistError


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file of the app; `free_bytes` is what its disk has left, None if unknown."""

    name: str
    path: Path
    exists: bool
    free_bytes: int | None

    def to_json(self) -> dict[str, object]:
        return {"path": str(self.path), "exists": self.exists, "free_bytes": self.free_bytes}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found; None or empty where a part is broken."""

    system: str
    versions: dict[str, str]
    machine: Machine | None
    places: tuple[Place, ...]
    settings: dict[str, object]
    problems: tuple[HausgeistError, ...]
    errors: tuple[LoggedError, ...]
    connections: tuple[Connection, ...]
    sessions: tuple[Session, ...]
    accuracy: Accuracy
    failures: tuple[FailureRecord, ...]
    corrections: Corrections
    crashes: tuple[CrashRecord, ...]
    models: tuple[LibraryModel, ...]
    broken: tuple[Finding, ...]
    network: dict[str, object] = field(default_factory=dict)
    tunings: tuple[TuneRecord, ...] = ()
    pool: tuple[PoolServer, ...] = ()
    servers: tuple[RemoteServer, ...] = ()

    def to_json(self, say: Callable[[HausgeistError], str]) -> dict[str, object]:
        """As `hausgeist doctor --json` prints it; `say` gives an error's sentence."""
        machine = None if self.machine is None else self.machine.to_json()
        return {
            "system": self.system,
            "versions": self.versions,
            "hardware": machine,
            "engine": None if machine is None else machine["engine"],
            "paths": {place.name: place.to_json() for place in self.places},
            "settings": self.settings,
            "problems": [{"kind": p.kind, "message": say(p)} for p in self.problems],
            "errors": [asdict(line) for line in self.errors],
            "network": self.network,
            "pool": [server.to_json() for server in self.pool],
            "servers": [server.to_json() for server in self.servers],
            "ledger": [connection.to_json() for connection in self.connections],
            "history": {
                "accuracy": self.accuracy.to_json(),
                "corrections": {
                    "margin_bytes": dict(self.corrections.margin_bytes),
                    "generation": dict(self.corrections.generation),
                    "prompt": dict(self.corrections.prompt),
                },
                "failed_loads": [_failure(failure) for failure in self.failures],
                "sessions": [compared(session).to_json() for session in self.sessions],
            },
            "tuning": [record.to_json() for record in self.tunings],
            "crashes": [_crash(crash) for crash in self.crashes],
            "models": [_model(model) for model in self.models],
            "broken": [
                {"part": found.part, "kind": found.error.kind, "message": say(found.error)}
                for found in self.broken
            ],
        }


def examine(core: Core) -> Diagnosis:
    """Look at everything; takes as long as looking at the hardware does. Never raises."""
    return _Examination().of(core)


class _Examination:
    def __init__(self) -> None:
        self._broken: list[Finding] = []

    def of(self, core: Core) -> Diagnosis:
        machine = self._part("hardware", core.machine_service.machine, None)
        records = self._part("history", core.history.entries, _NO_RECORDS)
        found = sessions(records)
        return Diagnosis(
            system=self._part("system", system_name, sys.platform),
            versions=self._part("versions", versions, {}),
            machine=machine,
            places=self._part("paths", lambda: places(core.paths, core.places), ()),
            settings=asdict(core.settings),
            problems=core.problems,
            errors=self._part("errors", lambda: last_errors(core.paths.log_file), ()),
            connections=self._part(
                "ledger", lambda: core.network.ledger.entries(MOST_CONNECTIONS), ()
            ),
            sessions=found[-MOST_SESSIONS:],
            accuracy=accuracy(found),
            failures=tuple(record for record in records if isinstance(record, FailureRecord)),
            corrections=self._part("history", lambda: _learned(core, machine), NO_CORRECTIONS),
            crashes=self._part("crashes", core.crash_marker.remembered, ()),
            models=self._part("models", lambda: tuple(core.library.list()), ()),
            network=self._part("network", lambda: way_out(core.network), {}),
            pool=self._part("pool", lambda: core.pool.look().servers, ()),
            servers=self._part("servers", lambda: Remotes.of(core).servers(), ()),
            tunings=TuneRecords(core.paths.data_dir / TUNE_RECORDS_FILE).all(),
            broken=tuple(self._broken),
        )

    def _part(self, part: str, look: Callable[[], T], otherwise: T) -> T:
        try:
            return look()
        except _BROKEN as error:
            _log.warning("doctor: %s: %s: %s", part, type(error).__name__, error)
            found = (
                error
                if isinstance(error, HausgeistError)
                else HausgeistError("internal", kind=type(error).__name__)
            )
            self._broken.append(Finding(part, found))
            return otherwise


def _learned(core: Core, machine: Machine | None) -> Corrections:
    return NO_CORRECTIONS if machine is None else core.history.corrections(machine)


def system_name() -> str:
    """ "Linux 6.1.0 x86_64"; without `platform`, which asks slow services on Windows."""
    if sys.platform == "win32":
        found = sys.getwindowsversion()
        return f"Windows {found.major}.{found.minor}.{found.build}"
    names = os.uname()
    return f"{names.sysname} {names.release} {names.machine}"


def way_out(network: Network) -> dict[str, object]:
    """How connections would be made; makes none, and asks no keyring."""
    from desktop.hub.http import proxy_of  # 80 ms that only this part needs

    policy = network.policy
    note = network.tokens.note()
    kept = "none" if note is None else note.place
    return {
        "hub": policy.hub_host,
        "offline": policy.is_offline,
        "forced_by": policy.forced_by or None,
        "proxy": proxy_of(policy.endpoint),
        "certificates": policy.certificate_store,
        "token": "environment" if policy.has_token_in_environment else kept,
    }


def versions() -> dict[str, str]:
    """This app's, Python's and those of the packages that matter; "" for one that is missing."""
    found = {"hausgeist": VERSION, "python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def places(paths: Paths, model_places: ModelPlaces) -> tuple[Place, ...]:
    """The app's folders and files; `models` is the folder chosen for new ones."""
    named = {
        "home": paths.home,
        "data": paths.data_dir,
        "cache": paths.cache_dir,
        "chats": paths.database,
        "library": paths.library_database,
        "settings": paths.settings_file,
        "log": paths.log_file,
        "ledger": paths.ledger_file,
        "history": paths.data_dir / HISTORY_FILE,
    }
    own = (_place(name, path) for name, path in named.items())
    return (*own, _models_place(model_places))


def _models_place(model_places: ModelPlaces) -> Place:
    """It may lie on a drive that does not answer: then it is told as not there."""
    main = model_places.all()[0]
    return Place("models", main.path, main.present and main.path.is_dir(), main.free_bytes)


def _place(name: str, path: Path) -> Place:
    try:
        free = free_bytes(path)
    except StorageError:
        free = None
    return Place(name, path, path.exists(), free)


def _failure(failure: FailureRecord) -> dict[str, object]:
    return {
        "time": failure.at,
        "device": failure.device,
        "model": failure.model,
        "kind": failure.error,
        "predicted_bytes": failure.predicted_bytes,
        "available_bytes": failure.available_bytes,
    }


def _crash(crash: CrashRecord) -> dict[str, object]:
    return {
        "time": crash.started_at,
        "activity": crash.activity,
        "model": crash.model_path.stem,
        "plan": crash.plan.to_json(),
    }


def _model(model: LibraryModel) -> dict[str, object]:
    return {
        "name": model.name,
        "path": str(model.path),
        "file_bytes": model.file_bytes,
        "architecture": model.architecture,
        "quantization": model.quantization,
        "source": model.source,
        "problem": model.problem or None,
    }
