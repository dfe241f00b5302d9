"""Writes one long run of bytes into one file or several, goes on where it was interrupted, and
lets nothing be seen under its name before all is there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from desktop.common.atomic import replace, sync_folder
from desktop.common.errors import PackError, StorageError
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.library.packs.digests import Digests
from desktop.library.packs.volumes import MOST_VOLUMES, volume_path

UNFINISHED = ".part"
SYNC_BYTES = 64 << 20
SYNC_SOON_BYTES = 8 << 20
SYNC_EVERY_S = 2.0
_WINDOWS_TOO_LARGE = 223  # ERROR_FILE_TOO_LARGE


_log = get_logger("packs")


@dataclass(frozen=True, slots=True)
class Written:
    """One finished file; `sha256` of all its bytes."""

    path: Path
    size_bytes: int
    sha256: str


def volume_paths(path: Path, total_bytes: int, volume_bytes: int) -> tuple[Path, ...]:
    """The files that it will be; raises PackError("pack_too_many_pieces")."""
    if not 0 < volume_bytes < total_bytes:
        return (path,)
    count = -(-total_bytes // volume_bytes)
    if count > MOST_VOLUMES:
        raise PackError("pack_too_many_pieces", count=count, most=MOST_VOLUMES)
    return tuple(volume_path(path, number) for number in range(1, count + 1))


def take_back(volumes: Sequence[Path]) -> None:
    """Make unfinished again what the end of the power left half under its names: the first file is
    named last, so that while it is unfinished none of the others is done.

    Raises StorageError."""
    if volumes[0].exists() or not unfinished(volumes[0]).exists():
        return
    for final in volumes[1:]:
        if final.exists() and not unfinished(final).exists():
            try:
                replace(final, unfinished(final))
            except OSError as error:
                raise write_error(error, final) from error


class VolumeWriter:
    """Write everything from the first byte on; what an earlier time has written is compared and
    left, up to the first byte that is another one. No note is trusted for that: a stick that was
    pulled out forgets what it had taken.

    Raises StorageError: disk_full, read_only, drive_gone, pack_file_too_large, storage.
    """

    def __init__(
        self,
        path: Path,
        total_bytes: int,
        volume_bytes: int,
        *,
        with_hashes: bool = True,
    ) -> None:
        """Without `with_hashes` those of the finished files are ""."""
        self._finals = volume_paths(path, total_bytes, volume_bytes)
        self._volume_bytes = volume_bytes if len(self._finals) > 1 else total_bytes
        self._total_bytes = total_bytes
        self._parts = tuple(unfinished(final) for final in self._finals)
        self._there = self._found_bytes()
        self._offset = 0
        self._synced = self._there
        self._reader: tuple[int, int] | None = None
        self._with_hashes = with_hashes
        self._syncing: Future[int] | None = None
        self._synced_s = time.monotonic()
        self._handle = -1
        self._number = -1
        self._digest = hashlib.sha256()
        self._hashes: list[str] = []

    @property
    def offset(self) -> int:
        return self._offset

    def begin_at(self, offset: int) -> None:
        """Take what is there up to `offset` for good: its hash will be compared."""
        assert self._offset == 0
        assert not self._with_hashes
        self._offset = self._there = self._synced = offset

    def write(self, data: bytes, digests: Digests, *more: hashlib._Hash) -> None:
        """The next bytes; `more` hashes are fed with them, too."""
        if more:
            digests.feed(data, *more)
        view = memoryview(data)
        while view:
            number, within = divmod(self._offset, self._volume_bytes)
            n = min(len(view), self._volume_bytes - within)
            piece = view[:n]
            left = self._same_bytes(number, within, piece) if self._offset < self._there else 0
            if left < n:
                self._put(number, within + left, piece[left:])
            if self._with_hashes:
                self._digest.update(piece)
            self._offset += n
            if within + n == self._volume_bytes or self._offset == self._total_bytes:
                self._hashes.append(self._digest.hexdigest() if self._with_hashes else "")
                self._digest = hashlib.sha256()
            view = view[n:]
        digests.settle()
        self._sync_beside(digests)

    def _same_bytes(self, number: int, within: int, piece: memoryview) -> int:
        """How many of these bytes an earlier time has written, without a gap from the first."""
        most = min(len(piece), self._there - self._offset)
        try:
            if self._reader is None or self._reader[0] != number:
                self._close_reader()
                flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
                self._reader = (number, os.open(self._parts[number], flags))
            os.lseek(self._reader[1], within, os.SEEK_SET)
            found = os.read(self._reader[1], most)
        except OSError as error:
            _log.info("what is there cannot be read, and is written anew: %s", error)
            found = b""
        if len(found) == most and found == piece[:most]:
            if most < len(piece):
                self._close_reader()
            return most
        # Another pack's, or a stick's that forgot: from here on all is written.
        self._there = self._offset
        self._synced = min(self._synced, self._offset)
        self._close_reader()
        return 0

    def _close_reader(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            os.close(reader[1])

    def _sync_beside(self, digests: Digests) -> None:
        """Bring to the disk what was written, while more is written: soon on a slow drive, so that
        little is lost, seldom on a fast one, so that nothing waits."""
        unsynced = self._offset - self._synced
        if self._syncing is not None:
            if self._syncing.done() or unsynced >= 2 * SYNC_BYTES:
                self._settle()
            return
        waited_s = time.monotonic() - self._synced_s
        is_due = unsynced >= (SYNC_SOON_BYTES if waited_s >= SYNC_EVERY_S else SYNC_BYTES)
        if is_due and self._handle >= 0:
            self._syncing = digests.beside(partial(self._sync_to, self._offset, self._handle))

    def _sync_to(self, offset: int, handle: int) -> int:
        os.fsync(handle)
        return offset

    def _settle(self) -> None:
        """Wait for what is brought to the disk beside."""
        syncing, self._syncing = self._syncing, None
        if syncing is None:
            return
        try:
            self._synced = max(self._synced, syncing.result())
        except OSError as error:
            raise self._error(error) from error
        self._synced_s = time.monotonic()

    def sync(self) -> None:
        """Bring to the disk what was written."""
        self._settle()
        if self._handle >= 0 and self._offset > self._synced:
            try:
                os.fsync(self._handle)
            except OSError as error:
                raise self._error(error) from error
            self._synced = self._offset

    def finish(self) -> tuple[Written, ...]:
        """Let it be seen, the first file last."""
        assert self._offset == self._total_bytes
        self.sync()
        self.close()
        try:
            sizes = [part.stat().st_size for part in self._parts]
            for part, final in reversed(list(zip(self._parts, self._finals, strict=True))):
                replace(part, final)
        except OSError as error:
            raise self._error(error) from error
        sync_folder(self._finals[0].parent)
        return tuple(
            Written(final, size, sha256)
            for final, size, sha256 in zip(self._finals, sizes, self._hashes, strict=True)
        )

    def close(self) -> None:
        """Let go; what was written stays for the next time."""
        self._close_reader()
        if self._syncing is not None:
            wait([self._syncing])  # its handle is closed now; whoever closes knows of the failure
            self._syncing = None
        if self._handle >= 0:
            handle, self._handle = self._handle, -1
            with contextlib.suppress(OSError):  # a drive that is gone; writing has said so
                os.close(handle)

    def discard(self) -> None:
        """Delete what is not finished."""
        self.close()
        for part in self._parts:
            with contextlib.suppress(OSError):  # an unfinished file more or less is no failure
                part.unlink(missing_ok=True)

    def _found_bytes(self) -> int:
        """How far the unfinished files reach without a gap."""
        found = 0
        for part in self._parts:
            try:
                size = part.stat().st_size
            except OSError:
                break
            found += min(size, self._volume_bytes)
            if size < self._volume_bytes:
                break
        return found

    def _put(self, number: int, within: int, data: memoryview) -> None:
        try:
            if number != self._number:
                self.sync()
                self.close()
                flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
                self._handle = os.open(self._parts[number], flags, 0o644)
                self._number = number
                os.ftruncate(self._handle, within)
                os.lseek(self._handle, within, os.SEEK_SET)
            while data:
                data = data[os.write(self._handle, data) :]
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> StorageError:
        path = self._finals[max(0, self._number)]
        return write_error(error, path)


def write_error(error: OSError, path: Path) -> StorageError:
    """As storage_error, with a drive that was pulled out and one that takes no large files."""
    if not path.parent.exists():
        return StorageError("drive_gone", path=str(path), detail=str(error))
    if error.errno == errno.EFBIG or getattr(error, "winerror", None) == _WINDOWS_TOO_LARGE:
        return StorageError("pack_file_too_large", path=str(path), detail=str(error))
    return storage_error(error, path)


def unfinished(path: Path) -> Path:
    return path.with_name(path.name + UNFINISHED)


def remove(paths: Sequence[Path]) -> None:
    """Delete files that may be gone already; raises StorageError."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(error, path) from error
