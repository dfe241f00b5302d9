"""What a metadata value can be, and the sizes of GGUF's value types."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ValueType(IntEnum):
    """GGUF's codes for the type of a metadata value."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


SCALAR_FORMATS: dict[int, str] = {
    ValueType.UINT8: "B",
    ValueType.INT8: "b",
    ValueType.UINT16: "H",
    ValueType.INT16: "h",
    ValueType.UINT32: "I",
    ValueType.INT32: "i",
    ValueType.FLOAT32: "f",
    ValueType.BOOL: "B",
    ValueType.UINT64: "Q",
    ValueType.INT64: "q",
    ValueType.FLOAT64: "d",
}
"""struct's letter of every type of fixed size."""


@dataclass(frozen=True, slots=True)
class ArrayRef:
    """An array that was skipped: its items' type and number (a vocabulary, mostly)."""

    item_type: int
    count: int


@dataclass(frozen=True, slots=True)
class TextRef:
    """A string too long to keep (an embedded tokenizer file, mostly): its length in bytes."""

    length_bytes: int


Scalar = str | int | float | bool
MetaValue = Scalar | tuple[Scalar, ...] | ArrayRef | TextRef
"""Arrays of up to a few thousand numbers, and short lists of strings, are tuples."""
