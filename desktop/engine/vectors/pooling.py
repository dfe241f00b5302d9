"""One vector of the vectors of a text's tokens, which may come in several portions."""

from __future__ import annotations

from array import array
from typing import Any

from desktop.engine.embedding import Pooling, Vector


class Pooled:
    """Takes rows (tokens) of numbers in their order."""

    def __init__(self, pooling: Pooling) -> None:
        self._pooling = pooling
        self._rows: list[Any] = []
        self._sum: Any = None
        self._count = 0

    def add(self, rows: Any) -> None:
        """`rows`: a matrix of float32, a row a token."""
        if self._pooling == "mean":
            # In double precision: the same to the last bit whatever the portions are.
            part = rows.sum(axis=0, dtype="float64")
            self._sum = part if self._sum is None else self._sum + part
        elif self._pooling == "none":
            self._rows.append(rows)
        elif self._pooling == "last":
            self._rows = [rows[-1:]]
        elif not self._rows:  # cls: the first token's
            self._rows = [rows[:1]]
        self._count += len(rows)

    def vectors(self, *, normalize: bool) -> tuple[Vector, ...]:
        rows = [self._sum / self._count] if self._sum is not None else []
        rows += [row for part in self._rows for row in part]
        return tuple(_vector(row, normalize=normalize) for row in rows)


def _vector(row: Any, *, normalize: bool) -> Vector:
    if normalize:
        wide = row.astype("float64")
        length = float((wide * wide).sum()) ** 0.5
        # A vector of zeros has no direction, and stays.
        row = wide / length if length > 0 else wide
    return array("f", row.astype("float32").tobytes())
