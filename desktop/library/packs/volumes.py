"""One long run of bytes in one file, or cut into ``NAME.001``, ``NAME.002``... of one size."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from desktop.common.errors import PackError
from desktop.common.storage import storage_error

MOST_VOLUMES = 999
_NUMBERED = re.compile(r"(?P<stem>.+)\.(?P<number>\d{3})", re.DOTALL)


def volume_path(path: Path, number: int) -> Path:
    """The piece `number` (from 1) of what would be `path` in one."""
    return path.with_name(f"{path.name}.{number:03d}")


def whole_path(path: Path) -> Path:
    """``X.hgpack`` for any ``X.hgpack.004``; a name without a number is itself."""
    match = _NUMBERED.fullmatch(path.name)
    return path.with_name(match["stem"]) if match else path


def volumes_of(path: Path) -> tuple[Path, ...]:
    """All files of what is called `path`: itself, or its pieces in order.

    Raises PackError("pack_part_missing") where a piece in the middle (or the first) is not there;
    a missing last one is noticed by whoever knows the size.
    """
    whole = whole_path(path)
    if whole == path and path.exists():
        return (path,)
    there = sorted(
        int(match["number"])
        for one in _beside(whole)
        if (match := _NUMBERED.fullmatch(one.name)) and match["stem"] == whole.name
    )
    if not there:
        return (path,)
    for expected, number in enumerate(there, 1):
        if number != expected:
            missing = volume_path(whole, expected).name
            raise PackError("pack_part_missing", path=str(whole), missing=missing)
    return tuple(volume_path(whole, number) for number in there)


def _beside(path: Path) -> list[Path]:
    try:
        return [one for one in path.parent.iterdir() if one.name.startswith(f"{path.name}.")]
    except OSError:
        return []


class VolumeReader:
    """Reads across the pieces. Raises StorageError, PackError: pack_not_there, pack_not_one,
    pack_part_short if one before the last is shorter than the others."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._paths = paths
        self._sizes: list[int] = []
        self._handle: tuple[int, int] | None = None
        for path in paths:
            try:
                found = path.stat()
            except FileNotFoundError as error:
                raise PackError("pack_not_there", path=str(path)) from error
            except OSError as error:
                raise storage_error(error, path, reading=True) from error
            if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
                raise PackError("pack_not_one", path=str(path))
            self._sizes.append(found.st_size)
        for number, size in enumerate(self._sizes[:-1]):
            if size != self._sizes[0] or size == 0:
                raise PackError(
                    "pack_part_short", path=str(paths[number]), missing=paths[number].name
                )

    @property
    def total_bytes(self) -> int:
        return sum(self._sizes)

    @property
    def paths(self) -> tuple[Path, ...]:
        return self._paths

    def read_at(self, offset: int, n: int) -> bytes:
        """Up to `n` bytes from `offset`; fewer only at the end of all."""
        pieces: list[bytes] = []
        while n > 0 and offset < self.total_bytes:
            number, within = divmod(offset, self._sizes[0]) if len(self._sizes) > 1 else (0, offset)
            wanted = min(n, self._sizes[number] - within)
            piece = self._read(number, within, wanted)
            if not piece:
                break
            pieces.append(piece)
            offset, n = offset + len(piece), n - len(piece)
        return b"".join(pieces)

    def _read(self, number: int, within: int, n: int) -> bytes:
        path = self._paths[number]
        try:
            if self._handle is None or self._handle[0] != number:
                self.close()
                handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
                self._handle = (number, handle)
            os.lseek(self._handle[1], within, os.SEEK_SET)
            return os.read(self._handle[1], n)
        except OSError as error:
            raise storage_error(error, path, reading=True) from error

    def close(self) -> None:
        if self._handle is not None:
            number_and_handle, self._handle = self._handle, None
            os.close(number_and_handle[1])
