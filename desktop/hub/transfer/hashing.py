"""The file's SHA-256, computed behind the download's back: as far as it is there without a gap."""

from __future__ import annotations

import hashlib
import threading

from desktop.common.errors import HausgeistError
from desktop.hub.transfer.part_file import PartFile

_BLOCK_BYTES = 1 << 20
_MARK_BYTES = 16 << 20
_LOOK_EVERY_S = 0.05
_OFFERED_BYTES = 16 << 20  # kept in memory at most, so near to where the hash is


class FollowingHash(threading.Thread):
    """Vouches for what is on the disk: hashes bytes that were written, as they were offered or, if
    it is behind or they came out of order, read back. Close it at the end."""

    def __init__(self, part: PartFile) -> None:
        super().__init__(name="transfer-hash", daemon=True)
        self._part = part
        self._lock = threading.Lock()
        self._offering = threading.Lock()
        self._hash = hashlib.sha256()
        self._marks = [(0, self._hash.copy())]  # to go back to, where bytes are replaced
        self._position = 0
        self._offered: dict[int, bytes] = {}
        self._offered_bytes = 0
        self._closed = False
        self._work = threading.Event()
        self.error: HausgeistError | None = None

    @property
    def position(self) -> int:
        """How far it has come."""
        return self._position

    def digest(self) -> str | None:
        """Of the whole file; None as long as it has not come that far."""
        with self._lock:
            if self._position < self._part.size_bytes:
                return None
            return self._hash.hexdigest()

    def offer(self, offset: int, data: bytes) -> None:
        """These bytes were written there just now: so they need not be read.

        Older ones that they replace are forgotten: of two connections the last to write counts.
        """
        end = offset + len(data)
        with self._offering:
            for at in [at for at in self._offered if at < end]:
                if offset < at + len(self._offered[at]):
                    self._offered_bytes -= len(self._offered.pop(at))
            if (
                offset < self._position + _OFFERED_BYTES
                and self._offered_bytes + len(data) <= _OFFERED_BYTES
            ):
                self._offered[offset] = data
                self._offered_bytes += len(data)

    def rewind(self, offset: int) -> None:
        """What lies from `offset` on was changed."""
        with self._lock:
            with self._offering:
                self._offered.clear()
                self._offered_bytes = 0
            while self._marks[-1][0] > offset:
                self._marks.pop()
            if offset < self._position:
                self._position, kept = self._marks[-1]
                self._hash = kept.copy()
        self._work.set()

    def wake(self) -> None:
        """There is more."""
        self._work.set()

    def close(self) -> None:
        self._closed = True
        self._work.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        while not self._closed:
            try:
                if not self._step():
                    self._work.wait(_LOOK_EVERY_S)
                    self._work.clear()
            except HausgeistError as error:
                self.error = error
                return

    def _step(self) -> bool:
        """The next block; whether there was one."""
        with self._lock:
            at = self._position
            n = min(_BLOCK_BYTES, self._part.front - at)
            if n <= 0:
                return False
            data = self._take(at, n) or self._part.read(at, n)
            if not data:
                return False
            self._hash.update(data)
            self._position = at + len(data)
            if self._position - self._marks[-1][0] >= _MARK_BYTES:
                self._marks.append((self._position, self._hash.copy()))
        return True

    def _take(self, at: int, n: int) -> bytes:
        """What was offered for `at`, if it is there as a whole; what lies before is of no use."""
        with self._offering:
            found = self._offered.pop(at, b"")
            self._offered_bytes -= len(found)
            for offset in [offset for offset in self._offered if offset < at]:
                self._offered_bytes -= len(self._offered.pop(offset))
        return found if len(found) <= n else b""
