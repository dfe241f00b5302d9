"""Windows' list of graphics adapters (DXGI): sizes beyond 4 GiB, and what is free now.

COM without a COM library: an object is a pointer to a table of functions, whose order dxgi.h,
dxgi1_2.h and dxgi1_4.h fix for good.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

_DESC1 = struct.Struct("<256s4I3QIiI")  # DXGI_ADAPTER_DESC1 on 64-bit Windows
_DESC1_BYTES = 312  # with the padding at its end
_MEMORY_INFO = struct.Struct("<4Q")  # budget, usage, available and current reservation
_SOFTWARE = 2  # DXGI_ADAPTER_FLAG_SOFTWARE
_NOT_FOUND = 0x887A0002  # DXGI_ERROR_NOT_FOUND: behind the last adapter
_MOST_ADAPTERS = 32

# Places in the tables of functions.
_QUERY_INTERFACE, _RELEASE = 0, 2
_ENUM_ADAPTERS1 = 12  # IDXGIFactory1
_GET_DESC1 = 10  # IDXGIAdapter1
_QUERY_VIDEO_MEMORY_INFO = 14  # IDXGIAdapter3

IID_FACTORY1 = UUID("770aae78-f26f-4dba-a829-253c83d1b387").bytes_le
IID_ADAPTER3 = UUID("645967a4-1392-4310-a798-8053ce3e93fd").bytes_le

CreateFactory = Callable[[bytes], int]


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter as Windows describes it; `budget_bytes` is what this process may use of it."""

    name: str
    vendor: int
    device: int
    dedicated_bytes: int
    shared_bytes: int
    luid: int
    is_software: bool = False
    budget_bytes: int | None = None
    used_bytes: int | None = None


def parse_desc(raw: bytes) -> Adapter:
    """A DXGI_ADAPTER_DESC1; raises ValueError where it is too short."""
    if len(raw) < _DESC1.size:
        raise ValueError(f"adapter description of {len(raw)} bytes")
    fields = _DESC1.unpack_from(raw)
    text = fields[0].decode("utf-16-le", "replace").split("\0")[0]
    # fields: name, vendor, device, subsystem, revision, dedicated video and system, shared, ...
    return Adapter(
        name=" ".join(text.split()),
        vendor=fields[1],
        device=fields[2],
        dedicated_bytes=fields[5],
        shared_bytes=fields[7],
        luid=fields[9] << 32 | fields[8],
        is_software=bool(fields[10] & _SOFTWARE),
    )


def adapters(create_factory: CreateFactory) -> tuple[Adapter, ...]:
    """All adapters through `create_factory(IID)`, which returns an IDXGIFactory1's address.

    Raises OSError where DXGI fails.
    """
    factory = create_factory(IID_FACTORY1)
    found: list[Adapter] = []
    try:
        for index in range(_MOST_ADAPTERS):
            adapter = ctypes.c_void_p()
            result = _method(factory, _ENUM_ADAPTERS1, ctypes.c_uint32, ctypes.c_void_p)(
                factory, index, ctypes.addressof(adapter)
            )
            if result & 0xFFFFFFFF == _NOT_FOUND:
                break
            _check(result, "EnumAdapters1")
            if adapter.value:
                found.append(_describe(adapter.value))
    finally:
        _release(factory)
    return tuple({adapter.luid: adapter for adapter in found}.values())


def _describe(address: int) -> Adapter:
    try:
        raw = ctypes.create_string_buffer(_DESC1_BYTES)
        _check(
            _method(address, _GET_DESC1, ctypes.c_void_p)(address, ctypes.addressof(raw)),
            "GetDesc1",
        )
        adapter = parse_desc(raw.raw)
        budget, used = _memory_info(address)
    finally:
        _release(address)
    return replace(adapter, budget_bytes=budget, used_bytes=used)


def _memory_info(address: int) -> tuple[int | None, int | None]:
    """Budget and use of the memory nearest to the GPU; (None, None) before Windows 10."""
    newer = ctypes.c_void_p()
    iid = ctypes.create_string_buffer(IID_ADAPTER3, 16)
    query = _method(address, _QUERY_INTERFACE, ctypes.c_void_p, ctypes.c_void_p)
    if query(address, ctypes.addressof(iid), ctypes.addressof(newer)) < 0 or not newer.value:
        return None, None
    try:
        raw = ctypes.create_string_buffer(_MEMORY_INFO.size)
        ask = _method(
            newer.value, _QUERY_VIDEO_MEMORY_INFO, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p
        )
        if ask(newer.value, 0, 0, ctypes.addressof(raw)) < 0:  # node 0, local memory
            return None, None
        budget, used, _, _ = _MEMORY_INFO.unpack(raw.raw)
        return budget, used
    finally:
        _release(newer.value)


def _method(address: int, place: int, *arguments: type) -> Callable[..., int]:
    """The function at `place` of the object's table, called with the object itself first.

    64-bit Windows has one calling convention, so this is plain C (and can be tested anywhere).
    """
    table = ctypes.cast(address, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p)))[0]
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, *arguments)
    return prototype(table[place] or 0)


def _release(address: int) -> None:
    _method(address, _RELEASE)(address)


def _check(result: int, what: str) -> None:
    if result < 0:
        raise OSError(f"{what}: 0x{result & 0xFFFFFFFF:08x}")
