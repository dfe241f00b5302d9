"""Where Hausgeist keeps its things on this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from desktop.common.errors import StorageError
from desktop.common.storage import storage_error

APP_NAME = "hausgeist"


@dataclass(frozen=True, slots=True)
class Paths:
    """Every folder and file of the app; nothing is made before `ensure`."""

    home: Path
    data_dir: Path
    cache_dir: Path
    models_dir: Path
    database: Path
    library_database: Path
    settings_file: Path
    crash_marker: Path
    log_file: Path

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Paths:
        """Below HAUSGEIST_HOME if set, else where this system keeps an app's data.

        Raises StorageError("no_home") where the user has no home folder at all.
        """
        moved = env.get("HAUSGEIST_HOME", "").strip()
        if moved:
            try:
                home = Path(moved).expanduser().absolute()
            except RuntimeError as error:  # ~ where nobody knows whose
                raise StorageError("no_home", detail=str(error)) from error
            return cls._below(home, data_dir=home / "data", cache_dir=home / "cache")
        data_dir = Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))
        cache_dir = Path(platformdirs.user_cache_dir(APP_NAME, appauthor=False))
        if not data_dir.is_absolute():
            raise StorageError("no_home")
        return cls._below(data_dir, data_dir=data_dir, cache_dir=cache_dir)

    @classmethod
    def _below(cls, home: Path, *, data_dir: Path, cache_dir: Path) -> Paths:
        return cls(
            home=home,
            data_dir=data_dir,
            cache_dir=cache_dir,
            models_dir=home / "models",
            database=data_dir / "chats.db",
            library_database=data_dir / "library.db",
            settings_file=data_dir / "settings.json",
            crash_marker=data_dir / "running.json",
            log_file=data_dir / "logs" / "hausgeist.log",
        )

    @property
    def ledger_file(self) -> Path:
        """Every connection that left this machine."""
        return self.data_dir / "connections.jsonl"

    @property
    def downloads_file(self) -> Path:
        """The queue of models that are being fetched."""
        return self.data_dir / "downloads.json"

    def ensure(self) -> None:
        """Make the folders and prove that they can be written.

        Raises StorageError: read_only_home, disk_full or storage.
        """
        for folder in (self.data_dir, self.cache_dir, self.models_dir, self.log_file.parent):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _home_error(error, folder) from error
        _prove_writable(self.data_dir)


def _prove_writable(folder: Path) -> None:
    """Write one byte: permission bits alone say too little (ACLs, quotas, read-only mounts)."""
    probe = folder / f".write-test-{os.getpid()}"
    try:
        probe.write_bytes(b"x")
    except OSError as error:
        raise _home_error(error, folder) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def _home_error(error: OSError, folder: Path) -> StorageError:
    found = storage_error(error, folder)
    if found.kind == "read_only":
        return StorageError("read_only_home", path=str(folder), detail=found.detail)
    return found
