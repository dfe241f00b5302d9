"""macOS' sysctlbyname(3), called directly: starting `sysctl` costs more than all of its answers."""

from __future__ import annotations

import ctypes


class NativeSysctl:
    """The running kernel's settings."""

    def __init__(self) -> None:
        """Raises AttributeError on a system without sysctlbyname."""
        self._call = ctypes.CDLL(None).sysctlbyname
        self._call.restype = ctypes.c_int
        self._call.argtypes = (
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_size_t),
            ctypes.c_void_p,
            ctypes.c_size_t,
        )

    def _raw(self, name: str) -> bytes | None:
        key, size = name.encode("ascii"), ctypes.c_size_t(0)
        if self._call(key, None, ctypes.byref(size), None, 0) != 0 or not 0 < size.value < 1 << 16:
            return None
        buffer = ctypes.create_string_buffer(size.value)
        if self._call(key, buffer, ctypes.byref(size), None, 0) != 0:
            return None
        return buffer.raw[: size.value]

    def text(self, name: str) -> str | None:
        raw = self._raw(name)
        return None if raw is None else raw.split(b"\0")[0].decode("utf-8", "replace")

    def number(self, name: str) -> int | None:
        """A 4- or 8-byte integer, little-endian on all of Apple's processors."""
        raw = self._raw(name)
        if raw is None or len(raw) not in (4, 8):
            return None
        return int.from_bytes(raw, "little", signed=True)
