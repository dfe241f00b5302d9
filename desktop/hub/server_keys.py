"""The keys of model servers: in the system's keyring wherever there is one, never in settings."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, TypeVar

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.locks import file_lock
from desktop.common.storage import storage_error
from desktop.hub.keyring import (
    KEYRING_WAIT_S,
    SERVICE,
    Keyring,
    answer_of,
    delete,
    started,
    system_keyring,
)

KeyPlace = Literal["", "keyring", "file"]

T = TypeVar("T")


class ServerKeys:
    """Any thread may ask. A key belongs to a server's name and its origin (``https://host``):
    who changes the address must enter it again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        find_keyring: Callable[[], Keyring | None] | None = None,
        wait_s: float = KEYRING_WAIT_S,
    ) -> None:
        """`folder` is the app's own for data; nothing is read before somebody asks."""
        self._file = folder / "server-keys"
        self._lock_file = folder / ".server-keys.lock"
        self._place = blake2b(str(folder).encode("utf-8", "replace"), digest_size=4).hexdigest()
        self._find_keyring = find_keyring or (lambda: system_keyring())
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def key(self, name: str, origin: str, place: KeyPlace) -> str:
        """The key that was kept at `place`; "" for no place.

        Raises StorageError: keyring_locked, server_key_lost.
        """
        if not place:
            return ""
        user = self._user(name, origin)
        with self._lock:
            if user not in self._known:
                found = self._in_file().get(user) if place == "file" else self._in_keyring(user)
                if not found:
                    raise StorageError("server_key_lost", server=name)
                self._known[user] = found
            return self._known[user]

    def save(self, name: str, origin: str, key: str) -> KeyPlace:
        """Keep `key`, in a file only where there is no keyring; returns where.

        Raises StorageError: keyring_locked, and where nothing can be written.
        """
        user = self._user(name, origin)
        with self._lock:
            place = self.keeps_in()
            if place == "keyring":
                self._ask(lambda keyring: keyring.set_password(SERVICE, user, key))
            else:
                self._change_file(lambda keys: keys | {user: key})
            self._known[user] = key
            return place

    def forget(self, name: str, origin: str, place: KeyPlace) -> None:
        """Raises StorageError."""
        user = self._user(name, origin)
        with self._lock:
            if place == "keyring":
                self._ask(lambda keyring: delete(keyring, user))
            elif place == "file":
                self._change_file(lambda keys: {k: v for k, v in keys.items() if k != user})
            self._known.pop(user, None)

    def keeps_in(self) -> Literal["keyring", "file"]:
        """Where a new key would be kept. Raises StorageError("keyring_locked")."""
        found = answer_of(started(self._find_keyring), self._wait_s)
        return "file" if found is None else "keyring"

    def _user(self, name: str, origin: str) -> str:
        """As the keyring's own window shows it; two homes on one computer have two keys."""
        return f"{name}: {origin} ({self._place})"

    def _in_keyring(self, user: str) -> str:
        return self._ask(lambda keyring: keyring.get_password(SERVICE, user)) or ""

    def _ask(self, work: Callable[[Keyring], T]) -> T:
        def with_keyring() -> T:
            keyring = self._find_keyring()
            if keyring is None:
                raise StorageError("keyring_locked", detail="gone")
            return work(keyring)

        return answer_of(started(with_keyring), self._wait_s)

    def _in_file(self) -> dict[str, str]:
        try:
            found: Any = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise storage_error(error, self._file, reading=True) from error
        except (ValueError, RecursionError):
            return {}
        entries = found.items() if isinstance(found, dict) else ()
        return {name: key for name, key in entries if isinstance(key, str)}

    def _change_file(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        with file_lock(self._lock_file):
            keys = change(self._in_file())
            if keys:
                write_atomic(self._file, json.dumps(keys).encode())  # temporary files are 0600
                return
            try:
                self._file.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, self._file) from error
