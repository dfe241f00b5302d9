"""The system's keyring, asked without waiting for ever: its owner may be asked for a password."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from desktop.common.errors import HausgeistError, StorageError

SERVICE = "hausgeist"
KEYRING_WAIT_S = 5.0
"""A locked keyring may ask its owner and wait for ever; nobody else shall."""

T = TypeVar("T")


class Keyring(Protocol):
    """What is used of the keyring package's backends."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def system_keyring() -> Keyring | None:
    """The keyring of this system (KWallet, GNOME's, Windows', macOS'); None where there is none."""
    import keyring  # 0.2 s that only people with a token or a key spend
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    if isinstance(backend, fail.Keyring | null.Keyring):
        return None
    return backend


def started(work: Callable[[], T]) -> Future[T]:
    """In a thread of its own, because a locked keyring waits for its owner's password."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  (looked at where it is waited for)
            future.set_exception(error)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    return future


def answer_of(future: Future[T], wait_s: float) -> T:
    """Raises StorageError: keyring_locked, and what the work itself raises."""
    try:
        failed = future.exception(timeout=wait_s)
    except TimeoutError:
        raise StorageError("keyring_locked") from None
    if isinstance(failed, HausgeistError):
        raise failed
    if failed is not None:  # each desktop has its own errors, and each means the same to us
        raise StorageError("keyring_locked", detail=f"{failed!r:.300}") from failed
    return future.result()


def delete(keyring: Keyring, user: str) -> None:
    """What is not there any more needs no removal."""
    if keyring.get_password(SERVICE, user) is not None:
        keyring.delete_password(SERVICE, user)
