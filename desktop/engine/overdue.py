"""Something that must happen soon, or else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


class Overdue:
    """Calls `act` once, in a thread of its own, if what was expected takes longer than `limit_s`.

    The thread is there only while something is expected.
    """

    def __init__(self, limit_s: float, act: Callable[[], None]) -> None:
        self._limit_s = limit_s
        self._act = act
        self._due: dict[Any, float] = {}  # in the order of their time, since all have one limit
        self._changed = threading.Condition()
        self._watching = False

    def expect(self, key: Any) -> None:
        with self._changed:
            self._due.setdefault(key, time.monotonic() + self._limit_s)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="overdue", daemon=True).start()

    def settle(self, key: Any) -> None:
        """It has happened; harmless for what nobody expects."""
        with self._changed:
            if self._due.pop(key, None) is not None and not self._due:
                self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while self._due:
                left_s = next(iter(self._due.values())) - time.monotonic()
                if left_s <= 0:
                    self._due.clear()
                    self._watching = False
                    break
                self._changed.wait(left_s)
            else:
                self._watching = False
                return
        self._act()
