"""llama.cpp's chain of samplers for one request."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from desktop.engine.llama import Llama
from desktop.engine.sampling import MAX_SEED, Sampling

PENALTY_TOKENS = 64
"""How far back the repeat penalty looks, as in llama.cpp's own programs."""


class Sampler:
    """Owned chain. `handle` goes to `llama_sampler_sample`, which also accepts the token."""

    def __init__(self, engine: Llama, sampling: Sampling, vocab_size: int) -> None:
        """`sampling` must have passed its `check`."""
        lib = engine.lib
        self._lib: Any = lib
        self._remembers = sampling.repeat_penalty != 1.0
        parameters = lib.llama_sampler_chain_default_params()
        parameters.no_perf = True
        self.handle: Any = lib.llama_sampler_chain_init(parameters)
        for step in _steps(lib, sampling, vocab_size):
            lib.llama_sampler_chain_add(self.handle, step)

    def accept(self, tokens: Iterable[int]) -> None:
        """Let the penalties know the end of the prompt."""
        if self._remembers:
            for token in tokens:
                self._lib.llama_sampler_accept(self.handle, token)

    def close(self) -> None:
        if self.handle:
            handle, self.handle = self.handle, None
            self._lib.llama_sampler_free(handle)


def _steps(lib: Any, sampling: Sampling, vocab_size: int) -> Iterable[Any]:
    # Top-k first: every later step then sees 40 candidates instead of 128,000 (88 µs, not 7 ms).
    if sampling.top_k > 0:
        yield lib.llama_sampler_init_top_k(sampling.top_k)
    if sampling.repeat_penalty != 1.0:
        yield lib.llama_sampler_init_penalties(
            vocab_size, PENALTY_TOKENS, sampling.repeat_penalty, 0.0, 0.0
        )
    if sampling.temperature <= 0.0:
        yield lib.llama_sampler_init_greedy()
        return
    if sampling.top_p < 1.0:
        yield lib.llama_sampler_init_top_p(sampling.top_p, 1)
    if sampling.min_p > 0.0:
        yield lib.llama_sampler_init_min_p(sampling.min_p, 1)
    yield lib.llama_sampler_init_temp(sampling.temperature)
    seed = random.randint(0, MAX_SEED) if sampling.seed is None else sampling.seed
    yield lib.llama_sampler_init_dist(seed)
