"""The batcher on real tiny models, driven step by step in the test's own thread."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from desktop.engine.events import Failed, PromptProgress, Started, Text
from desktop.engine.request import Request, Sampling
from tests.engine.conftest import LoadModel
from tests.engine.driving import GREEDY, answer, ask, drive, sort_out

LONG = "Ein langer Text, der in mehreren Happen gelesen wird. " * 8


def test_same_seed_same_text_and_another_seed_another(load_model: LoadModel) -> None:
    batcher = load_model().batcher
    sampling = Sampling(temperature=1.0, seed=11)
    first = answer(batcher, ask("1", "Hallo", 24, sampling=sampling))
    again = answer(batcher, ask("2", "Hallo", 24, sampling=sampling))
    other = answer(batcher, ask("3", "Hallo", 24, sampling=Sampling(temperature=1.0, seed=12)))
    assert first.text == again.text
    assert first.text != other.text


def test_counts_and_reason_at_the_length_limit(load_model: LoadModel) -> None:
    told = answer(load_model().batcher, ask("1", "Hallo", 5))
    assert told.end.reason == "length"
    assert told.end.stats.completion_tokens == 5
    assert told.end.stats.prompt_tokens == 5  # one token a letter in this vocabulary
    assert told.end.stats.context_tokens_used == 10
    assert told.end.stats.first_token_s >= told.end.stats.prompt_s > 0


def test_max_tokens_zero_reads_nothing_and_ends(load_model: LoadModel) -> None:
    told = answer(load_model().batcher, ask("1", "Hallo", 0))
    assert (told.text, told.end.reason, told.end.stats.completion_tokens) == ("", "length", 0)


def test_a_long_prompt_is_read_in_pieces_that_say_so(load_model: LoadModel) -> None:
    told = answer(load_model(ubatch=64).batcher, ask("1", LONG))
    total = told.started[0].prompt_tokens
    assert total > 3 * 64
    done = [one.done_tokens for one in told.progress]
    assert done == sorted(set(done))
    assert all(one.total_tokens == total for one in told.progress)
    assert max(b - a for a, b in zip([0, *done], done, strict=False)) <= 64


def test_answers_side_by_side_are_those_given_alone(load_model: LoadModel) -> None:
    prompts = {name: f"{name}: {LONG[: 40 * n]}" for n, name in enumerate("abcd", 1)}
    alone = {
        name: answer(load_model(parallel=1).batcher, ask(name, prompt, 12)).text
        for name, prompt in prompts.items()
    }
    batcher = load_model(parallel=4, context=2048).batcher
    together = drive(batcher, *(ask(name, prompt, 12) for name, prompt in prompts.items()))
    assert {name: told.text for name, told in together.items()} == alone


def test_decoding_goes_on_while_a_long_prompt_is_read(load_model: LoadModel) -> None:
    batcher = load_model(parallel=2, ubatch=64).batcher
    events = batcher.add(ask("writer", "Hallo", 30))
    while not any(isinstance(event, Text) for event in events):
        events += batcher.step()
    batcher.add(ask("reader", LONG, 1))
    while not batcher.is_active("reader"):
        events += batcher.step()
    before = batcher.active_tokens("writer")
    steps = 0
    while not any(e.request_id == "reader" and not isinstance(e, Started | PromptProgress) for e in events):
        events += batcher.step()
        steps += 1
    assert steps >= 3
    assert batcher.active_tokens("writer") - before == steps
