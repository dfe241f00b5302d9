from __future__ import annotations

import gc
import threading
import time

import psutil
import pytest

from desktop.hardware import memory_speed
from desktop.hardware.machine import Cpu, Memory
from desktop.hardware.memory_speed import MemorySpeed, measure_bandwidth

GIB = 1 << 30
CPU = Cpu("Test CPU", 2, 4, usable_cores=2, l3_bytes=1 << 20)
MEMORY = Memory(16 * GIB, 8 * GIB)


def test_this_machine_reads_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_speed, "_FILL_S", 30.0)  # however busy it is
    threads = threading.active_count()
    speed = measure_bandwidth(CPU, MEMORY)
    assert speed is not None
    assert 10**8 < speed.bytes_per_s < 10**13
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
    monkeypatch.setattr(memory_speed, "_FILL_S", 0.0)
    assert measure_bandwidth(CPU, MEMORY) is None


def test_no_memory_for_the_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(memory_speed._Measurement, "__init__", fail)
    assert measure_bandwidth(CPU, MEMORY) is None


def test_a_thread_that_waits_for_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processor time runs at half the clock: then the rate is unsteady, and at least
    what one core read in its own time."""
    monkeypatch.setattr(memory_speed, "_FILL_S", 30.0)
    monkeypatch.setattr(memory_speed, "_COUNTS_FINELY", True)
    monkeypatch.setattr(time, "thread_time", lambda: time.perf_counter() / 2)
    busy = measure_bandwidth(CPU, MEMORY)
    assert busy is not None
    assert not busy.is_steady
    monkeypatch.setattr(time, "thread_time", time.perf_counter)
    steady = measure_bandwidth(CPU, MEMORY)
    assert steady is not None
    assert steady.is_steady


def test_a_system_that_counts_too_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_speed, "_FILL_S", 30.0)
    monkeypatch.setattr(memory_speed, "_COUNTS_FINELY", False)
    monkeypatch.setattr(time, "thread_time", lambda: 0.0)
    speed = measure_bandwidth(CPU, MEMORY)
    assert isinstance(speed, MemorySpeed)
    assert speed.is_steady


def test_the_buffer_is_given_back_without_a_collection() -> None:
    """It once hung in a cycle, and the window kept 150 MB until its next full collection."""
    process = psutil.Process()
    gc.disable()
    try:
        measure_bandwidth(Cpu(physical_cores=1, l3_bytes=1 << 20), Memory(8 << 30))
        before = process.memory_info().rss
        for _ in range(3):
            measure_bandwidth(Cpu(physical_cores=1, l3_bytes=1 << 20), Memory(8 << 30))
        assert process.memory_info().rss - before < 100 << 20
    finally:
        gc.enable()
