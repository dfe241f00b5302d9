"""Who fetches what: the missing bytes of a file, dealt out in pieces, in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from desktop.hub.transfer.extents import Extents

MIN_PIECE_BYTES = 1 << 20
MAX_PIECE_BYTES = 512 << 20
_PIECE_S = 6.0  # of a connection's time
_WORTH_SPLITTING_S = 1.0


class Claim:
    """A range that one connection fetches. `at` is the next byte; `end` may come nearer, when
    another connection takes over the rest."""

    __slots__ = (
        "asked_at",
        "at",
        "end",
        "is_answered",
        "shut",
        "since",
        "start",
        "started_at",
        "stopped",
        "worker",
    )

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.at = start
        self.end = end
        self.started_at = time.monotonic()
        self.shut: Callable[[], None] | None = None
        self.stopped = False
        self.asked_at = self.started_at
        self.is_answered = False
        self.worker: threading.Thread | None = None
        self.since = (self.started_at, start)  # for the watch over slow connections

    @property
    def rest_bytes(self) -> int:
        return max(0, self.end - self.at)

    def stop(self) -> None:
        """End its connection; from any thread."""
        self.stopped = True
        shut = self.shut
        if shut is not None:
            shut()


class Claims:
    """Any thread. `there()` is a copy of what needs no fetching."""

    def __init__(
        self,
        there: Callable[[], Extents],
        size_bytes: int,
        *,
        connections: int,
        most_bytes: int = MAX_PIECE_BYTES,
    ) -> None:
        """`connections`: how many share the work; change it as they come and go. `most_bytes`: no
        piece is larger."""
        self._most_bytes = most_bytes
        self._there = there
        self._size_bytes = size_bytes
        self._lock = threading.Lock()
        self._active: list[Claim] = []
        self.connections = connections
        self.bytes_per_s = 0.0  # of one connection, as known so far
        self.answer_s = 0.0  # how long an answer took to begin

    @property
    def active(self) -> list[Claim]:
        with self._lock:
            return list(self._active)

    def next(self) -> Claim | None:
        """The next range to fetch, None if there is none."""
        with self._lock:
            taken = self._there()
            left = self._size_bytes - taken.total_bytes
            for claim in self._active:
                taken.add(claim.at, claim.end)
            for start, end in taken.gaps(self._size_bytes):
                claim = Claim(start, min(end, start + self._piece_bytes(left)))
                self._active.append(claim)
                return claim
            return self._split()

    def extend(self, claim: Claim) -> None:
        """A host gave more than was asked for: take it, up to what is there or on its way."""
        with self._lock:
            taken = self._there()
            for other in self._active:
                if other is not claim:
                    taken.add(other.at, other.end)
            for start, end in taken.gaps(self._size_bytes):
                if start <= claim.at < end:
                    claim.end = max(claim.end, end)

    def halt(self) -> None:
        """End all connections; what they were to fetch is free again."""
        with self._lock:
            halted, self._active = self._active, []
        for claim in halted:
            claim.stop()

    def release(self, claim: Claim) -> None:
        with self._lock:
            if claim in self._active:
                self._active.remove(claim)

    def _piece_bytes(self, left: int) -> int:
        """A few seconds' work, near the end a fair share, so that all connections end together."""
        share = left // self.connections
        usual = int(self.bytes_per_s * _PIECE_S) or 4 * MIN_PIECE_BYTES
        return max(MIN_PIECE_BYTES, min(share, usual, self._most_bytes))

    def _split(self) -> Claim | None:
        """Half of what the farthest behind has still to do; all of it where it hardly moves."""
        now = time.monotonic()
        longest, worst_s, is_stuck = None, _WORTH_SPLITTING_S, False
        for claim in self._active:
            spent_s = now - claim.started_at
            if claim.shut is None and claim.at == claim.start:
                # No answer yet; others had theirs soon.
                if spent_s > _WORTH_SPLITTING_S + 4 * self.answer_s:
                    longest, is_stuck = claim, True
                    break
                continue
            speed = (claim.at - claim.start) / spent_s if spent_s > 0 else 0.0
            needs_s = claim.rest_bytes / max(speed, 1.0)
            if spent_s > _WORTH_SPLITTING_S and needs_s > worst_s:
                longest, worst_s = claim, needs_s
                is_stuck = speed < self.bytes_per_s / 4
        if longest is None:
            return None
        if is_stuck:
            self._active.remove(longest)
            taken_over = Claim(longest.at, longest.end)
            longest.stop()
        elif longest.rest_bytes > MIN_PIECE_BYTES // 4:
            half = longest.at + longest.rest_bytes // 2
            taken_over = Claim(half, longest.end)
            longest.end = half
        else:
            return None
        self._active.append(taken_over)
        return taken_over
