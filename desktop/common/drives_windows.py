"""Windows: what GetDriveTypeW says of the drive's letter, and on which bus its disk hangs."""

from __future__ import annotations

import ctypes
import struct
import sys
from pathlib import Path, PureWindowsPath
from typing import Any

from desktop.common.drive_kind import DriveKind

# https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdrivetypew
_REMOVABLE, _FIXED, _REMOTE, _CDROM, _RAMDISK = 2, 3, 4, 5, 6
# STORAGE_BUS_TYPE: 1394, USB, SD. Soldered flash is MMC.
_BUSES_TO_UNPLUG = frozenset({4, 7, 12})
_IOCTL_STORAGE_QUERY_PROPERTY = 0x2D1400
_SHARE_ALL, _OPEN_EXISTING = 7, 3
_INVALID_HANDLE = ctypes.c_void_p(-1).value


def kind_of(path: Path) -> DriveKind:
    """The kind of drive under `path`; "unknown" on another platform."""
    drive = PureWindowsPath(path).drive
    if is_unc(drive):
        return "network"
    kind: DriveKind = "unknown"
    if sys.platform == "win32":
        kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
        kind = kind_of_letter(drive.removeprefix("\\\\?\\"), kernel32)
    return kind


def is_unc(drive: str) -> bool:
    """``\\\\server\\share`` is a network folder, ``\\\\?\\C:`` is only a long way to write C:."""
    if drive.upper().startswith("\\\\?\\UNC\\"):
        return True
    return drive.startswith("\\\\") and drive[2:3] not in ("?", ".")


def kind_of_letter(letter: str, kernel32: Any) -> DriveKind:
    """The kind of drive ``C:``. A USB hard disk calls itself fixed: its bus tells."""
    kind = classify(int(kernel32.GetDriveTypeW(ctypes.c_wchar_p(letter + "\\"))))
    if kind == "local" and hangs_on_a_plug(_descriptor(letter, kernel32)):
        return "removable"
    return kind


def classify(drive_type: int) -> DriveKind:
    """The meaning of GetDriveTypeW's result."""
    if drive_type in (_REMOVABLE, _CDROM):
        return "removable"
    if drive_type == _REMOTE:
        return "network"
    return "local" if drive_type in (_FIXED, _RAMDISK) else "unknown"


def hangs_on_a_plug(descriptor: bytes) -> bool:
    """By STORAGE_DEVICE_DESCRIPTOR: RemovableMedia is byte 10, BusType the number at byte 28."""
    if len(descriptor) < 32:
        return False
    (bus,) = struct.unpack_from("<I", descriptor, 28)
    return descriptor[10] != 0 or bus in _BUSES_TO_UNPLUG


def _descriptor(letter: str, kernel32: Any) -> bytes:
    """What the disk says of itself, or nothing; no access is asked for, so no rights are needed."""
    kernel32.CreateFileW.restype = ctypes.c_void_p
    name = ctypes.c_wchar_p(f"\\\\.\\{letter}")
    handle = kernel32.CreateFileW(name, 0, _SHARE_ALL, None, _OPEN_EXISTING, 0, None)
    if handle in (None, _INVALID_HANDLE):
        return b""
    query = ctypes.create_string_buffer(12)  # STORAGE_PROPERTY_QUERY: device property, standard
    answer = ctypes.create_string_buffer(1024)
    length = ctypes.c_uint32()
    try:
        done = kernel32.DeviceIoControl(
            ctypes.c_void_p(handle),
            ctypes.c_uint32(_IOCTL_STORAGE_QUERY_PROPERTY),
            query,
            ctypes.c_uint32(12),
            answer,
            ctypes.c_uint32(1024),
            ctypes.byref(length),
            None,
        )
    finally:
        kernel32.CloseHandle(ctypes.c_void_p(handle))
    return answer.raw[: length.value] if done else b""
