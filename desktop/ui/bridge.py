"""Where the work of other threads reaches the window: the only place that turns it into signals.

What workers post is collected and handed over at most once every 33 ms, so that a model writing
200 tokens a second costs the window 30 small jobs a second and not 200.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from desktop.common.errors import HausgeistError
from desktop.ui.log import log

T = TypeVar("T")
Batch = list[Any]

FRAME_MS = 33


class Lane:
    """One thread that does its jobs in the order in which they came."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon: a load that hangs in a driver must not keep the closed window alive.
        self._thread = threading.Thread(target=self._work, name=f"lane-{name}", daemon=True)
        self._thread.start()

    def put(self, job: Callable[[], None]) -> None:
        self._jobs.put(job)

    def finish(self, timeout_s: float) -> bool:
        """Let the jobs that wait be done; True when they were within the time."""
        self._jobs.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


class Bridge(QObject):
    """Posts from any thread to functions of the window's thread, and runs work beside it."""

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._posts: deque[tuple[Callable[[Batch], None], Any]] = deque()
        self._lock = threading.Lock()
        self._awake = False
        self._closed = False
        self._lanes: dict[str, Lane] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._frame)
        # Queued also from the window's own thread: a receiver may post, and the lock is held here.
        self._woken.connect(self._wake, Qt.ConnectionType.QueuedConnection)

    def post(self, receiver: Callable[[Batch], None], item: object) -> None:
        """From any thread: have `receiver` called with all items of one frame, in order."""
        with self._lock:
            if self._closed:
                return
            self._posts.append((receiver, item))
            if self._awake:
                return
            self._awake = True
            # Under the lock: close() may not delete this object between the test and the signal.
            self._woken.emit()

    def run(
        self,
        lane: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[HausgeistError], None],
    ) -> None:
        """Do `work` in the thread named `lane`; then call `done` or `failed` in the window's."""

        def job() -> None:
            try:
                result = work()
            except HausgeistError as error:
                self.post(_each(failed), error)
            except Exception as error:  # noqa: BLE001  (the last stop of a thread: logged and told)
                log.exception("work in lane %s failed", lane)
                detail = f"{type(error).__name__}: {error}"
                self.post(_each(failed), HausgeistError("internal", detail=detail))
            else:
                self.post(_each(done), result)

        if lane not in self._lanes:
            self._lanes[lane] = Lane(lane)
        self._lanes[lane].put(job)

    def flush(self) -> None:
        """Hand over at once what has come so far."""
        self._deliver()

    def close(self, timeout_s: float = 2.0) -> None:
        """Take no more posts; let the lanes end the work that waits."""
        with self._lock:
            self._closed = True
        self._timer.stop()
        for name, lane in self._lanes.items():
            if not lane.finish(timeout_s):
                log.warning("lane %s did not end in time", name)
        self._posts.clear()

    def _wake(self) -> None:
        self._deliver()
        self._timer.start()

    def _frame(self) -> None:
        with self._lock:
            if not self._posts:
                self._awake = False
                self._timer.stop()
                return
        self._deliver()

    def _deliver(self) -> None:
        """Call each receiver once with its run of items; what arrives meanwhile waits."""
        for _ in range(len(self._posts)):
            if not self._posts:
                return
            receiver, item = self._posts.popleft()
            batch = [item]
            while self._posts and self._posts[0][0] == receiver:
                batch.append(self._posts.popleft()[1])
            receiver(batch)


def _each(receiver: Callable[[T], None]) -> Callable[[Batch], None]:
    def call(batch: Batch) -> None:
        for item in batch:
            receiver(item)

    return call
