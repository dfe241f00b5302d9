"""How the next token of an answer is chosen, as plain picklable data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NoReturn

from desktop.common.errors import RequestError
from desktop.engine.ranges import whole, within

MAX_SEED = 2**32 - 2
"""One below llama.cpp's LLAMA_DEFAULT_SEED, which means "random" there."""
MAX_LOGIT_BIASES = 1 << 14
MAX_BIAS = 10_000.0
MAX_DRY_BREAKERS = 16
MAX_BREAKER_BYTES = 40
MAX_TOP_LOGPROBS = 64


@dataclass(frozen=True, slots=True)
class Sampling:
    """The values of llama.cpp's samplers, with its meanings.

    `temperature` 0 takes the likeliest token; `top_k` 0, `top_p` 1, `min_p` 0, `typical_p` 1,
    `top_n_sigma` -1, `xtc_probability` 0, `dry_multiplier` 0 and penalties of 1 (repeat) or 0
    switch that step off; `dynatemp_range` 0 is a fixed temperature, `mirostat` 0 the usual chain.
    `repeat_last_n` and `dry_penalty_last_n` look so many tokens back, -1 over the whole context.
    `logit_bias` are (token, bias) pairs, minus infinity bans a token. `seed` None is a new one for
    each request.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int | None = None
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0
    typical_p: float = 1.0
    top_n_sigma: float = -1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    repeat_last_n: int = 64
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    mirostat: Literal[0, 1, 2] = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    logit_bias: tuple[tuple[int, float], ...] = ()
    min_keep: int = 1

    def check(self) -> None:
        """Raise RequestError("bad_sampling") for a value that llama.cpp must not see."""
        within("temperature", self.temperature, 0.0, 100.0)
        whole("top_k", self.top_k, 0, 2**31 - 1)
        within("top_p", self.top_p, 0.0, 1.0)
        within("min_p", self.min_p, 0.0, 1.0)
        within("repeat_penalty", self.repeat_penalty, 0.01, 100.0)
        if self.seed is not None:
            whole("seed", self.seed, 0, MAX_SEED)
        within("dynatemp_range", self.dynatemp_range, 0.0, 100.0)
        within("dynatemp_exponent", self.dynatemp_exponent, 0.0, 100.0)
        within("typical_p", self.typical_p, 0.0, 1.0)
        within("top_n_sigma", self.top_n_sigma, -1.0, 100.0)
        within("xtc_probability", self.xtc_probability, 0.0, 1.0)
        within("xtc_threshold", self.xtc_threshold, 0.0, 1.0)
        within("dry_multiplier", self.dry_multiplier, 0.0, 100.0)
        within("dry_base", self.dry_base, 0.0, 100.0)
        whole("dry_allowed_length", self.dry_allowed_length, 0, 2**31 - 1)
        whole("dry_penalty_last_n", self.dry_penalty_last_n, -1, 2**31 - 1)
        whole("repeat_last_n", self.repeat_last_n, -1, 2**31 - 1)
        within("frequency_penalty", self.frequency_penalty, -100.0, 100.0)
        within("presence_penalty", self.presence_penalty, -100.0, 100.0)
        whole("mirostat", self.mirostat, 0, 2)
        within("mirostat_tau", self.mirostat_tau, 0.0, 100.0)
        within("mirostat_eta", self.mirostat_eta, 0.0, 1.0)
        whole("min_keep", self.min_keep, 0, 2**31 - 1)
        _check_breakers(self.dry_sequence_breakers)
        _check_biases(self.logit_bias)


def _check_breakers(breakers: object) -> None:
    if not isinstance(breakers, tuple) or len(breakers) > MAX_DRY_BREAKERS:
        _refuse("dry_sequence_breakers", str(breakers)[:40], 0, MAX_DRY_BREAKERS)
    for text in breakers:
        length = len(text.encode("utf-8", "replace")) if isinstance(text, str) else 0
        if not 0 < length <= MAX_BREAKER_BYTES or "\0" in text:
            _refuse("dry_sequence_breakers", str(text)[:40], 1, MAX_BREAKER_BYTES)


def _check_biases(biases: object) -> None:
    if not isinstance(biases, tuple) or len(biases) > MAX_LOGIT_BIASES:
        _refuse("logit_bias", str(type(biases).__name__), 0, MAX_LOGIT_BIASES)
    for pair in biases:
        if not isinstance(pair, tuple) or len(pair) != 2:
            _refuse("logit_bias", str(pair)[:40], 0, 2**31 - 1)
        token, bias = pair
        whole("logit_bias", token, 0, 2**31 - 1)
        if bias != -math.inf:
            within("logit_bias", bias, -MAX_BIAS, MAX_BIAS)


def _refuse(name: str, value: str, low: int, high: int) -> NoReturn:
    raise RequestError("bad_sampling", name=name, value=value, low=low, high=high)
