"""Where a header's bytes come from: a file here, or ranges of a file elsewhere."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from desktop.common.errors import ModelFileError


class RangeReader(Protocol):
    """Random access to a file's bytes. `read` returns fewer than `n` bytes only at the end."""

    @property
    def size_bytes(self) -> int: ...

    def read(self, offset: int, n: int) -> bytes: ...


class FileReader:
    """A local file, read and never mapped: a mapped file that shrinks kills the process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = os.fstat(file.fileno()).st_size

    def read(self, offset: int, n: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(n)


@contextmanager
def open_reader(path: Path) -> Iterator[FileReader]:
    """The file at `path`, open for reading.

    Raises ModelFileError: not_found, is_directory, not_a_file, no_permission, unreadable_file,
    empty_file.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ModelFileError("is_directory", path=str(path))
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise ModelFileError("not_a_file", path=str(path))
        with path.open("rb", buffering=0) as file:
            reader = FileReader(file)
            if reader.size_bytes == 0:
                raise ModelFileError("empty_file", path=str(path))
            yield reader
    except (OSError, ValueError) as error:
        raise _as_model_file_error(error, path) from error


def _as_model_file_error(error: OSError | ValueError, path: Path) -> ModelFileError:
    """ValueError is what a path with a zero character raises."""
    kind = "unreadable_file"
    if isinstance(error, FileNotFoundError | NotADirectoryError) or (
        isinstance(error, ValueError) or error.errno in (errno.ENAMETOOLONG, errno.ELOOP)
    ):
        kind = "not_found"
    elif isinstance(error, IsADirectoryError):
        kind = "is_directory"
    elif isinstance(error, PermissionError):
        kind = "no_permission"
    return ModelFileError(kind, path=str(path), detail=str(error))
