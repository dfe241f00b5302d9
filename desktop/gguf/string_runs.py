"""Finds the end of many strings at once, at the speed of the regular expression engine.

A vocabulary and its merges are 400,000 strings, each behind its length. Reading the lengths one
by one costs 50 ms of Python; one expression that matches RUN short strings in a row, length by
length, goes through the same bytes in 16 ms.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

RUN = 64
_LONGEST = 128  # bytes; longer strings are rare, and a run with one is read length by length


@cache
def run_pattern(byte_order: Literal["little", "big"]) -> re.Pattern[bytes]:
    """Matches RUN strings of less than 128 bytes, each behind its eight bytes of length."""
    likely_first = sorted(range(_LONGEST), key=lambda length: abs(length - 6))
    choices = b"|".join(_one_string(length, byte_order) for length in likely_first)
    # Possessive: the length decides, there is nothing to come back to.
    return re.compile(b"(?:%b){%d}+" % (choices, RUN), re.DOTALL)


def _one_string(length: int, byte_order: Literal["little", "big"]) -> bytes:
    body = b".{%d}" % length if length else b""
    return re.escape(length.to_bytes(8, byte_order)) + body
