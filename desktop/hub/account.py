"""The user's access token for the Hub: kept by the system's keyring wherever there is one.

A small file says where it lies and for which Hub, so that nobody who has no token waits for a
keyring; the token itself is in that file's neighbour only where the system has no keyring.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, TypeVar

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.logs import get_logger
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

TokenPlace = Literal["environment", "keyring", "file", "none"]

ASK_AGAIN_S = 300.0
"""After a refusal: whoever has just closed the keyring's question is not asked it at each click."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_MAX_NOTE_BYTES = 16 << 10

_log = get_logger("account")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenNote:
    """Where a token lies, for which Hub (``https://huggingface.co``) and whose it is."""

    place: Literal["keyring", "file"]
    origin: str
    user: str = ""


def is_token(text: str) -> bool:
    """Whether `text` can be a token: no spaces, nothing but ASCII."""
    return _TOKEN.fullmatch(text) is not None


class TokenStore:
    """Any thread may ask; a keyring that does not answer within `wait_s` counts as locked."""

    def __init__(
        self,
        folder: Path,
        *,
        find_keyring: Callable[[], Keyring | None] | None = None,
        wait_s: float = KEYRING_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder` is the app's own for data; nothing is read before somebody asks."""
        self._note_path = folder / "account.json"
        self._token_path = folder / "hub-token"
        self._place = blake2b(str(folder).encode("utf-8", "replace"), digest_size=4).hexdigest()
        self._find_keyring = find_keyring or system_keyring
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._clock = clock
        self._token: tuple[str, str] | None = None  # for which Hub, and the token
        self._pending: Future[str | None] | None = None  # a keyring that has not answered yet
        self._silent_until = 0.0
        self.problem: StorageError | None = None

    def note(self) -> TokenNote | None:
        """Where the token lies; None where there is none. Touches no keyring."""
        try:
            with self._note_path.open("rb") as file:
                document = json.loads(file.read(_MAX_NOTE_BYTES))
            return _note_from(document)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            _log.warning("account not readable: %s", error)
            return None

    def token(self, origin: str) -> str | None:
        """The token for the Hub at `origin`; None where there is none, or for another Hub.

        `problem` says why a token that is there could not be read.
        """
        with self._lock:
            note = self.note()
            if note is None or note.origin != origin:
                self._token = None
                return None
            if self._token is None or self._token[0] != origin:
                if self._clock() < self._silent_until:
                    return None
                token = self._read(note)
                if token is None:
                    return None
                self._token = (origin, token)
            return self._token[1]

    def save(self, token: str, origin: str, user: str) -> TokenNote:
        """Keep `token`: in the keyring, in a file only where there is none.

        Raises StorageError: keyring_locked (it did not answer), and where nothing can be written.
        """
        with self._lock:
            note = TokenNote(self.keeps_in(), origin, user)
            if note.place == "keyring":
                self._ask(lambda keyring: keyring.set_password(SERVICE, self._user(origin), token))
                self._token_path.unlink(missing_ok=True)
            else:
                write_atomic(self._token_path, token.encode())  # its temporary files are 0600
            write_atomic(self._note_path, json.dumps(asdict(note)).encode())
            self._settle((origin, token))
            return note

    def forget(self) -> None:
        """Remove the token everywhere. Raises StorageError."""
        with self._lock:
            note = self.note()
            try:
                if note is not None and note.place == "keyring":
                    self._ask(lambda keyring: delete(keyring, self._user(note.origin)))
                self._token_path.unlink(missing_ok=True)
                self._note_path.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, self._token_path) from error
            self._settle(None)

    def keeps_in(self) -> Literal["keyring", "file"]:
        """Where a new token would be kept. Raises StorageError("keyring_locked")."""
        return "keyring" if self._within_time(self._find_keyring) is not None else "file"

    def _read(self, note: TokenNote) -> str | None:
        try:
            if note.place == "file":
                token = self._token_path.read_text("ascii").strip()
            else:
                token = self._from_keyring(note.origin) or ""
        except StorageError as error:
            self.problem = error
            if self._pending is None:
                self._silent_until = self._clock() + ASK_AGAIN_S
            return None
        except (OSError, ValueError) as error:
            self.problem = StorageError("token_lost", path=str(self._token_path), detail=str(error))
            return None
        if not is_token(token):
            self.problem = StorageError("token_lost", path=str(self._token_path))
            return None
        self.problem = None
        return token

    def _from_keyring(self, origin: str) -> str | None:
        """Waited for once; a keyring that answers later (its owner has typed the password) is
        heard at the next question. Raises StorageError."""
        wait_s = 0.0
        if self._pending is None:
            user = self._user(origin)
            self._pending = started(
                lambda: self._with_keyring(lambda keyring: keyring.get_password(SERVICE, user))
            )
            wait_s = self._wait_s
        try:
            found = answer_of(self._pending, wait_s)
        except StorageError:
            if self._pending.done():
                self._pending = None
            raise
        self._pending = None
        return found

    def _settle(self, token: tuple[str, str] | None) -> None:
        """What is known from now on."""
        self._token, self.problem = token, None
        self._pending, self._silent_until = None, 0.0

    def _user(self, origin: str) -> str:
        """As the keyring's own window shows it; two homes on one computer have two tokens."""
        return f"{origin} ({self._place})"

    def _ask(self, work: Callable[[Keyring], T]) -> T:
        return self._within_time(lambda: self._with_keyring(work))

    def _with_keyring(self, work: Callable[[Keyring], T]) -> T:
        keyring = self._find_keyring()
        if keyring is None:
            raise StorageError("keyring_gone")
        return work(keyring)

    def _within_time(self, work: Callable[[], T]) -> T:
        return answer_of(started(work), self._wait_s)


def _note_from(document: Any) -> TokenNote:
    """Raises KeyError, TypeError, ValueError for what this module did not write."""
    place, origin, user = document["place"], document["origin"], document.get("user", "")
    if place not in ("keyring", "file") or not isinstance(origin, str):
        raise ValueError("of another kind")
    return TokenNote(place, origin, user if isinstance(user, str) else "")
