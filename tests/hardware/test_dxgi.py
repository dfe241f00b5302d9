"""DXGI's calls on objects that this test lays into memory: tables of C functions, as COM does."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any

import pytest

from desktop.hardware import dxgi
from desktop.hardware.dxgi import Adapter
from tests.hardware.trees import GIB, MIB

NOT_FOUND = -0x7785FFFE  # 0x887A0002 as a signed number
NO_INTERFACE = -0x7FFFBFFE


def description(
    name: str,
    vendor: int,
    device: int,
    *,
    dedicated: int = 0,
    shared: int = 0,
    luid: int = 1,
    flags: int = 0,
) -> bytes:
    """A DXGI_ADAPTER_DESC1 as 64-bit Windows writes it."""
    text = name.encode("utf-16-le").ljust(256, b"\0")
    numbers = struct.pack("<4I3Q", vendor, device, 0x12345678, 0xC8, dedicated, 0, shared)
    return text + numbers + struct.pack("<IiI4x", luid & 0xFFFFFFFF, luid >> 32, flags)


class ComObject:
    """An object with functions at given places of its table; counts its releases."""

    def __init__(self, functions: dict[int, tuple[list[Any], Callable[..., int]]]) -> None:
        self.released = 0
        kept = {2: self._function([], self._release)}
        for place, (arguments, function) in functions.items():
            kept[place] = self._function(arguments, function)
        self._kept = kept
        self._table = (ctypes.c_void_p * 20)()
        for place, function in kept.items():
            self._table[place] = ctypes.cast(function, ctypes.c_void_p).value
        self._object = ctypes.c_void_p(ctypes.addressof(self._table))

    @staticmethod
    def _function(arguments: list[Any], function: Callable[..., int]) -> Any:
        return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, *arguments)(function)

    def _release(self, _this: int) -> int:
        self.released += 1
        return 0

    @property
    def address(self) -> int:
        return ctypes.addressof(self._object)


def adapter_object(desc: bytes, budget: tuple[int, int] | None) -> tuple[ComObject, ComObject]:
    """An IDXGIAdapter1 and its IDXGIAdapter3; without a budget there is no newer interface."""

    def get_desc(_this: int, out: int) -> int:
        ctypes.memmove(out, desc, len(desc))
        return 0

    def query_memory(_this: int, node: int, group: int, out: int) -> int:
        assert (node, group) == (0, 0)
        assert budget is not None
        ctypes.memmove(out, struct.pack("<4Q", *budget, 0, 0), 32)
        return 0

    newer = ComObject({14: ([ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p], query_memory)})

    def query_interface(_this: int, iid: int, out: int) -> int:
        if budget is None or ctypes.string_at(iid, 16) != dxgi.IID_ADAPTER3:
            return NO_INTERFACE
        ctypes.c_void_p.from_address(out).value = newer.address
        return 0

    adapter = ComObject(
        {
            0: ([ctypes.c_void_p, ctypes.c_void_p], query_interface),
            10: ([ctypes.c_void_p], get_desc),
        }
    )
    return adapter, newer


def factory_object(adapters: list[ComObject], result: int = NOT_FOUND) -> ComObject:
    def enumerate_adapters(_this: int, index: int, out: int) -> int:
        if index >= len(adapters):
            return result
        ctypes.c_void_p.from_address(out).value = adapters[index].address
        return 0

    return ComObject({12: ([ctypes.c_uint32, ctypes.c_void_p], enumerate_adapters)})


def test_adapters_are_listed_and_let_go() -> None:
    card, card_newer = adapter_object(
        description("AMD Radeon RX 7900 XTX", 0x1002, 0x744C, dedicated=25669140480, luid=5),
        (24 * GIB, GIB),
    )
    basic, _ = adapter_object(
        description("Microsoft Basic Render Driver", 0x1414, 0x8C, luid=9, flags=2), None
    )
    factory = factory_object([card, basic])
    found = dxgi.adapters(lambda iid: factory.address if iid == dxgi.IID_FACTORY1 else 0)
    assert found == (
        Adapter(
            name="AMD Radeon RX 7900 XTX",
            vendor=0x1002,
            device=0x744C,
            dedicated_bytes=25669140480,
            shared_bytes=0,
            luid=5,
            is_software=False,
            budget_bytes=24 * GIB,
            used_bytes=GIB,
        ),
        Adapter("Microsoft Basic Render Driver", 0x1414, 0x8C, 0, 0, 9, is_software=True),
    )
    assert [each.released for each in (factory, card, card_newer, basic)] == [1, 1, 1, 1]


def test_one_adapter_listed_twice() -> None:
    desc = description("Intel(R) UHD Graphics", 0x8086, 0x9A49, dedicated=128 * MIB, luid=1 << 33)
    twice = [adapter_object(desc, None)[0] for _ in range(2)]
    factory = factory_object(twice)
    found = dxgi.adapters(lambda _: factory.address)
    assert [adapter.luid for adapter in found] == [1 << 33]


def test_an_enumeration_that_fails() -> None:
    factory = factory_object([], result=-0x7FFBFFF1)
    with pytest.raises(OSError, match="EnumAdapters1"):
        dxgi.adapters(lambda _: factory.address)
    assert factory.released == 1


def test_an_adapter_that_does_not_describe_itself() -> None:
    broken = ComObject({10: ([ctypes.c_void_p], lambda _this, _out: -0x7FFBFFF1)})
    factory = factory_object([broken])
    with pytest.raises(OSError, match="GetDesc1"):
        dxgi.adapters(lambda _: factory.address)
    assert (factory.released, broken.released) == (1, 1)


def test_a_description_cut_short() -> None:
    with pytest.raises(ValueError, match="bytes"):
        dxgi.parse_desc(bytes(100))


def test_the_interfaces_numbers_as_windows_lays_them_down() -> None:
    assert dxgi.IID_FACTORY1.hex() == "78ae0a776ff2ba4da829253c83d1b387"
    assert dxgi.IID_ADAPTER3.hex() == "a467596492131043a7988053ce3e93fd"
