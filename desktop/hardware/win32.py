"""The calls into Windows itself. Everything that thinks about the answers is in windows.py."""

from __future__ import annotations

import ctypes
import os
import sys
import winreg
from pathlib import Path

from desktop.hardware import dxgi
from desktop.hardware.dxgi import Adapter

assert sys.platform == "win32"  # nobody imports this elsewhere; tells the type checker so
_ALL_RELATIONS = 0xFFFF
_INSUFFICIENT_BUFFER = 122


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
