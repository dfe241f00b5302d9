"""Stopping llama.cpp in the middle of a computation without Python's lock."""

from __future__ import annotations

import ctypes
import sys
from typing import Any


class AbortFlag:
    """One byte that llama.cpp asks between the nodes of a graph (CPU and Metal backends).

    The callback is the C library's strlen on that byte: it needs no Python, so an abort takes
    milliseconds whatever the interpreter does. "" (length 0) goes on, "x" (length 1) stops.
    """

    def __init__(self, callback_type: Any) -> None:
        self._byte = ctypes.create_string_buffer(2)
        self.callback = ctypes.cast(_c_library().strlen, callback_type)
        self.data = ctypes.cast(self._byte, ctypes.c_void_p)

    def set(self) -> None:
        self._byte[0] = b"x"

    def clear(self) -> None:
        self._byte[0] = b"\0"

    @property
    def is_set(self) -> bool:
        return self._byte[0] != b"\0"


def _c_library() -> ctypes.CDLL:
    if sys.platform == "win32":
        return ctypes.CDLL("ucrtbase.dll")
    return ctypes.CDLL(None)
