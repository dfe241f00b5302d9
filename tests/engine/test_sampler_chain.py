"""Which of llama.cpp's samplers a request gets, in which order."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.engine.loaded import Loaded
from desktop.engine.sampler_chain import Chain
from desktop.engine.sampling import Sampling
from tests.engine.conftest import LoadModel

CALM = Sampling(top_k=0, top_p=1.0, min_p=0.0)


def names(loaded: Loaded, sampling: Sampling, context_tokens: int = 1024) -> list[str]:
    lib = loaded.model.llama.lib
    chain = Chain(loaded.model.llama, sampling, loaded.vocabulary, context_tokens)
    found = _names(lib, chain.inner)
    if chain.whole is not chain.inner:
        assert _names(lib, chain.whole) == ["logit-bias", "chain"]
    chain.close()
    chain.close()
    return found


def _names(lib: Any, chain: Any) -> list[str]:
    return [
        lib.llama_sampler_name(lib.llama_sampler_chain_get(chain, place)).decode()
        for place in range(lib.llama_sampler_chain_n(chain))
    ]


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(), ["top-k", "top-p", "min-p", "temp", "dist"]),
        (CALM, ["temp", "dist"]),
        (Sampling(temperature=0.0), ["greedy"]),
        (Sampling(temperature=0.0, mirostat=2, top_k=7), ["greedy"]),
        (Sampling(mirostat=1, repeat_penalty=2.0), ["temp", "mirostat"]),
        (Sampling(mirostat=2), ["temp", "mirostat-v2"]),
        (
            Sampling(
                repeat_penalty=1.1,
                repeat_last_n=8,
                dry_multiplier=0.8,
                dry_penalty_last_n=9,
                top_n_sigma=1.0,
                typical_p=0.9,
                xtc_probability=0.5,
                dynatemp_range=0.3,
            ),
            [
                "penalties",
                "dry",
                "top-n-sigma",
                "top-k",
                "typical",
                "top-p",
                "min-p",
                "xtc",
                "temp-ext",
                "dist",
            ],
        ),
        # Penalties come first as in llama.cpp, but look at no more tokens than matter.
        (
            Sampling(repeat_penalty=1.1, repeat_last_n=8, top_k=5),
            ["top-k", "penalties", "top-k", "top-p", "min-p", "temp", "dist"],
        ),
        (
            Sampling(repeat_penalty=0.9, repeat_last_n=8, top_k=5, top_p=1.0, min_p=0.0),
            ["penalties", "top-k", "temp", "dist"],
        ),
        (
            Sampling(temperature=0.0, presence_penalty=1.0, repeat_last_n=4),
            ["top-k", "penalties", "greedy"],
        ),
    ],
)
def test_the_order_is_llama_cpps(
    load_model: LoadModel, sampling: Sampling, expected: list[str]
) -> None:
    assert names(load_model(), sampling) == expected


def test_what_is_banned_comes_before_all_the_rest(load_model: LoadModel) -> None:
    loaded = load_model()
    sampling = Sampling(logit_bias=((5, float("-inf")), (10**9, 1.0)))
    chain = Chain(loaded.model.llama, sampling, loaded.vocabulary, 64)
    assert chain.biases == {5: float("-inf")}  # of a token that there is not, nothing is left
    chain.close()
    assert names(loaded, sampling) == ["top-k", "top-p", "min-p", "temp", "dist"]


def test_penalties_never_look_further_back_than_the_context(load_model: LoadModel) -> None:
    """llama.cpp takes memory for each token that they look back: 2^31 would be 8 GB."""
    far = 2**31 - 1
    sampling = Sampling(repeat_penalty=1.5, repeat_last_n=far, dry_penalty_last_n=far)
    assert "penalties" in names(load_model(), sampling, context_tokens=64)
    assert "penalties" not in names(load_model(), sampling, context_tokens=0)


def test_the_words_that_break_a_repetition_are_looked_up_once(load_model: LoadModel) -> None:
    loaded = load_model()
    sampling = Sampling(dry_multiplier=1.0)
    assert "dry" in names(loaded, sampling)
    made = dict(loaded.vocabulary.breakers._made)
    assert len(made) == 1
    assert "dry" in names(loaded, sampling)
    assert loaded.vocabulary.breakers._made == made
    for step in range(20):
        names(loaded, Sampling(dry_multiplier=1.0 + step))
    assert len(loaded.vocabulary.breakers._made) <= 8
