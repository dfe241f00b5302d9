"""Ctrl+C in the terminal and the system's request to end: the window closes as by its button."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier

_ENDING = (signal.SIGINT, signal.SIGTERM)


class QuitSignals(QObject):
    """Python hears a signal only while it runs; Qt's loop is woken through a socket to let it."""

    def __init__(self, on_quit: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._on_quit = on_quit
        self._here, there = socket.socketpair()
        self._there = there
        for end in (self._here, there):
            end.settimeout(0)
        self._notifier = QSocketNotifier(self._here.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)
        self._wakeup_before = signal.set_wakeup_fd(there.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._ignore) for number in _ENDING}

    def release(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._notifier.setEnabled(False)
        self._here.close()
        self._there.close()

    def _ignore(self, _number: int, _frame: FrameType | None) -> None:
        """The wake-up carries the number; there is nothing to do in here."""

    def _woken(self) -> None:
        if any(number in _ENDING for number in self._here.recv(64)):
            self._on_quit()
