"""The arrays that llama_decode reads, made once and filled in place."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any


class Batch:
    """Tokens of several sequences for one call; never more than `capacity`.

    Plain ctypes arrays: slices of lists go in at C speed, and no numpy has to be imported.
    """

    def __init__(self, lib: Any, capacity: int) -> None:
        self.capacity = capacity
        self.struct = lib.llama_batch()
        self._tokens = (ctypes.c_int32 * capacity)()
        self._positions = (ctypes.c_int32 * capacity)()
        self._sequences = (ctypes.c_int32 * capacity)()
        self._outputs = (ctypes.c_int8 * capacity)()
        self._counts = (ctypes.c_int32 * capacity)(*([1] * capacity))
        base, size = ctypes.addressof(self._sequences), ctypes.sizeof(ctypes.c_int32)
        # llama.cpp wants a list of sequences for each token: a list of one, at a fixed place.
        self._lists = (ctypes.c_void_p * capacity)(*(base + size * n for n in range(capacity)))
        for field, array in (
            ("token", self._tokens),
            ("pos", self._positions),
            ("seq_id", self._lists),
            ("n_seq_id", self._counts),
            ("logits", self._outputs),
        ):
            setattr(self.struct, field, ctypes.cast(array, type(getattr(self.struct, field))))
        self._count = 0

    def clear(self) -> None:
        self._count = 0

    @property
    def room(self) -> int:
        return self.capacity - self._count

    def add_one(self, token: int, position: int, sequence: int) -> int:
        """One token whose logits are wanted; returns its place, for the sampler."""
        place = self._count
        if place >= self.capacity:
            raise IndexError("batch is full")
        self._tokens[place] = token
        self._positions[place] = position
        self._sequences[place] = sequence
        self._outputs[place] = 1
        self._count = place + 1
        return place

    def add(self, tokens: Sequence[int], position: int, sequence: int, *, output: bool) -> int:
        """Tokens of one sequence from `position` on; returns the place of the last one.

        `output` asks for the logits of that last one.
        """
        start, count = self._count, len(tokens)
        end = start + count
        if end > self.capacity:
            raise IndexError("batch is full")
        self._tokens[start:end] = list(tokens)
        self._positions[start:end] = list(range(position, position + count))
        self._sequences[start:end] = [sequence] * count
        self._outputs[start:end] = [0] * count
        self._outputs[end - 1] = int(output)
        self._count = end
        return end - 1

    def add_each(self, tokens: Sequence[int], position: int, sequence: int) -> int:
        """Tokens of one sequence with the logits of each; returns the place of the first one."""
        start, count = self._count, len(tokens)
        last = self.add(tokens, position, sequence, output=True)
        self._outputs[start : last + 1] = [1] * count
        return start

    def seal(self) -> Any:
        """The struct for llama_decode, with the count of what was added."""
        self.struct.n_tokens = self._count
        return self.struct

    def __len__(self) -> int:
        return self._count
