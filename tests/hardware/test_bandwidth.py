from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.hardware.bandwidth import BandwidthCache, machine_key
from desktop.hardware.machine import Cpu, Memory
from desktop.hardware.memory_speed import MemorySpeed

GIB = 1 << 30
CPU = Cpu("Test CPU", 2, 4, usable_cores=2, l3_bytes=1 << 20)
MEMORY = Memory(16 * GIB, 8 * GIB)


def _steady(bytes_per_s: int) -> MemorySpeed:
    return MemorySpeed(bytes_per_s, is_steady=True)


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path, clock: Clock) -> BandwidthCache:
    return BandwidthCache(tmp_path / "cache" / "bandwidth.json", clock)


def test_a_measurement_is_kept(cache: BandwidthCache) -> None:
    assert cache.get("a") is None
    assert not cache.is_fresh("a")
    assert cache.put("a", _steady(40_000)) == 40_000
    assert cache.get("a") == 40_000
    assert cache.is_fresh("a")
    assert cache.get("b") is None


def test_the_best_measurement_counts(cache: BandwidthCache) -> None:
    cache.put("a", _steady(40_000))
    assert cache.put("a", _steady(9_000)) == 40_000  # the machine was busy this time
    assert cache.put("a", _steady(50_000)) == 50_000
    assert cache.get("a") == 50_000


def test_a_new_machine_is_measured_on_three_days_and_then_once_a_week(
    cache: BandwidthCache, clock: Clock
) -> None:
    day = 86400
    measured_on = []
    for today in range(20):
        if not cache.is_fresh("a"):
            measured_on.append(today)
            cache.put("a", _steady(40_000))
        assert cache.is_fresh("a")
        clock.now += day
    assert measured_on == [0, 1, 2, 9, 16]


def test_a_busy_machine_is_measured_again_soon(cache: BandwidthCache, clock: Clock) -> None:
    cache.put("a", MemorySpeed(9_000, is_steady=False))
    assert cache.is_fresh("a")  # two commands in a row need not measure twice
    clock.now += 601
    assert not cache.is_fresh("a")
    assert cache.get("a") == 9_000
    cache.put("a", _steady(40_000))
    clock.now += 80_000
    assert cache.is_fresh("a")


def test_a_measurement_from_the_future_is_repeated(cache: BandwidthCache, clock: Clock) -> None:
    cache.put("a", _steady(40_000))
    clock.now -= 30 * 86400
    assert not cache.is_fresh("a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": 5}',
        b'{"a": {"bytes_per_s": -5, "times": 1, "next_s": 1.0}}',
        b'{"a": {"bytes_per_s": true, "times": 1, "next_s": 1.0}}',
        b'{"a": {"bytes_per_s": 5, "times": 1, "next_s": "noon"}}',
        b'{"a": {"bytes_per_s": 5, "times": -1, "next_s": 1.0}}',
        b'{"a": {"bytes_per_s": 5, "next_s": 1.0}}',
    ],
)
def test_a_broken_file_is_measured_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bandwidth.json"
    path.write_bytes(content)
    cache = BandwidthCache(path)
    assert cache.get("a") is None
    assert cache.put("a", _steady(7)) == 7
    assert cache.get("a") == 7


def test_other_machines_entries_stay(cache: BandwidthCache, tmp_path: Path) -> None:
    cache.put("a", _steady(1))
    cache.put("b", _steady(2))
    assert cache.get("a") == 1
    assert set(json.loads((tmp_path / "cache" / "bandwidth.json").read_bytes())) == {"a", "b"}


def test_a_cache_that_cannot_be_written_loses_nothing_else(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    cache = BandwidthCache(blocked / "bandwidth.json")
    assert cache.put("a", _steady(7)) == 7
    assert cache.get("a") is None


def test_keys_tell_machines_apart() -> None:
    keys = {
        machine_key(CPU, MEMORY),
        machine_key(Cpu("Other CPU", 2, 4, usable_cores=2), MEMORY),
        machine_key(Cpu("Test CPU", 2, 4, usable_cores=1), MEMORY),
        machine_key(CPU, Memory(32 * GIB)),
    }
    assert len(keys) == 4
    # The kernel's own share differs a little from boot to boot.
    assert machine_key(CPU, MEMORY) == machine_key(CPU, Memory(16 * GIB - (90 << 20), 5))
