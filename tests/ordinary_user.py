"""Tests of read-only folders mean something for root, too: it lays down its power over files."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_VERSION_3 = 0x20080522
_OVER_FILES = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: capabilities(7)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextlib.contextmanager
def ordinary_user() -> Iterator[None]:
    """Inside, this thread obeys file permissions as anybody; skips where that cannot be had."""
    if sys.platform == "win32":
        pytest.skip("permission bits mean little on Windows")
    elif os.geteuid() != 0:
        yield
    elif sys.platform != "linux":
        pytest.skip("root cannot lay down its powers here")
    else:
        libc = ctypes.CDLL(None, use_errno=True)
        header, data = _Header(_VERSION_3, 0), (_Data * 2)()
        assert libc.capget(ctypes.byref(header), data) == 0
        before = data[0].effective
        data[0].effective = before & ~_OVER_FILES
        assert libc.capset(ctypes.byref(header), data) == 0
        try:
            yield
        finally:
            data[0].effective = before
            assert libc.capset(ctypes.byref(header), data) == 0


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Inside, nothing can be made or deleted in `folder`, not even by root."""
    before = folder.stat().st_mode
    folder.chmod(0o555)
    try:
        with ordinary_user():
            yield
    finally:
        folder.chmod(before)
