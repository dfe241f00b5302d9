"""A pack as one tar archive: headers as POSIX has them, bodies not compressed.

Read strictly and by ourselves: a header's sizes are a stranger's numbers.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop.common.errors import PackError

BLOCK_BYTES = 512
END_BYTES = 2 * BLOCK_BYTES
_MAX_ENTRIES = 100_000
_MAX_EXTENDED_BYTES = 64 << 10
_MODE = 0o644
_REGULAR, _FOLDER, _EXTENDED, _EXTENDED_ALL, _LONG_NAME = b"0\0", b"5", b"x", b"g", b"L"

ReadAt = Callable[[int, int], bytes]
"""(offset, n): up to n bytes from there, fewer only at the end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a file's bytes lie in the archive."""

    path: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What an archive will look like: each file's header and where its bytes begin."""

    headers: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    total_bytes: int


def lay_out(files: Sequence[tuple[str, int]], mtime: int) -> Layout:
    """For (path, size) in that order; the same for the same files and time."""
    headers: list[bytes] = []
    entries: list[Entry] = []
    offset = 0
    for path, size in files:
        info = tarfile.TarInfo(path)
        info.size, info.mtime, info.mode = size, mtime, _MODE
        header = info.tobuf(tarfile.PAX_FORMAT)
        offset += len(header)
        headers.append(header)
        entries.append(Entry(path, offset, size))
        offset += padded(size)
    return Layout(tuple(headers), tuple(entries), offset + END_BYTES)


def padded(size: int) -> int:
    """What a body of that size takes: whole blocks."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def read_entries(read_at: ReadAt, total_bytes: int, path: str) -> tuple[Entry, ...]:
    """All files in an archive of `total_bytes`, in order; bodies are not read.

    Raises PackError: pack_not_one, pack_cut_short, pack_damaged; `path` is for sentences.
    """
    found: list[Entry] = []
    offset = 0
    name, size = "", -1  # from an extended header, for the next file
    while offset + BLOCK_BYTES <= total_bytes:
        block = read_at(offset, BLOCK_BYTES)
        if len(block) < BLOCK_BYTES:
            raise PackError("pack_cut_short", path=path)
        if not block.strip(b"\0"):
            return tuple(found)
        if not _is_header(block):
            raise PackError("pack_damaged" if found else "pack_not_one", path=path)
        kind, stated = block[156:157], _octal(block[124:136])
        if stated < 0:
            raise PackError("pack_damaged", path=path, detail=f"size at {offset}")
        offset += BLOCK_BYTES
        if kind in (_EXTENDED, _EXTENDED_ALL, _LONG_NAME):
            if stated > _MAX_EXTENDED_BYTES:
                raise PackError("pack_damaged", path=path, detail="a header too long")
            body = read_at(offset, stated)
            if kind == _EXTENDED:
                name, size = _extended(body, name, size)
            elif kind == _LONG_NAME:
                name = body.rstrip(b"\0").decode("utf-8", "replace")
            offset += padded(stated)
            continue
        body_bytes = size if size >= 0 else stated
        if kind in _REGULAR:
            if offset + body_bytes > total_bytes:
                raise PackError("pack_cut_short", path=path)
            found.append(Entry(name or _name_of(block), offset, body_bytes))
        elif kind != _FOLDER:  # links, devices: nothing that a pack holds
            raise PackError("pack_damaged", path=path, detail=f"an entry of kind {kind!r}")
        name, size = "", -1
        offset += padded(body_bytes)
        if len(found) > _MAX_ENTRIES:
            raise PackError("pack_damaged", path=path, detail="too many entries")
    if not found:
        raise PackError("pack_not_one", path=path)
    raise PackError("pack_cut_short", path=path)


def _is_header(block: bytes) -> bool:
    """By its own checksum, which counts itself as eight blanks."""
    stated = _octal(block[148:156])
    return stated == sum(block[:148]) + 8 * 32 + sum(block[156:])


def _octal(field: bytes) -> int:
    """A number as tar writes it, GNU's large ones included; -1 for none."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    digits = field.strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return -1


def _name_of(block: bytes) -> str:
    name = block[:100].rstrip(b"\0")
    prefix = block[345:500].rstrip(b"\0") if block[257:262] == b"ustar" else b""
    whole = prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name
    return whole.decode("utf-8", "replace").removeprefix("./")


def _extended(body: bytes, name: str, size: int) -> tuple[str, int]:
    """``path`` and ``size`` out of lines ``LENGTH KEY=VALUE\\n``."""
    at = 0
    while at < len(body):
        digits, blank, _ = body[at : at + 20].partition(b" ")
        if not blank or not digits.isdigit() or int(digits) <= len(digits) + 1:
            break
        line = body[at + len(digits) + 1 : at + int(digits)].rstrip(b"\n")
        key, _, value = line.partition(b"=")
        if key == b"path":
            name = value.decode("utf-8", "replace").removeprefix("./")
        elif key == b"size" and value.isdigit() and len(value) < 20:
            size = int(value)
        at += int(digits)
    return name, size
