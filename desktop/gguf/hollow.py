"""Copies of a model's header with an empty tail: all that llama.cpp's dry run needs of a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from desktop.gguf.header import ModelHeader
from desktop.gguf.part import read_part
from desktop.gguf.source import open_reader

_PROBE_BYTES = 8 << 20
_STAT_BLOCK_BYTES = 512
_SET_SPARSE = 0x900C4  # FSCTL_SET_SPARSE
_LARGEST_FILE_BYTES = 1 << 50


def write_hollow(header: ModelHeader, folder: Path) -> Path:
    """Write all parts of `header`'s model into `folder`, tails as holes; returns the first.

    Takes as much disk as the headers alone. Raises OSError where the disk stores holes in full or
    takes no such file, ModelFileError where a part cannot be read.
    """
    require_holes(folder)
    copies = [folder / name for name in copy_names(len(header.paths))]
    for number, (source, copy) in enumerate(zip(header.paths, copies, strict=True)):
        copy_part(source, copy, number)
    return copies[0]


def copy_part(source: Path, copy: Path, number: int) -> None:
    """Write the header of file `number` of a model, and its tail as a hole."""
    with open_reader(source) as reader:
        part = read_part(reader, str(source), number)
        with copy.open("w+b") as target:
            target.write(reader.read(0, part.data_offset))
            stretch(target, max(part.full_bytes, part.data_offset))


def copy_names(count: int) -> list[str]:
    """Names of files by which llama.cpp finds the parts of a split model."""
    if count == 1:
        return ["model.gguf"]
    return [f"model-{number:05d}-of-{count:05d}.gguf" for number in range(1, count + 1)]


def require_holes(folder: Path) -> None:
    """Raise OSError on a disk that has none.

    Some file systems (FAT, HFS+) write every byte of a hole: tried with a small one.
    """
    probe = folder / "hole"
    with probe.open("w+b") as file:
        stretch(file, _PROBE_BYTES)
        stored = getattr(os.fstat(file.fileno()), "st_blocks", 0) * _STAT_BLOCK_BYTES
    probe.unlink()
    if stored >= _PROBE_BYTES:
        raise OSError("this disk stores empty space in full")


def stretch(file: BinaryIO, size_bytes: int) -> None:
    """Let `file` end at `size_bytes`; raises OSError where no file is that large."""
    if size_bytes > _LARGEST_FILE_BYTES:
        raise OSError(f"a file of {size_bytes} bytes")
    file.flush()
    if sys.platform == "win32":
        _mark_sparse(file)
    file.truncate(size_bytes)


if sys.platform == "win32":

    def _mark_sparse(file: BinaryIO) -> None:
        import ctypes
        import msvcrt
        from ctypes import wintypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        control = kernel.DeviceIoControl
        control.argtypes = (
            wintypes.HANDLE,
            wintypes.DWORD,
            ctypes.c_void_p,
            wintypes.DWORD,
            ctypes.c_void_p,
            wintypes.DWORD,
            ctypes.POINTER(wintypes.DWORD),
            ctypes.c_void_p,
        )
        control.restype = wintypes.BOOL
        handle = msvcrt.get_osfhandle(file.fileno())
        returned = wintypes.DWORD()
        if not control(handle, _SET_SPARSE, None, 0, None, 0, ctypes.byref(returned), None):
            raise ctypes.WinError(ctypes.get_last_error())
