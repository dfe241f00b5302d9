"""The threads of the queue: one for each thing that takes its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Workers:
    """Daemons: a file system that hangs must not keep the closed app alive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="download", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for all of them together, no longer than that."""
        end = time.monotonic() + timeout_s
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
