"""How long to go on trying: faults that pass are waited for, others end it soon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from desktop.common.errors import HausgeistError, NetworkError, StorageError

PATIENCE_S = 20.0
_PAUSES_S = (0.0, 0.3, 0.7, 1.5, 2.5)
_LONG_PAUSE_S = 3.0
_MOST_ASKED_S = (
    90.0  # a break that a busy Hub asks for and gets; a longer one is the user's to take
)
_ASKED_TIMES = 2

# Nothing that happens by itself within seconds changes these.
_FINAL = frozenset(
    (
        "offline_environment",
        "offline_setting",
        "bad_address",
        "bad_token",
        "bad_endpoint",
        "proxy_unusable",
        "proxy_needs_login",
        "cert_file_unreadable",
        "tls_untrusted",
        "hub_no_repo",
        "hub_no_file",
        "hub_no_revision",
        "hub_gated",
        "hub_token_access",
        "hub_waiting",
        "hub_token_refused",
        "hub_refused",
        "hub_forbidden",
        "hub_changed",
        "hub_file_incomplete",
    )
)


class Patience:
    """Shared by all connections of a transfer: as long as one gets on, nothing is lost."""

    def __init__(
        self, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience_s = patience_s
        self._scale = patience_s / PATIENCE_S
        self._clock = clock
        self._lock = threading.Lock()
        self._last = clock()
        self._asked = 0

    def progressed(self) -> None:
        """Something came."""
        self._last = self._clock()
        self._asked = 0

    @property
    def idle_s(self) -> float:
        return self._clock() - self._last

    def pause_s(self, error: HausgeistError, failures: int) -> float | None:
        """How long to wait after the failure number `failures` (from 1) in a row of one
        connection; None: give up, and `error` is why."""
        if isinstance(error, StorageError) or not isinstance(error, NetworkError):
            return None
        if error.kind in _FINAL:
            return None
        if error.kind == "hub_busy":
            return self._break_s(error)
        if self.idle_s >= self._patience_s:
            return None
        pause_s = _PAUSES_S[failures - 1] if failures <= len(_PAUSES_S) else _LONG_PAUSE_S
        return pause_s * self._scale

    def _break_s(self, error: NetworkError) -> float | None:
        """A busy Hub says how long it wants to be left alone."""
        asked = error.params.get("wait_s", 0.0)
        wait_s = float(asked) if isinstance(asked, int | float) else 0.0
        with self._lock:
            if _LONG_PAUSE_S * self._scale < wait_s <= _MOST_ASKED_S and self._asked < _ASKED_TIMES:
                self._asked += 1
                self._last = max(self._last, self._clock() + wait_s - self._patience_s / 2)
                return wait_s
        if self.idle_s >= self._patience_s:
            return None
        # Perhaps it is another of its machines that answers next time.
        return min(wait_s, 2 * _LONG_PAUSE_S * self._scale)
