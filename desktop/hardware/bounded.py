"""Calls into drivers that may never return, given up on in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Generic[T]):
    """A call that runs in a daemon thread of its own.

    A call that hangs in a driver cannot be ended; its thread is left behind and ends with the
    process. (An executor's threads would be waited for at exit.)
    """

    def __init__(self, call: Callable[[], T], name: str) -> None:
        self._future: Future[T] = Future()
        self._call = call
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self._future.set_result(self._call())
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that waits)
            self._future.set_exception(error)

    def result(self, deadline: float) -> T:
        """The call's result or exception; TimeoutError at `deadline` (of `time.monotonic`)."""
        return self._future.result(timeout=max(0.0, deadline - time.monotonic()))

    def wait(self, deadline: float) -> bool:
        """Whether the call has ended, at the latest at `deadline` (of `time.monotonic`)."""
        done, _ = wait([self._future], timeout=max(0.0, deadline - time.monotonic()))
        return bool(done)
