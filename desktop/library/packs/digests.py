"""SHA-256 beside the reading and writing, on cores of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from desktop.common.storage import storage_error
from desktop.library.packs.progress import Meter

CHUNK_BYTES = 4 << 20

T = TypeVar("T")


class Digests:
    """Some hashes that are fed the same bytes while the caller writes them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pack-hash")
        self._other = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pack-sync")
        self._running: list[Future[None]] = []

    def feed(self, chunk: bytes, *digests: hashlib._Hash) -> None:
        """Begin; the caller must not feed again before `settle`."""
        self._running = [self._pool.submit(digest.update, chunk) for digest in digests]

    def beside(self, work: Callable[[], T]) -> Future[T]:
        """Do something else beside, such as waiting for the disk."""
        return self._other.submit(work)

    def settle(self) -> None:
        """Wait for what was begun."""
        running, self._running = self._running, []
        for future in running:
            future.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
        self._other.shutdown()


def sha256_of(path: Path, meter: Meter, n: int | None = None) -> hashlib._Hash:
    """The hash of a file, or of its first `n` bytes; raises StorageError, CancelledError."""
    digest = hashlib.sha256()
    left = n
    try:
        with path.open("rb") as file:
            while left is None or left > 0:
                chunk = file.read(CHUNK_BYTES if left is None else min(left, CHUNK_BYTES))
                if not chunk:
                    break
                digest.update(chunk)
                meter.add(len(chunk))
                left = None if left is None else left - len(chunk)
    except OSError as error:
        raise storage_error(error, path, reading=True) from error
    return digest
