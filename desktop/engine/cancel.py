"""A wish to stop something that blocks, from any thread."""

from __future__ import annotations

import threading

from desktop.common.errors import CancelledError


class CancelToken:
    """Set once by whoever wants to stop; read by whoever works."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise CancelledError once `cancel` was called."""
        if self._event.is_set():
            raise CancelledError
