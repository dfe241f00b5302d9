"""An engine on other machines: its connections are noted until it is closed."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from desktop.common.ledger import OK
from desktop.engine.engine import Engine
from desktop.services.pool import Pool, PoolLine
from desktop.services.wrapped_engine import WrappedEngine


class PooledEngine(WrappedEngine):
    """See `Engine`. `lines` are what `Pool.begin` gave for its servers."""

    def __init__(self, engine: Engine, pool: Pool, lines: Sequence[PoolLine]) -> None:
        super().__init__(engine)
        self._pool = pool
        self._lines = tuple(lines)
        self._lock = threading.Lock()

    def close(self) -> None:
        outcome = OK if self._engine.alive else "pool_server_gone"
        self._engine.close()
        with self._lock:
            lines, self._lines = self._lines, ()
        self._pool.end(lines, outcome)
