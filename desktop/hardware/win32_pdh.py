"""The calls into Windows' performance counters (pdh.dll) and its battery saver."""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes

from desktop.hardware.windows_counters import ALL, Values

if sys.platform != "win32":  # nobody imports this elsewhere; tells the type checker so, too
    raise ModuleNotFoundError("this is not Windows", name="winreg")

_MORE_DATA = 0x800007D2
_DOUBLE = 0x00000200  # PDH_FMT_DOUBLE
_NO_CAP = 0x00008000  # PDH_FMT_NOCAP100: several processes on one engine
_MOST_BYTES = 8 << 20


class _Value(ctypes.Structure):
    """PDH_FMT_COUNTERVALUE with a double."""

    _fields_ = (("status", wintypes.DWORD), ("value", ctypes.c_double))


class _Item(ctypes.Structure):
    """PDH_FMT_COUNTERVALUE_ITEM_W."""

    _fields_ = (("name", wintypes.LPWSTR), ("value", _Value))


class NativeCounters:
    """One query with all counters; raises OSError where Windows has none."""

    def __init__(self) -> None:
        self._pdh = ctypes.WinDLL("pdh")
        self._query = wintypes.HANDLE()
        status = self._pdh.PdhOpenQueryW(None, ctypes.c_void_p(0), ctypes.byref(self._query))
        if status:
            raise OSError(f"PdhOpenQuery: 0x{status & 0xFFFFFFFF:08x}")
        self._counters: dict[str, wintypes.HANDLE] = {}
        for path in ALL:
            counter = wintypes.HANDLE()
            added = self._pdh.PdhAddEnglishCounterW(
                self._query, ctypes.c_wchar_p(path), ctypes.c_void_p(0), ctypes.byref(counter)
            )
            if added == 0:
                self._counters[path] = counter

    def collect(self) -> Values:
        if self._pdh.PdhCollectQueryData(self._query):
            return {}
        return {path: self._values(counter) for path, counter in self._counters.items()}

    def close(self) -> None:
        self._pdh.PdhCloseQuery(self._query)

    def _values(self, counter: wintypes.HANDLE) -> list[tuple[str, float]]:
        size, count = wintypes.DWORD(0), wintypes.DWORD(0)
        ask = self._pdh.PdhGetFormattedCounterArrayW
        kind = wintypes.DWORD(_DOUBLE | _NO_CAP)
        status = ask(counter, kind, ctypes.byref(size), ctypes.byref(count), None)
        if status & 0xFFFFFFFF != _MORE_DATA or not 0 < size.value <= _MOST_BYTES:
            return []
        buffer = ctypes.create_string_buffer(size.value)
        if ask(counter, kind, ctypes.byref(size), ctypes.byref(count), buffer):
            return []
        items = ctypes.cast(buffer, ctypes.POINTER(_Item))
        found = (items[index] for index in range(count.value))
        good = (item for item in found if item.value.status in (0, 1))  # valid, or new data
        return [(item.name or "", item.value.value) for item in good]


class _PowerStatus(ctypes.Structure):
    """SYSTEM_POWER_STATUS."""

    _fields_ = (
        ("ac_line", ctypes.c_ubyte),
        ("battery_flag", ctypes.c_ubyte),
        ("battery_percent", ctypes.c_ubyte),
        ("saver", ctypes.c_ubyte),
        ("seconds_left", wintypes.DWORD),
        ("seconds_full", wintypes.DWORD),
    )


def battery_saver() -> bool | None:
    """Whether Windows' battery saver is on; None where it does not say."""
    status = _PowerStatus()
    if not ctypes.WinDLL("kernel32").GetSystemPowerStatus(ctypes.byref(status)):
        return None
    return bool(status.saver == 1)
