"""How far a pack is, for whoever watches; and the wish to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from desktop.common.errors import CancelledError

State = Literal["hashing", "writing", "reading", "checking", "placing"]

EVERY_S = 0.25
_REMEMBERED_S = 5.0


@dataclass(frozen=True, slots=True)
class PackProgress:
    """`name` is the file that is worked on; `left_s` None where nobody can say."""

    state: State
    name: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float = 0.0
    left_s: float | None = None


OnProgress = Callable[[PackProgress], None]


class Meter:
    """Counts bytes, tells of them four times a second, and ends the work when somebody asks."""

    def __init__(
        self,
        total_bytes: int,
        on_progress: OnProgress | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total_bytes = total_bytes
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled
        self._clock = clock
        self._done_bytes = 0
        self._told_s: float | None = None
        self._marks: list[tuple[float, int]] = []
        self._state: State = "reading"
        self._name = ""

    @property
    def done_bytes(self) -> int:
        return self._done_bytes

    def begin(self, state: State, name: str) -> None:
        """What follows is another kind of work, or another file."""
        if state != self._state:
            self._marks.clear()
        self._state, self._name = state, name
        self.add(0)

    def add(self, n: int) -> None:
        """`n` more bytes are done. Raises CancelledError."""
        if self._is_cancelled is not None and self._is_cancelled():
            raise CancelledError
        self._done_bytes += n
        now = self._clock()
        if self._told_s is None or now - self._told_s >= EVERY_S:
            self._tell(now)

    def finish(self) -> None:
        """All is done: said whatever the time."""
        self._done_bytes = self._total_bytes
        self._tell(self._clock())

    def _tell(self, now: float) -> None:
        self._told_s = now
        self._marks.append((now, self._done_bytes))
        while len(self._marks) > 2 and now - self._marks[0][0] > _REMEMBERED_S:
            self._marks.pop(0)
        if self._on_progress is None:
            return
        (then, done), left = self._marks[0], self._total_bytes - self._done_bytes
        speed = (self._done_bytes - done) / (now - then) if now > then else 0.0
        self._on_progress(
            PackProgress(
                state=self._state,
                name=self._name,
                done_bytes=self._done_bytes,
                total_bytes=self._total_bytes,
                bytes_per_s=speed,
                left_s=max(0, left) / speed if speed > 0 else None,
            )
        )
