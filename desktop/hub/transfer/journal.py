"""What of a file was written already: a log beside it that survives kill and power failure.

Each line carries its checksum. "w" lines say that bytes were handed to the system: they are worth
something as long as this system runs. "s" lines say that they reached the disk.

    <crc> i {"repo": ..., "sha256": ...}    which file it is
    <crc> b <boot>                          a session begins, at this start of the computer
    <crc> w <start> <end>                   written
    <crc> d <start> <end>                   not to be trusted after all
    <crc> s <start>-<end>,...               all that is on the disk for certain
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from desktop.common.atomic import write_atomic
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.hub.transfer.extents import Extents

MAX_BYTES = 1 << 20
"""About 25,000 lines, 6 GB of a download; then what they say is written anew in a few."""

_log = get_logger("transfer")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file it is. `sha256` is empty where the Hub does not say."""

    repo: str
    path: str
    commit: str
    size_bytes: int
    sha256: str

    def is_same(self, other: Identity) -> bool:
        """Whether bytes of the one are bytes of the other: by content, else by place."""
        if self.sha256 and other.sha256:
            return self.sha256 == other.sha256 and self.size_bytes == other.size_bytes
        return self == other


class Journal:
    """Open it with `begin`; one process at a time (transfer.part_file holds the lock)."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self._path = path
        self._identity = identity
        self._handle: int | None = None
        self._bytes = 0

    def begin(self, extents: Extents, *, synced: Extents) -> None:
        """Start a session with what is known; raises StorageError."""
        self.close()
        lines = [
            _line("i", json.dumps(asdict(self._identity))),
            _line("s", _listed(synced)),
            _line("b", boot_mark()),
            *(_line("w", f"{start} {end}") for start, end in extents),
        ]
        data = b"".join(lines)
        write_atomic(self._path, data)
        try:
            self._handle = os.open(
                self._path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
            )
        except OSError as error:
            raise storage_error(error, self._path) from error
        self._bytes = len(data)

    @property
    def is_long(self) -> bool:
        """Whether it should `begin` anew."""
        return self._bytes > MAX_BYTES

    def written(self, start: int, end: int) -> None:
        self._append(_line("w", f"{start} {end}"))

    def distrusted(self, start: int, end: int) -> None:
        self._append(_line("d", f"{start} {end}"))

    def synced(self, extents: Extents) -> None:
        """What the disk holds for certain; this line then does so, too."""
        self._append(_line("s", _listed(extents)))
        assert self._handle is not None
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise storage_error(error, self._path) from error

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _append(self, line: bytes) -> None:
        assert self._handle is not None
        try:
            os.write(self._handle, line)
        except OSError as error:
            raise storage_error(error, self._path) from error
        self._bytes += len(line)


def read_journal(path: Path, identity: Identity) -> tuple[Extents, Extents]:
    """What is there of that file, and what of it is on the disk for certain.

    Both are empty for a journal that is missing, damaged or of another file.
    """
    nothing = Extents(), Extents()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return nothing
    except OSError as error:
        _log.warning("journal not readable: %s", error)
        return nothing
    known: Identity | None = None
    extents, synced = Extents(), Extents()
    is_this_boot = False
    try:
        for kind, rest in _lines(data):
            if kind == "i":
                known = Identity(**json.loads(rest))
            elif kind == "b":
                is_this_boot = rest == boot_mark()
                if not is_this_boot:
                    extents = Extents(synced)
            elif kind == "s":
                synced = _read_list(rest)
                extents = Extents([*extents, *synced])
            elif kind == "w" and is_this_boot:
                start, end = rest.split()
                extents.add(int(start), int(end))
            elif kind == "d":
                start, end = rest.split()
                extents.remove(int(start), int(end))
                synced.remove(int(start), int(end))
    except (ValueError, TypeError, RecursionError) as error:
        _log.warning("journal damaged: %s", error)
        return nothing
    if known is None or not known.is_same(identity):
        return nothing
    return extents, synced


def boot_mark() -> str:
    """Which start of the computer this is: after another one, what was not synced is lost."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return str(round(psutil.boot_time()))


def _line(kind: str, rest: str) -> bytes:
    text = f"{kind} {rest}".encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _lines(data: bytes) -> Iterator[tuple[str, str]]:
    """The good lines; what a failure of power damaged is passed over."""
    for line in data.split(b"\n"):
        checksum, _, text = line.partition(b" ")
        if len(checksum) == 8 and checksum == b"%08x" % zlib.crc32(text):
            kind, _, rest = text.decode("utf-8", "replace").partition(" ")
            yield kind, rest


def _listed(extents: Extents) -> str:
    return ",".join(f"{start}-{end}" for start, end in extents)


def _read_list(text: str) -> Extents:
    pairs = [piece.split("-") for piece in text.split(",") if piece]
    return Extents((int(start), int(end)) for start, end in pairs)
