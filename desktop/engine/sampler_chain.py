"""llama.cpp's chain of samplers for one answer, in the order of its own programs."""

from __future__ import annotations

import ctypes
import random
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from desktop.engine.llama import Llama
from desktop.engine.sampling import MAX_SEED, Sampling

_MIROSTAT_TOKENS = 100
_MOST_BREAKERS_KEPT = 8


class Words(Protocol):
    """The vocabulary, as far as a chain needs it."""

    @property
    def size(self) -> int: ...
    @property
    def handle(self) -> Any: ...
    @property
    def breakers(self) -> Breakers: ...


class Breakers:
    """DRY samplers of one vocabulary, for copying: to look for what breaks a repetition, llama.cpp
    writes every token out (0.3 s for 128,000 and four breakers)."""

    def __init__(self, lib: Any) -> None:
        self._made: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _free_all, lib, self._made).atexit = False

    def copy(self, engine: Llama, words: Words, sampling: Sampling, last_tokens: int) -> Any:
        """A DRY sampler that the caller owns. May run in any thread."""
        lib = engine.lib
        key = (
            sampling.dry_multiplier,
            sampling.dry_base,
            sampling.dry_allowed_length,
            last_tokens,
            sampling.dry_sequence_breakers,
        )
        with self._lock:
            made = self._made.get(key)
            if made is None:
                texts = [text.encode("utf-8", "replace") for text in key[4]]
                made = lib.llama_sampler_init_dry(
                    words.handle, *key[:4], (ctypes.c_char_p * len(texts))(*texts), len(texts)
                )
                while len(self._made) >= _MOST_BREAKERS_KEPT:
                    lib.llama_sampler_free(self._made.pop(next(iter(self._made))))
                self._made[key] = made
            return lib.llama_sampler_clone(made)


def _free_all(lib: Any, made: dict[tuple[Any, ...], Any]) -> None:
    while made:
        lib.llama_sampler_free(made.popitem()[1])


class Chain:
    """Owned handles. `whole` begins with the biases and goes to `llama_sampler_sample`, which
    also accepts the token; `inner` is for candidates whose biases are added already.

    `remembers`: accepting a token changes what comes next, so only the chosen one may be.
    `wanted` is how many of the likeliest candidates the chain can choose from at most, before
    any penalty; 0 for all.
    """

    def __init__(
        self, engine: Llama, sampling: Sampling, words: Words, context_tokens: int
    ) -> None:
        self._lib: Any = engine.lib
        self.biases = dict(_biases(engine.lib, sampling, words))
        self._penalty_tokens = _looked_back(sampling.repeat_last_n, context_tokens)
        self._dry_tokens = _looked_back(sampling.dry_penalty_last_n, context_tokens)
        if not _penalizes(sampling):
            self._penalty_tokens = 0
        if sampling.dry_multiplier == 0.0 or sampling.dry_base < 1.0:
            self._dry_tokens = 0
        self._surprise = sampling.mirostat if sampling.temperature > 0 else 0
        self.remembers = self._penalty_tokens + self._dry_tokens > 0 and not self._surprise
        self.wanted = _wanted(sampling, words.size)
        if self.wanted and self.remembers:
            # So many of them may be penalized, and others take their places.
            self.wanted += self._penalty_tokens + self._dry_tokens
        self.inner: Any = self._chain(self._steps(engine, sampling, words))
        self.whole: Any = self.inner
        if self.biases:
            bias = engine.lib.llama_logit_bias
            pairs = (bias * len(self.biases))(*(bias(t, b) for t, b in self.biases.items()))
            first = engine.lib.llama_sampler_init_logit_bias(words.size, len(pairs), pairs)
            self.whole = self._chain((first, self.inner))

    def accept(self, token: int) -> None:
        self._lib.llama_sampler_accept(self.inner, token)

    def accept_prompt(self, tokens: list[int]) -> None:
        """Let the penalties know as much of the prompt's end as they look back."""
        if self.remembers:
            for token in tokens[-max(self._penalty_tokens, self._dry_tokens) :]:
                if token >= 0:  # the others stand for pictures and sounds
                    self._lib.llama_sampler_accept(self.inner, token)

    def close(self) -> None:
        if self.whole:
            whole, self.whole = self.whole, None
            self._lib.llama_sampler_free(whole)  # and with it the inner one

    def _chain(self, steps: Iterable[Any]) -> Any:
        parameters = self._lib.llama_sampler_chain_default_params()
        parameters.no_perf = True
        chain = self._lib.llama_sampler_chain_init(parameters)
        for step in steps:
            self._lib.llama_sampler_chain_add(chain, step)
        return chain

    def _steps(self, engine: Llama, sampling: Sampling, words: Words) -> Iterator[Any]:
        lib = engine.lib
        seed = random.randint(0, MAX_SEED) if sampling.seed is None else sampling.seed
        if self._surprise:
            yield lib.llama_sampler_init_temp(sampling.temperature)
            tau, eta = sampling.mirostat_tau, sampling.mirostat_eta
            if self._surprise == 1:
                yield lib.llama_sampler_init_mirostat(words.size, seed, tau, eta, _MIROSTAT_TOKENS)
            else:
                yield lib.llama_sampler_init_mirostat_v2(seed, tau, eta)
            return
        if self.remembers:
            yield from self._penalties(engine, sampling, words)
        if sampling.temperature <= 0.0:
            yield lib.llama_sampler_init_greedy()
            return
        if sampling.top_n_sigma > 0:
            yield lib.llama_sampler_init_top_n_sigma(sampling.top_n_sigma)
        if 0 < sampling.top_k < words.size:
            # First of all where nothing stands before it: the others then see 40 candidates
            # instead of 128,000 (88 µs, not 7 ms).
            yield lib.llama_sampler_init_top_k(sampling.top_k)
        keep = sampling.min_keep
        if sampling.typical_p < 1.0:
            yield lib.llama_sampler_init_typical(sampling.typical_p, keep)
        if sampling.top_p < 1.0:
            yield lib.llama_sampler_init_top_p(sampling.top_p, keep)
        if sampling.min_p > 0.0:
            yield lib.llama_sampler_init_min_p(sampling.min_p, keep)
        if sampling.xtc_probability > 0.0:
            yield lib.llama_sampler_init_xtc(
                sampling.xtc_probability, sampling.xtc_threshold, keep, seed
            )
        if sampling.dynatemp_range > 0.0:
            yield lib.llama_sampler_init_temp_ext(
                sampling.temperature, sampling.dynatemp_range, sampling.dynatemp_exponent
            )
        else:
            yield lib.llama_sampler_init_temp(sampling.temperature)
        yield lib.llama_sampler_init_dist(seed)

    def _penalties(self, engine: Llama, sampling: Sampling, words: Words) -> Iterator[Any]:
        lib = engine.lib
        lowers = (
            sampling.repeat_penalty >= 1.0
            and min(sampling.frequency_penalty, sampling.presence_penalty) >= 0.0
        )
        if lowers and 0 < self.wanted < words.size // 4:
            # Penalties only lower, and at most so many tokens: the best that are left are
            # among these, so the rest need not be looked at.
            yield lib.llama_sampler_init_top_k(self.wanted)
        if self._penalty_tokens:
            yield lib.llama_sampler_init_penalties(
                words.size,
                self._penalty_tokens,
                sampling.repeat_penalty,
                sampling.frequency_penalty,
                sampling.presence_penalty,
            )
        if self._dry_tokens:
            yield words.breakers.copy(engine, words, sampling, self._dry_tokens)


def _penalizes(sampling: Sampling) -> bool:
    return (
        sampling.repeat_penalty != 1.0
        or sampling.frequency_penalty != 0.0
        or sampling.presence_penalty != 0.0
    )


def _looked_back(tokens: int, context_tokens: int) -> int:
    """The samplers take memory for each token that they look back: never more than there are."""
    return context_tokens if tokens < 0 else min(tokens, context_tokens)


def _wanted(sampling: Sampling, size: int) -> int:
    if sampling.temperature <= 0.0:
        return 1
    if sampling.mirostat or sampling.top_n_sigma > 0 or sampling.top_k >= size:
        return 0
    return sampling.top_k


def _biases(lib: Any, sampling: Sampling, words: Words) -> Iterator[tuple[int, float]]:
    """The request's, of tokens that there are, and those that the model's file bans."""
    yield from ((token, bias) for token, bias in sampling.logit_bias if token < words.size)
    count = ctypes.c_int32()
    banned = lib.llama_vocab_get_suppress_tokens(words.handle, ctypes.byref(count))
    for place in range(count.value):
        if 0 <= banned[place] < words.size:
            yield banned[place], float("-inf")
