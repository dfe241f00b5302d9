"""Ranges of characters as ranges of UTF-8 bytes, so that a grammar can be matched bytewise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Step = tuple[int, int]
"""The lowest and the highest value of one byte."""

_LENGTHS = ((0x0, 0x7F), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF))


def byte_sequences(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[Step, ...]]:
    """Sequences of 1 to 4 byte ranges that together are the characters of `ranges`.

    Surrogates, which no UTF-8 holds, are left out. The splitting is that of Ken Thompson's
    grep as RE2 describes it: cut where the length changes, then until each byte is a range.
    """
    for low, high in ranges:
        for first, last in _LENGTHS:
            start, end = max(low, first), min(high, last)
            if start <= end:
                yield from _split(start, end)


def _split(low: int, high: int) -> Iterator[tuple[Step, ...]]:
    """`low` and `high` have encodings of one length."""
    if high < 0x80:
        yield ((low, high),)
        return
    for shift in (18, 12, 6):
        mask = (1 << shift) - 1
        if low >> shift == high >> shift or high <= mask:
            continue
        if low & mask:
            yield from _split(low, low | mask)
            yield from _split((low | mask) + 1, high)
            return
        if high & mask != mask:
            yield from _split(low, (high & ~mask) - 1)
            yield from _split(high & ~mask, high)
            return
    yield tuple(zip(chr(low).encode(), chr(high).encode(), strict=True))
