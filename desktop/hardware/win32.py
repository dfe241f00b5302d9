"""The calls into Windows itself. Everything that thinks about the answers is in windows.py."""

from __future__ import annotations

import ctypes
import os
import sys
import winreg
from ctypes import wintypes
from pathlib import Path

from desktop.hardware import dxgi
from desktop.hardware.dxgi import Adapter
from desktop.hardware.windows_counters import ALL, Values

assert sys.platform == "win32"  # nobody imports this elsewhere; tells the type checker so
_ALL_RELATIONS = 0xFFFF
_INSUFFICIENT_BUFFER = 122

# Performance counters (pdh.h, pdhmsg.h).
_MORE_DATA = 0x800007D2
_DOUBLE = 0x00000200  # PDH_FMT_DOUBLE
_NO_CAP = 0x00008000  # PDH_FMT_NOCAP100: several processes on one engine
_MOST_BYTES = 8 << 20


class NativeWindows:
    """The Windows that this process runs on."""

    def __init__(self) -> None:
        self._kernel = ctypes.WinDLL("kernel32", use_last_error=True)

    def adapters(self) -> tuple[Adapter, ...]:
        return dxgi.adapters(_create_factory)

    def registry_keys(self, key: str) -> tuple[str, ...]:
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                count = winreg.QueryInfoKey(opened)[0]
                return tuple(winreg.EnumKey(opened, index) for index in range(count))
        except OSError:
            return ()

    def registry_value(self, key: str, name: str) -> str | int | bytes | None:
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                value, _ = winreg.QueryValueEx(opened, name)
        except OSError:
            return None
        return value if isinstance(value, (str, int, bytes)) else None

    def has_feature(self, number: int) -> bool:
        return bool(self._kernel.IsProcessorFeaturePresent(number))

    def core_records(self) -> bytes:
        size = ctypes.c_uint32(0)
        ask = self._kernel.GetLogicalProcessorInformationEx
        ask.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32))
        ask(_ALL_RELATIONS, None, ctypes.byref(size))
        if ctypes.get_last_error() != _INSUFFICIENT_BUFFER:
            raise ctypes.WinError(ctypes.get_last_error())
        buffer = ctypes.create_string_buffer(size.value)
        if not ask(_ALL_RELATIONS, buffer, ctypes.byref(size)):
            raise ctypes.WinError(ctypes.get_last_error())
        return buffer.raw[: size.value]

    def has_nvml(self) -> bool:
        return Path(os.environ.get("WINDIR", r"C:\Windows"), "System32", "nvml.dll").exists()


def _create_factory(iid: bytes) -> int:
    create = ctypes.WinDLL("dxgi").CreateDXGIFactory1
    create.restype = ctypes.c_int32
    create.argtypes = (ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p))
    factory = ctypes.c_void_p()
    result = create(iid, ctypes.byref(factory))
    if result < 0 or not factory.value:
        raise OSError(f"CreateDXGIFactory1: 0x{result & 0xFFFFFFFF:08x}")
    return factory.value


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
