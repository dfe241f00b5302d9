from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.wording import (
    format_about,
    format_bytes,
    format_day,
    format_duration,
    format_memory,
    format_number,
    format_speed,
    format_times,
)


@pytest.mark.parametrize(
    ("n", "german", "english"),
    [
        (0, "0 Byte", "0 bytes"),
        (1, "1 Byte", "1 byte"),
        (999, "999 Byte", "999 bytes"),
        (1_000, "1,0 kB", "1.0 kB"),
        (12_300, "12 kB", "12 kB"),
        (999_400, "999 kB", "999 kB"),
        (999_600, "1,0 MB", "1.0 MB"),
        (5_600_000_000, "5,6 GB", "5.6 GB"),
        (99_960_000, "100 MB", "100 MB"),
        (999_960_000, "1,0 GB", "1.0 GB"),
        (17_179_869_184, "17,2 GB", "17.2 GB"),
        (2_000_000_000_000, "2,0 TB", "2.0 TB"),
        (10**18, "1.000 PB", "1,000 PB"),
        (-5_600_000_000, "-5,6 GB", "-5.6 GB"),
    ],
)
def test_bytes(n: int, german: str, english: str) -> None:
    assert format_bytes(n, "de") == german
    assert format_bytes(n, "en") == english


@pytest.mark.parametrize(
    ("seconds", "german", "english"),
    [
        (0, "0 Sekunden", "0 seconds"),
        (2.44, "2,4 Sekunden", "2.4 seconds"),
        (1.0, "1 Sekunde", "1 second"),
        (9.96, "10 Sekunden", "10 seconds"),
        (45, "45 Sekunden", "45 seconds"),
        (59.7, "1 Minute", "1 minute"),
        (125, "2 Minuten 5 Sekunden", "2 minutes 5 seconds"),
        (3_599.9, "1 Stunde", "1 hour"),
        (3_661, "1 Stunde 1 Minute", "1 hour 1 minute"),
        (7_300, "2 Stunden 2 Minuten", "2 hours 2 minutes"),
        (-3, "0 Sekunden", "0 seconds"),
    ],
)
def test_duration(seconds: float, german: str, english: str) -> None:
    assert format_duration(seconds, "de") == german
    assert format_duration(seconds, "en") == english


@pytest.mark.parametrize(
    ("x", "digits", "german", "english"),
    [
        (1_234_567, 0, "1.234.567", "1,234,567"),
        (1_234.56, 1, "1.234,6", "1,234.6"),
        (0.04, 1, "0,0", "0.0"),
        (-0.04, 1, "0,0", "0.0"),
        (-1.5, 1, "-1,5", "-1.5"),
    ],
)
def test_number(x: float, digits: int, german: str, english: str) -> None:
    assert format_number(x, "de", digits) == german
    assert format_number(x, "en", digits) == english


@given(st.integers(0, 10**21))
def test_any_size_reads_back_to_within_five_percent(n: int) -> None:
    shown = format_bytes(n, "en")
    match = re.fullmatch(r"([\d,]+(?:\.\d)?) (bytes?|[kMGTP]B)", shown)
    assert match is not None
    unit = {"b": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}[match[2][0]]
    assert float(match[1].replace(",", "")) * unit == pytest.approx(n, rel=0.05)
    assert not match[1].startswith("1,000") or match[2] == "PB"


@pytest.mark.parametrize(
    ("n", "german"),
    [
        (16 << 30, "16 GB"),
        (12 << 30, "12 GB"),
        (int(11.4 * 2**30), "11,4 GB"),
        (8 << 20, "8,0 MB"),
        (1023 << 20, "1,0 GB"),
        (0, "0 Byte"),
        (-(3 << 29), "-1,5 GB"),
    ],
)
def test_memory_is_counted_as_it_is_sold(n: int, german: str) -> None:
    """A computer with 16 GB was said to have 17.2."""
    assert format_memory(n, "de") == german


@pytest.mark.parametrize(
    ("speed", "german"), [(0.3, "0,3"), (9.94, "9,9"), (9.96, "10"), (51.6, "52"), (1421, "1.400")]
)
def test_a_predicted_speed_has_no_digits_that_nobody_knows(speed: float, german: str) -> None:
    assert format_speed(speed, "de") == german


@pytest.mark.parametrize(
    ("seconds", "german", "english"),
    [
        (0.3, "weniger als einer Sekunde", "less than a second"),
        (1.0, "etwa einer Sekunde", "about a second"),
        (7.7, "etwa 8 Sekunden", "about 8 seconds"),
        (42.4, "etwa 40 Sekunden", "about 40 seconds"),
        (101, "etwa 2 Minuten", "about 2 minutes"),
        (1319, "etwa 22 Minuten", "about 22 minutes"),
        (7200, "etwa 2,0 Stunden", "about 2.0 hours"),
    ],
)
def test_a_guessed_time_is_round(seconds: float, german: str, english: str) -> None:
    assert format_about(seconds, "de") == german
    assert format_about(seconds, "en") == english


def test_times_as_much() -> None:
    assert [format_times(x, "de") for x in (1.94, 2.0, 2.04, 3.1)] == ["1,9", "2", "2", "3,1"]


def test_days() -> None:
    assert format_day("2026-04-01", "de") == "1. April 2026"
    assert format_day("2026-12-31", "en") == "31 December 2026"
    assert format_day("2026-04", "de") == "2026-04"
