"""One range on its way into the file: where its bytes lie, proved as far as possible."""

from __future__ import annotations

import time
from collections.abc import Callable

from desktop.common.errors import CancelledError, HubError
from desktop.hub.answer import Answer
from desktop.hub.transfer.claims import Claim

SEAM_BYTES = 1024
"""How many known bytes are asked for again where a range begins: a shifted answer shows."""
_FLUSH_BYTES = 256 << 10
_FLUSH_S = 0.1

Store = Callable[[int, bytes], None]


class EnoughError(CancelledError):
    """The rest of an answer is not wanted (any more)."""


class SeamError(HubError):
    """What came does not continue what is there."""

    default_kind = "hub_inconsistent"


class Reception:
    """A `source.Receiver` for one claim. `seam` are the bytes right before it, if known."""

    def __init__(
        self,
        claim: Claim,
        seam: bytes,
        store: Store,
        *,
        pause: Callable[[int], None],
        on_start: Callable[[], None],
    ) -> None:
        """`store` writes what came; `pause` is called with every number of bytes that came and may
        wait (the bandwidth's limit); `on_start` hears that a good answer begins."""
        self._claim = claim
        self._seam = seam
        self._store = store
        self._pause = pause
        self._on_start = on_start
        self._asked_end = claim.end
        self._position = self.start
        self._skips = bool(seam)
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._flushed_s = time.monotonic()
        self.skipped_bytes = 0

    @property
    def start(self) -> int:
        return self._claim.at - len(self._seam)

    @property
    def end(self) -> int:
        return self._asked_end

    def opened(self, shut: Callable[[], None]) -> None:
        self._claim.shut = shut
        if self._claim.stopped:
            raise EnoughError

    def placed(self, at: int, *, is_sure: bool) -> None:
        if not is_sure and not self._seam and at > 0:
            raise SeamError(detail="no place given")
        if at > self._claim.at:
            raise SeamError(detail=f"begins at {at}, not {self.start}")
        self._position = at
        self._skips = at < self._claim.at

    def begin(self, _head: Answer) -> None:
        self._on_start()

    def take(self, piece: bytes) -> None:
        if self._claim.at >= self._claim.end:
            raise EnoughError
        self._pause(len(piece))
        if self._skips:
            piece = self._without_known(piece)
        self._pieces.append(piece)
        self._buffered += len(piece)
        if self._claim.stopped:
            raise EnoughError
        if (
            self._buffered >= _FLUSH_BYTES
            or self._claim.at + self._buffered >= self._claim.end
            or time.monotonic() - self._flushed_s > _FLUSH_S
        ):
            self.flush()
            if self._claim.at >= self._claim.end < self._asked_end:
                raise EnoughError

    def flush(self) -> None:
        """Write what came."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._buffered = 0
        self._flushed_s = time.monotonic()
        room = self._claim.end - self._claim.at
        data = data[:room] if len(data) > room else data
        if data:
            self._store(self._claim.at, data)
            self._claim.at += len(data)

    def _without_known(self, piece: bytes) -> bytes:
        """Drop what lies before the claim, once it was compared with what is known of it."""
        at = self._position
        self._position += len(piece)
        self._skips = self._position < self._claim.at
        known_from = self._claim.at - len(self._seam)
        cut = min(self._claim.at - at, len(piece))
        low = max(at, known_from)
        if low < at + cut:
            here = self._seam[low - known_from : at + cut - known_from]
            if piece[low - at : cut] != here:
                raise SeamError(detail=f"other bytes at {low}")
        self.skipped_bytes += cut
        return piece[cut:]
