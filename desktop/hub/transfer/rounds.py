"""What a pass over a file does with the bytes that come: fill its gaps, or find what is wrong."""

from __future__ import annotations

import threading
from typing import Protocol

from desktop.hub.transfer.claims import MAX_PIECE_BYTES, MIN_PIECE_BYTES
from desktop.hub.transfer.extents import Extents
from desktop.hub.transfer.hashing import FollowingHash
from desktop.hub.transfer.part_file import PartFile

_DOUBTED_BYTES = 4 << 20


class Round(Protocol):
    """One pass; any thread may `store`."""

    part: PartFile
    changed_bytes: int
    piece_bytes: int

    def there(self) -> Extents:
        """A copy of what needs no fetching (any more)."""
        ...

    def store(self, offset: int, data: bytes) -> None: ...

    def seam(self, offset: int, n: int, /) -> bytes:
        """The known bytes right before `offset`; empty if they are not known."""
        ...

    def distrust_before(self, offset: int, /) -> None:
        """What lies right before `offset` is contradicted again and again."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether nothing is left to fetch."""
        ...

    @property
    def is_on_hold(self) -> bool:
        """Whether what is known soon may make further fetching needless."""
        ...

    def is_done(self, wanted: str, /) -> bool:
        """Whether the hash of the file is known and no more can change, or it is the `wanted`."""
        ...


class FillRound:
    """Fetches what is missing."""

    def __init__(self, part: PartFile, hashed: FollowingHash) -> None:
        self.part = part
        self.changed_bytes = 0
        self.piece_bytes = MAX_PIECE_BYTES
        self._hashed = hashed

    def there(self) -> Extents:
        return self.part.extents()

    def store(self, offset: int, data: bytes) -> None:
        is_late = offset < self._hashed.position  # another's bytes were hashed in its place
        self.part.write(offset, data)
        if is_late:
            self._hashed.rewind(offset)
        else:
            self._hashed.offer(offset, data)
        if self.is_full:
            self._hashed.wake()  # else it looks by itself, without taking turns at every piece

    def seam(self, offset: int, n: int) -> bytes:
        start = max(0, offset - n)
        if not self.part.extents().holds(start, offset):
            return b""
        return self.part.read(start, offset - start)

    def distrust_before(self, offset: int) -> None:
        start = max(0, offset - _DOUBTED_BYTES)
        self.part.distrust(start, offset)
        self._hashed.rewind(start)

    @property
    def is_full(self) -> bool:
        return self.part.done_bytes >= self.part.size_bytes

    @property
    def is_on_hold(self) -> bool:
        return False

    def is_done(self, _wanted: str) -> bool:
        return self.is_full and self._hashed.digest() is not None


class CheckRound:
    """Fetches everything once more, piece by piece, and puts right what is different; done as soon
    as the hash is right."""

    def __init__(self, part: PartFile, hashed: FollowingHash, wanted: str) -> None:
        """`wanted`: the hash that the file should have."""
        self.part = part
        self.changed_bytes = 0
        self.piece_bytes = 2 * MIN_PIECE_BYTES
        self._hashed = hashed
        self._wanted = wanted
        self._lock = threading.Lock()
        self._checked = Extents()

    def there(self) -> Extents:
        with self._lock:
            return Extents(self._checked)

    def store(self, offset: int, data: bytes) -> None:
        if self.part.overwrite(offset, data):
            self.changed_bytes += len(data)
            self._hashed.rewind(offset)
        with self._lock:
            self._checked.add(offset, offset + len(data))

    def seam(self, _offset: int, _n: int) -> bytes:
        return b""  # what is known is what is in doubt

    def distrust_before(self, _offset: int) -> None:
        """There are no seams here."""

    @property
    def is_full(self) -> bool:
        with self._lock:
            return self._checked.total_bytes >= self.part.size_bytes

    @property
    def is_on_hold(self) -> bool:
        return self.changed_bytes > 0 and self._hashed.digest() in (None, self._wanted)

    def is_done(self, wanted: str) -> bool:
        found = self._hashed.digest()
        return found is not None and (found == wanted or self.is_full)
