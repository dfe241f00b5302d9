"""Values of a request that llama.cpp must not see."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import pytest

from desktop.common.errors import RequestError
from desktop.engine.sampling import MAX_DRY_BREAKERS, MAX_LOGIT_BIASES, MAX_SEED, Sampling

WHOLE = ("top_k", "dry_allowed_length", "dry_penalty_last_n", "repeat_last_n", "min_keep")
LISTS = ("dry_sequence_breakers", "logit_bias")
NUMBERS = tuple(
    field.name
    for field in fields(Sampling)
    if field.name not in (*WHOLE, *LISTS, "seed", "mirostat")
)


def refused(**values: Any) -> bool:
    try:
        Sampling(**values).check()
    except RequestError as error:
        return error.kind == "bad_sampling" and error.params["name"] == next(iter(values))
    return False


@pytest.mark.parametrize("name", [field.name for field in fields(Sampling)])
@pytest.mark.parametrize(
    "value", [float("nan"), "1", [1], {}, -500, 2.5e9, True, math.inf, 10**4000]
)
def test_nonsense_is_refused_in_every_field(name: str, value: Any) -> None:
    assert refused(**{name: value})


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_may_be_whole_ones(name: str) -> None:
    Sampling(**{name: 1}).check()  # type: ignore[arg-type]
    assert refused(**{name: None})
    assert refused(**{name: 1e9})


@pytest.mark.parametrize("name", WHOLE)
def test_counts_are_whole(name: str) -> None:
    Sampling(**{name: 2**31 - 1}).check()  # type: ignore[arg-type]
    assert refused(**{name: 2**31})
    assert refused(**{name: 1.0})


def test_seeds() -> None:
    Sampling(seed=MAX_SEED).check()
    Sampling(seed=None).check()
    assert refused(seed=MAX_SEED + 1)


@pytest.mark.parametrize(
    "breakers",
    [("",), ("a" * 41,), ("a\0b",), (1,), ["a"], "abc", ("a",) * (MAX_DRY_BREAKERS + 1), None],
)
def test_breakers_of_repetition(breakers: Any) -> None:
    assert refused(dry_sequence_breakers=breakers)
    Sampling(dry_sequence_breakers=("ä" * 20, "\n")).check()


@pytest.mark.parametrize(
    "biases",
    [
        ((1, math.inf),),
        ((1, math.nan),),
        ((-1, 1.0),),
        ((1.0, 1.0),),
        ((1,),),
        (1, 2),
        [(1, 1.0)],
        ((1, 1.0),) * (MAX_LOGIT_BIASES + 1),
        ((1, "1"),),
        None,
    ],
)
def test_biases(biases: Any) -> None:
    assert refused(logit_bias=biases)
    Sampling(logit_bias=((0, -math.inf), (5, 3), (6, -100.0))).check()
