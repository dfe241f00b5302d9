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
    _require_holes(folder)
    copies = [folder / name for name in _names(len(header.paths))]
    for number, (source, copy) in enumerate(zip(header.paths, copies, strict=True)):
        with open_reader(source) as reader:
            part = read_part(reader, str(source), number)
            if part.full_bytes > _LARGEST_FILE_BYTES:
                raise OSError(f"a file of {part.full_bytes} bytes")
            with copy.open("w+b") as target:
                target.write(reader.read(0, part.data_offset))
                _stretch(target, max(part.full_bytes, part.data_offset))
    return copies[0]


def _names(count: int) -> list[str]:
    if count == 1:
        return ["model.gguf"]
    return [f"model-{number:05d}-of-{count:05d}.gguf" for number in range(1, count + 1)]


def _require_holes(folder: Path) -> None:
    """Some file systems (FAT, HFS+) write every byte of a hole: tried with a small one."""
    probe = folder / "hole"
    with probe.open("w+b") as file:
        _stretch(file, _PROBE_BYTES)
        stored = getattr(os.fstat(file.fileno()), "st_blocks", 0) * _STAT_BLOCK_BYTES
    probe.unlink()
    if stored >= _PROBE_BYTES:
        raise OSError("this disk stores empty space in full")


def _stretch(file: BinaryIO, size_bytes: int) -> None:
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
