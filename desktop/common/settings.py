"""The user's settings, in one small JSON file that may be edited by hand."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from desktop.common.atomic import write_atomic
from desktop.common.errors import HausgeistError, StorageError
from desktop.common.storage import free_name, storage_error


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; the defaults suit somebody who chose nothing.

    `models_folder` is where new models go, "" for the app's own folder; models in `more_folders`
    are known as well. `sources` are an organisation's own lists of models (web addresses, folders).
    `certificates`: "" for SSL_CERT_FILE or the system's, "system" for the system's alone, else a
    file in PEM form that counts beside them. With `trusted_keys` (minisign's public keys) packs
    and sources must be signed by one of them. `found_elsewhere`: a digest of the other programs'
    models to whose offer somebody said "not now". `isolate` runs models in a process of their own.
    `keep_states`: what a model has read of a chat is kept on the disk until the chat is deleted.
    `pool_servers` (host:port) are other machines that lend their memory by llama.cpp's RPC, with
    `pool_anywhere` outside of one's own network too. After `idle_minutes` a model that nobody
    uses is unloaded, but for the last one; 0 keeps all as long as there is room.
    """

    language: Literal["auto", "de", "en"] = "auto"
    theme: Literal["auto", "light", "dark"] = "auto"
    offline: bool = False
    last_model: str = "guide"
    context_tokens: int = 0
    threads: int = 0
    seen_welcome: bool = False
    window_geometry: str = ""
    models_folder: str = ""
    more_folders: tuple[str, ...] = ()
    download_limit_bytes_per_s: int = 0
    download_unmetered_only: bool = False
    downloads_at_once: int = 1
    sources: tuple[str, ...] = ()
    trusted_keys: tuple[str, ...] = ()
    certificates: str = ""
    found_elsewhere: str = ""
    isolate: bool = False
    keep_states: bool = True
    pool_servers: tuple[str, ...] = ()
    pool_anywhere: bool = False
    idle_minutes: int = 15


_MOST = {
    "context_tokens": 1 << 24,
    "threads": 512,
    "downloads_at_once": 8,
    "idle_minutes": 7 * 24 * 60,
}  # more would be refused at every opening
_MOST_OF_ALL = 1 << 53  # what every JSON reader keeps exactly


class SettingsStore:
    """Reads and writes the settings file; keys that this version does not know are kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._unknown: dict[str, Any] = {}
        self._was_offline = False
        self._last = Settings()
        self.problem: HausgeistError | None = None

    def load(self) -> Settings:
        """The stored settings; a broken file is kept aside and `problem` says so."""
        with self._lock:
            self.problem = None
            self._unknown = {}
            try:
                document = json.loads(self._path.read_bytes())
                if not isinstance(document, dict):
                    raise ValueError("not an object")
            except FileNotFoundError:
                return Settings()
            except (ValueError, RecursionError) as error:
                self.problem = self._keep_aside(error)
                return Settings()
            except OSError as error:
                self.problem = storage_error(error, self._path, reading=True)
                return Settings()
            settings, self._unknown, self.problem = self._from_document(document)
            self._last = settings
            return settings

    def now(self) -> Settings:
        """The settings as they stand in the file now, which another program may be writing.

        Touches nothing; while the file cannot be read, what was read last. Never raises.
        """
        with self._lock:
            return self._now()[0]

    def update(self, **values: Any) -> Settings:
        """Change these settings and no others, whoever has changed some in the meantime.

        Raises StorageError as `save`; then nothing has changed.
        """
        with self._lock:
            before, unknown = self._now()
            settings = replace(before, **values)
            self._write(settings, unknown)
            return settings

    def is_offline(self) -> bool:
        """The offline switch as it stands in the file now, asked before every connection.

        Touches nothing. What is no clear "false" counts as offline, and a file that cannot be read
        changes nothing: a mistake must not open the door.
        """
        with self._lock:
            try:
                document = json.loads(self._path.read_bytes())
            except FileNotFoundError:
                return False
            except (OSError, ValueError, RecursionError):
                return self._was_offline
            if isinstance(document, dict):
                self._was_offline = document.get("offline", False) is not False
            return self._was_offline

    def certificates(self) -> str:
        """The setting of that name as it stands in the file now; touches nothing."""
        with self._lock:
            try:
                document = json.loads(self._path.read_bytes())
            except (OSError, ValueError, RecursionError):  # `load` tells of it
                return ""
        found = document.get("certificates", "") if isinstance(document, dict) else ""
        return found if isinstance(found, str) else ""

    def save(self, settings: Settings) -> None:
        """Write atomically; raises StorageError (disk_full, read_only, storage)."""
        with self._lock:
            self._write(settings, self._unknown)

    def _write(self, settings: Settings, unknown: dict[str, Any]) -> None:
        document = {**unknown, **asdict(settings)}
        text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        write_atomic(self._path, text.encode("utf-8", "backslashreplace"))
        self._last, self._unknown = settings, unknown

    def _now(self) -> tuple[Settings, dict[str, Any]]:
        try:
            document = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return Settings(), {}
        except (OSError, ValueError, RecursionError):  # half written by somebody; `load` tells
            return self._last, self._unknown
        if not isinstance(document, dict):
            return self._last, self._unknown
        settings, unknown, _ = self._from_document(document)
        self._last = settings
        return settings, unknown

    def _from_document(
        self, document: dict[str, Any]
    ) -> tuple[Settings, dict[str, Any], StorageError | None]:
        """Good values are taken one by one, so that one typo costs one setting and not all.

        Returns them, what this version does not know, and the problem.
        """
        hints = get_type_hints(Settings)
        known = {field.name for field in fields(Settings)}
        unknown = {key: value for key, value in document.items() if key not in known}
        problem = None
        good: dict[str, Any] = {}
        bad: list[str] = []
        for name in sorted(known & document.keys()):
            if _fits(name, document[name], hints[name]):
                value = document[name]
                good[name] = tuple(value) if isinstance(value, list) else value
            else:
                bad.append(name)
        if bad:
            names = ", ".join(bad)
            problem = StorageError("setting_unusable", path=str(self._path), names=names)
        return Settings(**good), unknown, problem

    def _keep_aside(self, error: Exception) -> StorageError:
        kept = free_name(self._path, "broken")
        try:
            self._path.rename(kept)
        except OSError as failed:
            return storage_error(failed, self._path)
        return StorageError(
            "settings_damaged", path=str(self._path), kept_as=str(kept), detail=str(error)
        )


def _fits(name: str, value: Any, hint: Any) -> bool:
    if get_origin(hint) is tuple:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    choices = get_args(hint)
    if choices:
        return value in choices
    if hint is int:
        return type(value) is int and 0 <= value <= _MOST.get(name, _MOST_OF_ALL)
    return type(value) is hint
