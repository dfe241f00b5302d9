"""Whether this computer's way out is paid by volume, as far as its system knows."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

from desktop.common.logs import get_logger

_ASK_EVERY_S = 10.0
_TIMEOUT_S = 2.0
# org.freedesktop.NetworkManager's NMMetered: 1 yes, 2 no, 3 probably yes, 4 probably no.
_NETWORK_MANAGER = (
    "busctl",
    "--system",
    "get-property",
    "org.freedesktop.NetworkManager",
    "/org/freedesktop/NetworkManager",
    "org.freedesktop.NetworkManager",
    "Metered",
)
_ANSWERS = {"u 1": True, "u 3": True, "u 2": False, "u 4": False}

_log = get_logger("hub")


def is_metered() -> bool | None:
    """Asked of NetworkManager under Linux, of the cost manager under Windows; None: not known.

    May take two seconds.
    """
    if sys.platform == "win32":
        from desktop.hub.metered_windows import is_metered as ask_windows

        return ask_windows()
    elif sys.platform == "linux":  # noqa: RET505  (mypy knows one system at a time)
        return _ask_network_manager()
    else:
        return None  # macOS tells nobody but its own networking classes


def _ask_network_manager() -> bool | None:
    try:
        done = subprocess.run(
            _NETWORK_MANAGER, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        _log.info("metered or not: %s", error)
        return None
    return _ANSWERS.get(done.stdout.strip())


class MeteredWatch:
    """What `is_metered` said last; asks anew in a thread of its own, and only while it is asked."""

    def __init__(
        self,
        ask: Callable[[], bool | None] = is_metered,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_s: float | None = None
        self._answer: bool | None = None

    def __call__(self) -> bool:
        """Whether the line is known to be metered; never waits but for the first answer."""
        now = self._clock()
        with self._lock:
            is_first = self._asked_s is None
            if self._asked_s is not None and now - self._asked_s < _ASK_EVERY_S:
                return self._answer is True
            self._asked_s = now
        if is_first:
            self._renew()
        else:
            threading.Thread(target=self._renew, name="metered", daemon=True).start()
        return self._answer is True

    def _renew(self) -> None:
        self._answer = self._ask()
