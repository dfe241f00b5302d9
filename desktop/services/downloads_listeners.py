"""Who is told of the queue, and how often."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from desktop.services.downloads_entry import Download

Listener = Callable[[tuple[Download, ...]], None]

FIGURES_EVERY_S = 0.25


class Listeners:
    """News at once, mere figures four times a second at most."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._has_news = False
        self._has_figures = False
        self._told_at = 0.0

    def add(self, listener: Listener) -> Callable[[], None]:
        """Returns what ends it."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock, contextlib.suppress(ValueError):  # ended twice
                self._listeners.remove(listener)

        return end

    def note(self, *, is_news: bool) -> None:
        """There is something to tell."""
        if is_news:
            self._has_news = True
        else:
            self._has_figures = True

    def due_s(self) -> float | None:
        """In how many seconds something is to be told; None: nothing."""
        if self._has_news:
            return 0.0
        if not self._has_figures:
            return None
        return max(0.0, self._told_at + FIGURES_EVERY_S - self._clock())

    def tell(self, queue: Callable[[], tuple[Download, ...]]) -> None:
        """If it is time."""
        if self.due_s() != 0.0:
            return
        with self._lock:
            self._has_news = self._has_figures = False
            self._told_at = self._clock()
            listeners = list(self._listeners)
        shown = queue()
        for listener in listeners:
            listener(shown)
