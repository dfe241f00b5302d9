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
        self._start = ctypes.addressof(self._data)
        self._data_pointer = ctypes.cast(self._data, type(self._array.data))
        self._pointer_to_logits: Any = engine.keeping_the_lock("llama_get_logits_ith")
        self._sample: Any = engine.keeping_the_lock("llama_sampler_sample")
        self._softmax: Any = lib.llama_sampler_init_dist(0)
        self._cuts: dict[int, Any] = {}
        self._copying, kept = _copying(lib, self._start)
        weakref.finalize(
            self, _free, lib, [self._softmax, self._copying], self._cuts, kept
        ).atexit = False

    def of(self, context: Any, place: int) -> Any:
        """A pointer to the logits at `place`, in the order of the tokens."""
        return self._pointer_to_logits(context, place)

    def fill(self, context: Any, place: int, biases: dict[int, float]) -> None:
        """Every token, with the logits at `place` of the context."""
        # llama.cpp lays them out at 60 µs for 128,000; Python takes 1,200.
        self._sample(self._copying, context, place)
        for token, bias in biases.items():
            self._logits[3 * token + 1] += bias
        self._open(self._size)

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


def _copying(lib: Any, target: int) -> tuple[Any, tuple[Any, ...]]:
    """A chain that copies all candidates to the address `target` and selects the first; and what
    must live as long as it does."""

    def copy(_sampler: Any, candidates: Any) -> None:
        found = candidates.contents
        count = found.size * ctypes.sizeof(lib.llama_token_data)
        ctypes.memmove(target, found.data, count)
        found.selected = 0

    callback = lib.llama_sampler_i_apply(copy)
    interface = lib.llama_sampler_i(apply=callback)
    parameters = lib.llama_sampler_chain_default_params()
    parameters.no_perf = True
    chain = lib.llama_sampler_chain_init(parameters)
    lib.llama_sampler_chain_add(chain, lib.llama_sampler_init(ctypes.byref(interface), None))
    return chain, (callback, interface)


def _free(lib: Any, samplers: list[Any], cuts: dict[int, Any], kept: tuple[Any, ...]) -> None:
    for sampler in (*samplers, *cuts.values()):
        lib.llama_sampler_free(sampler)
    del kept  # not before the chain that calls it is gone
