"""The SHA-256 of a file of many gigabytes, with progress."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

_CHUNK_BYTES = 4 << 20
_DROP_BYTES = 256 << 20


def sha256_of(
    path: Path, on_bytes: Callable[[int], None] | None = None, *, from_disk: bool = False
) -> str:
    """In lower-case hex; `on_bytes` hears how many bytes were read since, and may raise.

    `from_disk`: what this program has just written is to be read back from the disk, as far as
    the system can be asked not to answer out of its memory.
    Raises OSError.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        if from_disk:
            _forget_pages(file.fileno(), 0, 0)
        if sys.platform == "linux":  # the disk reads on while this is computed
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        done = dropped = 0
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            done += count
            if done - dropped >= _DROP_BYTES:
                # A model that is only checked must not push other programs out of memory.
                _forget_pages(file.fileno(), dropped, done - dropped)
                dropped = done
            if on_bytes is not None:
                on_bytes(count)
    return digest.hexdigest()


def _forget_pages(handle: int, offset: int, length: int) -> None:
    """A hint to the page cache, where there is one (Linux)."""
    if sys.platform == "linux":
        os.posix_fadvise(handle, offset, length, os.POSIX_FADV_DONTNEED)
