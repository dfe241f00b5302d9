"""Tokens with their logits as llama.cpp's samplers take them, to be filled by whoever knows more
than they do: which tokens a grammar allows."""

from __future__ import annotations

import ctypes
import math
import weakref
from array import array
from collections.abc import Sequence
from typing import Any

from desktop.engine.llama import Llama


class Candidates:
    """Room for all tokens of a vocabulary; for one thread. Each `fill` begins anew."""

    def __init__(self, engine: Llama, size: int) -> None:
        lib = engine.lib
        self._lib: Any = lib
        self._apply: Any = engine.keeping_the_lock("llama_sampler_apply")
        self._size = size
        self._data = (lib.llama_token_data * size)()
        raw = memoryview(self._data).cast("B")
        # Three words an entry: the token, its logit, its probability.
        self._tokens, self._logits = raw.cast("i"), raw.cast("f")
        self._array = lib.llama_token_data_array()
        self._pointer = ctypes.byref(self._array)
        self._item_bytes = ctypes.sizeof(lib.llama_token_data)
        self._start = ctypes.addressof(self._data)
        self._data_pointer = ctypes.cast(self._data, type(self._array.data))
        self._all = array("i", range(size))
        self._softmax: Any = lib.llama_sampler_init_dist(0)
        self._cuts: dict[int, Any] = {}
        weakref.finalize(self, _free, lib, self._softmax, self._cuts).atexit = False

    def fill(self, logits: Any, biases: dict[int, float]) -> None:
        """Every token, with the logits at the pointer `logits`."""
        size = self._size
        found = (ctypes.c_float * size).from_address(ctypes.addressof(logits.contents))
        self._tokens[0 : 3 * size : 3] = memoryview(self._all)
        self._logits[1 : 3 * size : 3] = memoryview(found).cast("B").cast("f")
        for token, bias in biases.items():
            self._logits[3 * token + 1] += bias
        self._open(size)

    def fill_with(self, tokens: Sequence[int], logits: Any, biases: dict[int, float]) -> None:
        """These tokens alone; at least one."""
        count = len(tokens)
        found = array("f", [logits[token] for token in tokens])
        if biases:
            for place, token in enumerate(tokens):
                found[place] += biases.get(token, 0.0)
        self._tokens[0 : 3 * count : 3] = memoryview(array("i", tokens))
        self._logits[1 : 3 * count : 3] = memoryview(found)
        self._open(count)

    def apply(self, sampler: Any) -> int:
        """The token that `sampler` (a chain) selects, -1 for none; it learns nothing of it."""
        self._apply(sampler, self._pointer)
        selected = self._array.selected
        return self._array.data[selected].id if selected >= 0 else -1

    def best(self, count: int) -> list[int]:
        """The likeliest `count` tokens, in order."""
        count = min(count, self._size)
        if count not in self._cuts:
            self._cuts[count] = self._lib.llama_sampler_init_top_k(count)
        self._apply(self._cuts[count], self._pointer)
        return self._tokens[0 : 3 * self._array.size : 3].tolist()

    def likeliest(self, count: int) -> tuple[float, list[int]]:
        """The logarithm of the sum of all exponentials (a token's log probability is its logit
        minus this), and the likeliest `count` tokens, in order.

        The samplers' softmax does the work; the sum follows from what it makes of the likeliest.
        """
        self._apply(self._softmax, self._pointer)
        tokens = self.best(max(count, 1))
        return self._logits[1] - math.log(self._logits[2]), tokens[:count]

    def _open(self, count: int) -> None:
        self._array.data = self._data_pointer
        self._array.size = count
        self._array.selected = -1
        self._array.sorted = False


def _free(lib: Any, softmax: Any, cuts: dict[int, Any]) -> None:
    lib.llama_sampler_free(softmax)
    while cuts:
        lib.llama_sampler_free(cuts.popitem()[1])
