"""Several files as one order: the parts of a model, what lets it see; fetched one after another."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.errors import CancelledError, StorageError
from desktop.common.storage import free_bytes, storage_error
from desktop.hub.client import HubClient
from desktop.hub.transfer.journal import Identity, read_journal
from desktop.hub.transfer.pace import RateLimit
from desktop.hub.transfer.part_file import journal_path, unfinished_path
from desktop.hub.transfer.places import keep_origin, origin_of_file
from desktop.hub.transfer.transfer import (
    PROGRESS_EVERY_S,
    SPARE_BYTES,
    Fetched,
    Transfer,
    TransferOptions,
    TransferProgress,
)

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class OrderedFile:
    """A file and where it shall lie."""

    identity: Identity
    place: Path


class Order:
    """`run` in a thread of your own; all else may be called from any thread."""

    def __init__(
        self,
        client: HubClient,
        files: Sequence[OrderedFile],
        *,
        options: TransferOptions | None = None,
        limit: RateLimit | None = None,
        on_progress: Callable[[TransferProgress], None] | None = None,
        free: Callable[[Path], int] = free_bytes,
        is_metered: Callable[[], bool] | None = None,
    ) -> None:
        self._client = client
        self._files = tuple(files)
        self._options = options
        self._limit = limit or RateLimit()
        self._on_progress = on_progress
        self._free = free
        self._is_metered = is_metered
        self._lock = threading.Lock()
        self._current: Transfer | None = None
        self._is_paused = False
        self._is_stopped = False
        self._is_cancelled = False
        self._done_bytes = 0
        self._received_bytes = 0

    @property
    def total_bytes(self) -> int:
        return sum(file.identity.size_bytes for file in self._files)

    @property
    def limit(self) -> RateLimit:
        return self._limit

    def pause(self) -> None:
        """Let go of the line until `resume`; what was fetched stays."""
        with self._lock:
            self._is_paused, current = True, self._current
        if current is not None:
            current.pause()

    def resume(self) -> None:
        with self._lock:
            self._is_paused, current = False, self._current
        if current is not None:
            current.resume()

    def stop(self) -> None:
        """`run` raises CancelledError; what was fetched stays for the next time."""
        with self._lock:
            self._is_stopped, current = True, self._current
        if current is not None:
            current.stop()

    def cancel(self) -> None:
        """As `stop`, and what is not complete is deleted."""
        with self._lock:
            self._is_stopped = self._is_cancelled = True
            current = self._current
        if current is not None:
            current.cancel()

    def run(self) -> tuple[Fetched, ...]:
        """Fetch what is not here yet; all files, in their order. Raises as Transfer.run."""
        try:
            self._require_room()
            return tuple(self._one(file) for file in self._files)
        except CancelledError:
            if self._is_cancelled:
                self._delete_unfinished()
            raise

    def _one(self, file: OrderedFile) -> Fetched:
        here = self._already_here(file)
        if here is None:
            transfer = Transfer(
                self._client,
                file.identity,
                file.place,
                options=self._options,
                limit=self._limit,
                on_progress=self._tell,
                free=self._free,
                is_metered=self._is_metered,
            )
            with self._lock:
                self._current = transfer
                is_paused, is_stopped = self._is_paused, self._is_stopped
            if is_stopped:
                raise CancelledError
            if is_paused:
                transfer.pause()
            try:
                here = transfer.run()
            finally:
                with self._lock:
                    self._current = None
            keep_origin(file.place, file.identity, here.sha256, is_verified=here.is_verified)
        self._done_bytes += file.identity.size_bytes
        self._received_bytes += here.received_bytes
        return here

    def _already_here(self, file: OrderedFile) -> Fetched | None:
        """The file that is in its place, if it is the one that is wanted."""
        identity = file.identity
        known = origin_of_file(file.place)
        if known is not None:
            same_content = (
                known.sha256 == identity.sha256
                if identity.sha256
                else (known.commit == identity.commit and known.path == identity.path)
            )
            if not same_content or known.size_bytes != identity.size_bytes:
                return None
            return Fetched(file.place, known.sha256, known.is_verified, received_bytes=0)
        try:
            if not identity.sha256 or file.place.stat().st_size != identity.size_bytes:
                return None
        except OSError:
            return None
        if self._hash_of(file) != identity.sha256:
            return None
        keep_origin(file.place, identity, identity.sha256, is_verified=True)
        return Fetched(file.place, identity.sha256, is_verified=True, received_bytes=0)

    def _hash_of(self, file: OrderedFile) -> str:
        """Of a file that somebody else may have put there."""
        digest = hashlib.sha256()
        done, told_s = 0, time.monotonic()
        try:
            with file.place.open("rb") as source:
                while block := source.read(_BLOCK_BYTES):
                    if self._is_stopped:
                        raise CancelledError
                    digest.update(block)
                    done += len(block)
                    if time.monotonic() - told_s >= PROGRESS_EVERY_S:
                        told_s = time.monotonic()
                        self._tell(TransferProgress("checking", done, 0, 0.0))
        except OSError as error:
            raise storage_error(error, file.place, reading=True) from error
        return digest.hexdigest()

    def _tell(self, progress: TransferProgress) -> None:
        if self._on_progress is not None:
            self._on_progress(
                replace(
                    progress,
                    done_bytes=self._done_bytes + progress.done_bytes,
                    total_bytes=self.total_bytes,
                    received_bytes=self._received_bytes + progress.received_bytes,
                )
            )

    def _require_room(self) -> None:
        """For all of it, before its first byte."""
        needed = 0
        for file in self._files:
            if origin_of_file(file.place) is None:
                there, _ = read_journal(journal_path(file.place), file.identity)
                is_begun = unfinished_path(file.place).exists()
                done = there.total_bytes if is_begun else 0
                needed += max(0, file.identity.size_bytes - done)
        if len(self._files) < 2 or not needed:
            return  # a single file looks for itself, or finds that it is here
        folder = self._files[0].place.parent
        spare = min(SPARE_BYTES, self.total_bytes // 20)
        room = self._free(folder)
        if needed + spare > room and not all(file.place.exists() for file in self._files):
            raise StorageError(
                "no_room_for_download",
                path=str(folder),
                needed_bytes=needed + spare,
                free_bytes=room,
            )

    def _delete_unfinished(self) -> None:
        for file in self._files:
            for path in (unfinished_path(file.place), journal_path(file.place)):
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise storage_error(error, path) from error
