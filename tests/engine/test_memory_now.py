"""What this process holds now, and what an open engine says that its model does."""

from __future__ import annotations

import sys

import numpy as np

from desktop.engine.memory_now import memory_now
from desktop.engine.peak import peak_bytes, resident_bytes
from tests.engine.conftest import OpenEngine
from tests.engine.driving import ask

MIB = 1 << 20


def test_the_process_grows_by_what_it_takes() -> None:
    before = memory_now(graphics=False)
    block = np.ones(64 * MIB, np.uint8)
    during = memory_now(graphics=False)
    assert during.process_bytes - before.process_bytes > 48 * MIB
    assert during.peak_bytes >= during.process_bytes - MIB
    assert block[-1] == 1
    del block
    assert resident_bytes() < during.process_bytes - 48 * MIB
    assert peak_bytes() >= during.peak_bytes - MIB


def test_graphics_are_asked_only_where_they_take_part() -> None:
    assert memory_now(graphics=False).free_bytes == {}
    assert memory_now(graphics=True).free_bytes["CPU"] > 0


def test_an_engine_tells_what_it_holds_and_after_its_end_what_it_held(
    open_engine: OpenEngine,
) -> None:
    engine = open_engine(context=512)
    at_load = engine.memory_usage()
    assert at_load is not None
    (cpu,) = at_load
    assert (cpu.device, cpu.weights_bytes > 0, cpu.context_bytes > 0) == ("CPU", True, True)
    assert engine.submit(ask("a", "Hallo", 4)).collect(30.0)[1] is not None
    engine.close()
    at_end = engine.memory_usage()
    assert at_end is not None
    assert at_end[0].weights_bytes == cpu.weights_bytes
    assert at_end[0].total_bytes >= cpu.total_bytes or sys.platform != "linux"
