from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from desktop.hardware import bandwidth
from desktop.hardware.bandwidth import BandwidthCache, machine_key, measure_bandwidth
from desktop.hardware.machine import Cpu, Memory

GIB = 1 << 30
CPU = Cpu("Test CPU", 2, 4, usable_cores=2, l3_bytes=1 << 20)
MEMORY = Memory(16 * GIB, 8 * GIB)


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


def test_this_machine_reads_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "_FILL_S", 30.0)  # however busy it is
    threads = threading.active_count()
    rate = measure_bandwidth(CPU, MEMORY)
    assert rate is not None
    assert 10**8 < rate < 10**13
    assert threading.active_count() == threads


def test_no_measurement_where_memory_is_short() -> None:
    assert measure_bandwidth(CPU, Memory(16 * GIB, 200 << 20)) is None
    assert measure_bandwidth(CPU, Memory(200 << 20)) is None


def test_a_thread_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thread must not wait for the second forever."""
    real = threading.Thread.start
    started: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    assert measure_bandwidth(CPU, MEMORY) is None
    assert not started[0].is_alive()


def test_a_machine_too_busy_to_fill_the_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a buffer lies in the caches, and their speed says nothing."""
    monkeypatch.setattr(bandwidth, "_FILL_S", 0.0)
    assert measure_bandwidth(CPU, MEMORY) is None


def test_no_memory_for_the_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(bandwidth._Measurement, "__init__", fail)
    assert measure_bandwidth(CPU, MEMORY) is None


def test_a_measurement_is_kept(cache: BandwidthCache) -> None:
    assert cache.get("a") is None
    assert not cache.is_fresh("a")
    assert cache.put("a", 40_000) == 40_000
    assert cache.get("a") == 40_000
    assert cache.is_fresh("a")
    assert cache.get("b") is None


def test_the_best_measurement_counts(cache: BandwidthCache) -> None:
    cache.put("a", 40_000)
    assert cache.put("a", 9_000) == 40_000  # the machine was busy this time
    assert cache.put("a", 50_000) == 50_000
    assert cache.get("a") == 50_000


def test_a_new_machine_is_measured_on_three_days_and_then_once_a_week(
    cache: BandwidthCache, clock: Clock
) -> None:
    day = 86400
    measured_on = []
    for today in range(20):
        if not cache.is_fresh("a"):
            measured_on.append(today)
            cache.put("a", 40_000)
        assert cache.is_fresh("a")
        clock.now += day
    assert measured_on == [0, 1, 2, 9, 16]


def test_a_measurement_from_the_future_is_repeated(cache: BandwidthCache, clock: Clock) -> None:
    cache.put("a", 40_000)
    clock.now -= 86400
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
        b'{"a": {"bytes_per_s": -5, "at_s": 0}}',
        b'{"a": {"bytes_per_s": true, "at_s": 0}}',
        b'{"a": {"bytes_per_s": 5, "at_s": "noon", "times": 1}}',
        b'{"a": {"bytes_per_s": 5, "at_s": 0}}',
        b'{"a": {"bytes_per_s": 5, "at_s": 0, "times": 0}}',
        b'{"a": {"bytes_per_s": 5, "at_s": true, "times": 1}}',
    ],
)
def test_a_broken_file_is_measured_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bandwidth.json"
    path.write_bytes(content)
    cache = BandwidthCache(path)
    assert cache.get("a") is None
    assert cache.put("a", 7) == 7
    assert cache.get("a") == 7


def test_other_machines_entries_stay(cache: BandwidthCache, tmp_path: Path) -> None:
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    assert set(json.loads((tmp_path / "cache" / "bandwidth.json").read_bytes())) == {"a", "b"}


def test_a_cache_that_cannot_be_written_loses_nothing_else(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    cache = BandwidthCache(blocked / "bandwidth.json")
    assert cache.put("a", 7) == 7
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
