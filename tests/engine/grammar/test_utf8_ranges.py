"""Ranges of characters as ranges of bytes."""

from __future__ import annotations

import random

import pytest

from desktop.engine.grammar.utf8_ranges import byte_sequences

EDGES = [0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]


def covered(low: int, high: int, code: int) -> int:
    """How many of the sequences hold a character: one or none, where they are right."""
    raw = chr(code).encode()
    return sum(
        len(sequence) == len(raw)
        and all(first <= byte <= last for byte, (first, last) in zip(raw, sequence, strict=True))
        for sequence in byte_sequences([(low, high)])
    )


@pytest.mark.parametrize("seed", range(30))
def test_each_character_is_held_once_and_no_other(seed: int) -> None:
    dice = random.Random(seed)
    low, high = sorted(dice.choice([*EDGES, dice.randrange(0x110000)]) for _ in range(2))
    codes = {low, high, (low + high) // 2, low - 1, high + 1, *EDGES}
    codes |= {dice.randrange(0x110000) for _ in range(200)}
    for code in codes:
        if 0 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
            assert covered(low, high, code) == (low <= code <= high), (low, high, code)


def test_half_of_a_pair_is_no_character() -> None:
    assert list(byte_sequences([(0xD800, 0xDFFF)])) == []
    assert len(list(byte_sequences([(0, 0x10FFFF)]))) < 12
