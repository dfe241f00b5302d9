"""Sets of ranges, against sets of bytes."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from desktop.hub.transfer.extents import Extents

SIZE = 60
RANGES = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE))
STEPS = st.lists(st.tuples(st.booleans(), RANGES), max_size=25)


@given(STEPS, RANGES)
def test_as_a_set_of_bytes(
    steps: list[tuple[bool, tuple[int, int]]], asked: tuple[int, int]
) -> None:
    found, expected = Extents(), set[int]()
    for is_added, (start, end) in steps:
        if is_added:
            found.add(start, end)
            expected |= set(range(start, end))
        else:
            found.remove(start, end)
            expected -= set(range(start, end))
    assert [byte for start, end in found for byte in range(start, end)] == sorted(expected)
    assert found.total_bytes == len(expected)
    missing = [byte for start, end in found.gaps(SIZE) for byte in range(start, end)]
    assert missing == sorted(set(range(SIZE)) - expected)
    assert found.holds(*asked) == (set(range(*asked)) <= expected)
    assert found.front == next((byte for byte in range(SIZE + 1) if byte not in expected), SIZE)
    pairs = list(found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(pairs))
