"""Threads for questions to the network: a new one need not wait until an old one gives up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from desktop.common.errors import HausgeistError
from desktop.ui.bridge import Bridge

T = TypeVar("T")

MOST = 4


class Lanes:
    """Up to `MOST` lanes of the bridge, named `name`-0 and so on; the least busy one works."""

    def __init__(self, bridge: Bridge, name: str) -> None:
        self._bridge = bridge
        self._name = name
        self._busy = [0] * MOST

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[HausgeistError], None],
    ) -> None:
        """As `Bridge.run`."""
        lane = self._busy.index(min(self._busy))
        self._busy[lane] += 1

        def ended(result: T) -> None:
            self._busy[lane] -= 1
            done(result)

        def broke(error: HausgeistError) -> None:
            self._busy[lane] -= 1
            failed(error)

        self._bridge.run(f"{self._name}-{lane}", work, ended, broke)
