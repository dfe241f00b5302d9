from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.hardware.windows_cores import Cores, parse_cores
from tests.hardware.trees import MIB


def core(mask: int, efficiency_class: int = 0) -> bytes:
    """A record RelationProcessorCore with one group."""
    body = struct.pack("<BB20xH", int(mask.bit_count() > 1), efficiency_class, 1)
    return struct.pack("<II", 0, 48) + body + struct.pack("<QH6x", mask, 0)


def cache(level: int, size: int, kind: int = 0) -> bytes:
    """A record RelationCache."""
    body = struct.pack("<BBHII18xH", level, 16, 64, size, kind, 1) + struct.pack("<QH6x", 255, 0)
    return struct.pack("<II", 2, 8 + len(body)) + body


def other(relationship: int) -> bytes:
    return struct.pack("<II", relationship, 40) + bytes(32)


def test_a_processor_of_one_kind() -> None:
    raw = b"".join(core(3 << 2 * number) for number in range(8))
    raw += cache(1, 32768, 2) + cache(2, 1 * MIB) + cache(3, 96 * MIB) + other(3) + other(4)
    assert parse_cores(raw) == Cores(physical=8, logical=16, performance=0, l3_bytes=96 * MIB)


def test_fast_and_slow_cores() -> None:
    raw = b"".join(core(3 << 2 * number, 1) for number in range(2))
    raw += b"".join(core(1 << 4 + number, 0) for number in range(8)) + cache(3, 12 * MIB)
    assert parse_cores(raw) == Cores(physical=10, logical=12, performance=2, l3_bytes=12 * MIB)


def test_an_instruction_cache_is_not_counted() -> None:
    assert parse_cores(core(1) + cache(3, MIB, 1)).l3_bytes is None


def test_several_third_level_caches() -> None:
    assert parse_cores(core(1) + 2 * cache(3, 32 * MIB)).l3_bytes == 64 * MIB


def test_nothing() -> None:
    assert parse_cores(b"") == Cores(0, 0, 0, None)


@pytest.mark.parametrize(
    "raw",
    [
        b"\0\0\0",
        core(1)[:20],
        struct.pack("<II", 0, 0),
        struct.pack("<II", 0, 1 << 20) + bytes(64),
        struct.pack("<II", 0, 8),
        struct.pack("<II", 0, 48) + struct.pack("<BB20xH", 0, 0, 500) + bytes(16),
    ],
)
def test_records_that_make_no_sense(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"record|cut short"):
        parse_cores(raw)


@given(st.binary(max_size=200) | st.lists(st.sampled_from((core(3), cache(3, MIB)))).map(b"".join))
def test_any_bytes_give_cores_or_an_error(raw: bytes) -> None:
    try:
        cores = parse_cores(raw)
    except ValueError:
        return
    assert 0 <= cores.performance <= cores.physical <= len(raw) // 8
