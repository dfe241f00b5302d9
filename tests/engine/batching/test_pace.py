"""How many tokens a step reads, learned from what steps took."""

from __future__ import annotations

import pytest

from desktop.engine.batching.pace import Pace


def _settled(pace: Pace, fixed_s: float, a_token_s: float, steps: int = 12) -> int:
    for _ in range(steps):
        tokens = pace.prompt_tokens
        pace.measured(tokens, fixed_s + a_token_s * tokens)
    return pace.prompt_tokens


def test_a_step_takes_as_long_as_it_should() -> None:
    assert _settled(Pace(2048, 0.2), 0.0, 0.001) == pytest.approx(200, abs=32)
    assert _settled(Pace(2048, 0.2, copies=True), 0.0, 0.001) == pytest.approx(200, abs=32)


def test_weights_that_each_step_copies_are_worth_many_tokens() -> None:
    """A step of 32 tokens that copies 12 GB for each of them would read 30 tokens a second."""
    tokens = _settled(Pace(2048, 0.2, copies=True), fixed_s=1.0, a_token_s=0.001)
    assert tokens == pytest.approx(1000, abs=64)
    assert tokens / (1.0 + 0.001 * tokens) > 450  # tokens a second; 32 at once would read 31


def test_copying_that_hides_everything_else_fills_the_batch() -> None:
    assert _settled(Pace(512, 0.2, copies=True), fixed_s=1.0, a_token_s=0.0) == 512


def test_a_machine_that_becomes_slower_gets_smaller_steps() -> None:
    pace = Pace(2048, 0.2, copies=True)
    before = _settled(pace, 0.05, 0.001)
    assert _settled(pace, 0.05, 0.004) < before
