"""A file on its way: what is there of it, on a disk that may fill up, in one process at a time.

<name>.download        the bytes, some of them still missing
<name>.download.log    the journal: which are there
<name>.download.lock   while a process works on it
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from desktop.common.atomic import replace, sync_folder
from desktop.common.errors import StorageError
from desktop.common.locks import FileClaim, claim
from desktop.common.storage import storage_error
from desktop.hub.transfer.extents import Extents
from desktop.hub.transfer.journal import Identity, Journal, read_journal

UNFINISHED = ".download"


class PartFile:
    """Any thread may write. `close` keeps what is there for the next time."""

    def __init__(self, final: Path, identity: Identity, lock: FileClaim) -> None:
        self.final = final
        self.path = unfinished_path(final)
        self.identity = identity
        self._lock_file = lock
        self._lock = threading.Lock()
        self._free = threading.Condition()
        self._users = 0
        self._journal_path = journal_path(final)
        self._journal = Journal(self._journal_path, identity)
        self._extents = Extents()
        self._synced = Extents()
        self._unsynced_bytes = 0
        self._handle = -1
        self.is_finished = False

    @classmethod
    def open(cls, final: Path, identity: Identity) -> PartFile:
        """Go on where an earlier process stopped, or begin.

        Raises StorageError: download_busy while another process fetches this file, read_only,
        disk_full, storage.
        """
        unfinished = unfinished_path(final)
        lock = claim(unfinished.with_name(unfinished.name + ".lock"))
        if lock is None:
            raise StorageError("download_busy", path=str(final))
        part = cls(final, identity, lock)
        try:
            part._begin()
        except BaseException:
            part.close()
            raise
        return part

    @property
    def size_bytes(self) -> int:
        return self.identity.size_bytes

    @property
    def done_bytes(self) -> int:
        with self._lock:
            return self._extents.total_bytes

    @property
    def front(self) -> int:
        """How much is there without a gap from the beginning."""
        with self._lock:
            return self._extents.front

    @property
    def unsynced_bytes(self) -> int:
        return self._unsynced_bytes

    def extents(self) -> Extents:
        """A copy of what is there."""
        with self._lock:
            return Extents(self._extents)

    def write(self, offset: int, data: bytes) -> None:
        """Write and note it; raises StorageError."""
        self._put(offset, data)
        with self._lock:
            self._extents.add(offset, offset + len(data))
            self._unsynced_bytes += len(data)
            self._journal.written(offset, offset + len(data))
            if self._journal.is_long:
                self._journal.begin(self._extents, synced=self._synced)

    def overwrite(self, offset: int, data: bytes) -> bool:
        """Put right what is there already; whether anything was different."""
        if self.read(offset, len(data)) == data:
            return False
        self._put(offset, data)
        with self._lock:
            self._unsynced_bytes += len(data)
        return True

    def read(self, offset: int, n: int) -> bytes:
        """Raises StorageError."""
        pieces = []
        try:
            while n > 0:
                piece = self._get(offset, n)
                if not piece:
                    break
                pieces.append(piece)
                offset, n = offset + len(piece), n - len(piece)
        except OSError as error:
            raise storage_error(error, self.path, reading=True) from error
        return b"".join(pieces)

    def distrust(self, start: int, end: int) -> None:
        """Count what lies there as missing."""
        with self._lock:
            self._extents.remove(start, end)
            self._synced.remove(start, end)
            self._journal.distrusted(start, end)

    def sync(self) -> None:
        """Bring to the disk what was written so far; may take seconds. Raises StorageError."""
        with self._lock:
            extents = Extents(self._extents)
            n = self._unsynced_bytes
        try:
            with self._using() as handle:
                own = os.dup(handle)  # so that closing need not wait for a slow disk
            try:
                os.fsync(own)
            finally:
                os.close(own)
        except OSError as error:
            raise storage_error(error, self.path) from error
        with self._lock:
            if self._handle < 0:
                return
            for start, end in list(extents):  # what was distrusted meanwhile is none of it
                for gap in self._extents.gaps(end):
                    extents.remove(max(start, gap[0]), gap[1])
            self._synced = extents
            self._unsynced_bytes -= n
            self._journal.synced(extents)

    def finish(self) -> None:
        """The whole file, on the disk, under its own name, in place of an older one."""
        try:
            os.fsync(self._handle)
            self._close_file()
            replace(self.path, self.final)
        except OSError as error:
            raise storage_error(error, self.final) from error
        self.is_finished = True
        sync_folder(self.final.parent)
        self._journal.close()
        with contextlib.suppress(OSError):  # a journal without its file means nothing
            self._journal_path.unlink(missing_ok=True)
        self._lock_file.close()

    def discard(self) -> None:
        """Give up what was fetched."""
        self._close_file()
        self._journal.close()
        for path in (self._journal_path, self.path):
            with contextlib.suppress(OSError):  # the next one begins anew anyway
                path.unlink(missing_ok=True)
        self._lock_file.close()

    def close(self) -> None:
        self._close_file()
        self._journal.close()
        self._lock_file.close()

    def _begin(self) -> None:
        extents, synced = read_journal(self._journal_path, self.identity)
        try:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._handle = os.open(self.path, flags, 0o644)
            there = os.fstat(self._handle).st_size
            if not list(extents):
                there = 0
                os.ftruncate(self._handle, 0)
        except OSError as error:
            raise storage_error(error, self.path) from error
        for left in self.path.parent.glob(f".{glob.escape(self._journal_path.name)}.*.tmp"):
            with contextlib.suppress(OSError):  # of a process that was killed; a few bytes
                left.unlink()
        for known in (extents, synced):
            known.remove(min(there, self.size_bytes), sys.maxsize)
        self._extents, self._synced = extents, synced
        self._journal.begin(extents, synced=synced)

    def _put(self, offset: int, data: bytes) -> None:
        try:
            with self._using() as handle:
                done = 0
                while done < len(data):
                    done += self._place(handle, memoryview(data)[done:], offset + done)
        except OSError as error:
            if error.errno == errno.EFBIG:
                raise StorageError("file_too_large_here", path=str(self.final)) from error
            raise storage_error(error, self.path) from error

    def _place(self, handle: int, data: memoryview, offset: int) -> int:
        if sys.platform == "win32":
            with self._lock:
                os.lseek(handle, offset, os.SEEK_SET)
                return os.write(handle, data)
        else:
            return os.pwrite(handle, data, offset)

    def _get(self, offset: int, n: int) -> bytes:
        with self._using() as handle:
            if sys.platform == "win32":
                with self._lock:
                    os.lseek(handle, offset, os.SEEK_SET)
                    return os.read(handle, n)
            else:
                return os.pread(handle, n, offset)

    @contextlib.contextmanager
    def _using(self) -> Iterator[int]:
        """The open file, which is not closed within: a connection that was given up may still be
        at work, and its file's number could be another file's by then."""
        with self._free:
            if self._handle < 0:
                raise OSError(errno.EBADF, "closed")
            handle = self._handle
            self._users += 1
        try:
            yield handle
        finally:
            with self._free:
                self._users -= 1
                self._free.notify_all()

    def _close_file(self) -> None:
        with self._free:
            handle, self._handle = self._handle, -1
            self._free.wait_for(lambda: self._users == 0)
        if handle >= 0:
            os.close(handle)


def unfinished_path(final: Path) -> Path:
    """Where the bytes of `final` are gathered."""
    return final.with_name(final.name + UNFINISHED)


def journal_path(final: Path) -> Path:
    """Where it stands which of them are there."""
    return final.with_name(f"{final.name}{UNFINISHED}.log")
