"""Whether a model may fit, by its parameters alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.hardware.machine import Memory
from desktop.services.rough_fit import largest_file_bytes, rough_fit, usable_bytes
from tests.fit.machines import laptop

GIB = 2**30
MACHINE = replace(laptop(), memory=Memory(16 * GIB, 9 * GIB), gpus=())


@pytest.mark.parametrize(
    ("billions", "expected"),
    [(1, "fits"), (8, "fits"), (13, "tight"), (14.8, "too_large"), (70, "too_large")],
)
def test_by_size(billions: float, expected: str) -> None:
    assert rough_fit(int(billions * 1e9), MACHINE) == expected


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert rough_fit(None, MACHINE) is None
    assert rough_fit(0, MACHINE) is None


def test_the_largest_file_has_room_beside_what_it_needs() -> None:
    assert largest_file_bytes(MACHINE) < usable_bytes(MACHINE) == 9 * GIB


def test_memory_of_unknown_use_counts_whole() -> None:
    assert usable_bytes(replace(MACHINE, memory=Memory(16 * GIB, None))) == 16 * GIB
