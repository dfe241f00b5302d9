"""Something that must happen soon, or else."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable


class Overdue:
    """Calls `act` once, in a thread of its own, if what was expected is still open after `limit_s`.

    `expect` takes no lock, so that it may be called while Python collects its garbage.
    """

    def __init__(
        self, limit_s: float, is_open: Callable[[int], bool], act: Callable[[], None]
    ) -> None:
        self._limit_s = limit_s
        self._is_open = is_open
        self._act = act
        self._expected: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="overdue", daemon=True)
        self._thread.start()

    def expect(self, key: int) -> None:
        self._expected.put((key, time.monotonic() + self._limit_s))

    def close(self) -> None:
        self._closed.set()
        self._expected.put(None)
        self._thread.join()

    def _watch(self) -> None:
        # All have one limit, so they fall due in the order in which they came.
        while (entry := self._expected.get()) is not None:
            key, due = entry
            if self._closed.wait(max(0.0, due - time.monotonic())):
                return
            if self._is_open(key):
                self._act()
                return
