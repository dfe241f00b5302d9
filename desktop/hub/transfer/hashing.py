"""The file's SHA-256, computed behind the download's back: as far as it is there without a gap."""

from __future__ import annotations

import hashlib
import threading

from desktop.common.errors import HausgeistError
from desktop.hub.transfer.part_file import PartFile

_BLOCK_BYTES = 1 << 20
_MARK_BYTES = 16 << 20
_LOOK_EVERY_S = 0.05


class FollowingHash(threading.Thread):
    """Reads what is on the disk, so that it vouches for just that. Close it at the end."""

    def __init__(self, part: PartFile) -> None:
        super().__init__(name="transfer-hash", daemon=True)
        self._part = part
        self._lock = threading.Lock()
        self._hash = hashlib.sha256()
        self._marks = [(0, self._hash.copy())]  # to go back to, where bytes are replaced
        self._position = 0
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

    def rewind(self, offset: int) -> None:
        """What lies from `offset` on was changed."""
        with self._lock:
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
            data = self._part.read(at, n)
            if not data:
                return False
            self._hash.update(data)
            self._position = at + len(data)
            if self._position - self._marks[-1][0] >= _MARK_BYTES:
                self._marks.append((self._position, self._hash.copy()))
        return True
