"""Sums over row heights agree with adding them up."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.transcript.heights import Heights

heights_lists = st.lists(st.integers(1, 500), min_size=1, max_size=60)


@given(heights_lists)
def test_above_and_total_are_sums(values: list[int]) -> None:
    heights = Heights(values)
    assert [heights.above(row) for row in range(len(values) + 1)] == [0, *accumulate(values)]
    assert heights.total == sum(values)


@given(heights_lists, st.data())
def test_find_gives_the_row_that_contains_a_height(values: list[int], data: st.DataObject) -> None:
    heights = Heights(values)
    y = data.draw(st.integers(0, sum(values) - 1))
    row, within = heights.find(y)
    assert heights.above(row) + within == y
    assert 0 <= within < values[row]


@given(heights_lists, st.lists(st.tuples(st.integers(0, 59), st.integers(1, 500))), heights_lists)
def test_changing_appending_truncating_equals_starting_over(
    values: list[int], changes: list[tuple[int, int]], more: list[int]
) -> None:
    heights = Heights(values)
    for row, height in changes:
        if row < len(values):
            heights[row] = values[row] = height
    for height in more:
        heights.append(height)
    values = (values + more)[: len(values)]
    heights.truncate(len(values))
    for height in more:
        heights.append(height)
    values += more
    assert [heights.above(row) for row in range(len(values) + 1)] == [0, *accumulate(values)]


def test_find_outside_gives_the_nearest_row() -> None:
    heights = Heights([10, 20])
    assert heights.find(-5) == (0, 0)
    assert heights.find(999) == (1, 20)


def test_find_without_rows_is_an_error() -> None:
    with pytest.raises(IndexError):
        Heights().find(0)
