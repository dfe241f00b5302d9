"""The likeliest next token and how sure it is, without reading 128,000 logits in Python."""

from __future__ import annotations

import ctypes
import math
from typing import Any

from desktop.engine.llama import Llama

_NEVER = -math.inf


class Likeliest:
    """llama.cpp's greedy sampler, asked a second time for the runner-up."""

    def __init__(self, engine: Llama, vocab_size: int) -> None:
        self._lib: Any = engine.lib
        self._vocab_size = vocab_size
        self._sample = engine.keeping_the_lock("llama_sampler_sample")
        self._logits = engine.keeping_the_lock("llama_get_logits_ith")
        self._first: Any = self._lib.llama_sampler_init_greedy()

    def pick(self, context: Any, place: int) -> tuple[int, float]:
        """The token, and what is left for it beside the runner-up alone (0.5 to 1).

        (-1, 0.0) where the logits are no numbers.
        """
        token: int = self._sample(self._first, context, place)
        logits = self._logits(context, place)
        best: float = logits[token]
        if not math.isfinite(best):
            return -1, 0.0
        second: float = logits[self._runner_up(context, place, token)]
        gap = best - second
        return token, 1.0 / (1.0 + math.exp(-gap)) if gap < 700 else 1.0

    def close(self) -> None:
        if self._first:
            first, self._first = self._first, None
            self._lib.llama_sampler_free(first)

    def _runner_up(self, context: Any, place: int, token: int) -> int:
        lib = self._lib
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        ban = lib.llama_logit_bias(token=token, bias=_NEVER)
        banned = lib.llama_sampler_init_logit_bias(self._vocab_size, 1, ctypes.byref(ban))
        lib.llama_sampler_chain_add(chain, banned)
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        second: int = self._sample(chain, context, place)
        lib.llama_sampler_free(chain)
        return second
