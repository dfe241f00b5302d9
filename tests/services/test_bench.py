"""The benchmark on an engine whose speed the test chose."""

from __future__ import annotations

import threading

import pytest

from desktop.common.errors import CancelledError, EngineError, RequestError
from desktop.engine.cancel import CancelToken
from desktop.services.bench import BenchProgress, bench, text_of
from tests.services.fake_engine import FakeEngine


def answers(prompt_runs: int, gen_runs: int, gen: int) -> list[list[str]]:
    """In the order of the runs: one token after a prompt, then `gen` tokens."""
    script: list[list[str]] = []
    for _ in range(max(prompt_runs, gen_runs)):
        script += [["x"]] if prompt_runs else []
        script += [["x"] * gen] if gen_runs else []
    return script


def test_medians_of_what_the_engine_says() -> None:
    engine = FakeEngine(answers(3, 3, 16), prompt_tokens_per_s=800.0, tokens_per_s=40.0)
    seen: list[BenchProgress] = []
    result = bench(engine, 32, 16, repeat=2, on_progress=seen.append)
    assert result.prompt_tokens_per_s == pytest.approx(800.0)
    assert result.tokens_per_s == pytest.approx(40.0)
    assert result.aggregate_tokens_per_s == pytest.approx(40.0)
    assert len(result.prompt_samples) == len(result.gen_samples) == 2
    assert seen[-1] == BenchProgress(6, 6)


def test_prompts_have_the_length_and_never_repeat() -> None:
    engine = FakeEngine(answers(4, 0, 0))
    result = bench(engine, 100, 0, repeat=3)
    prompts = [request.prompt for request in engine.requests]
    assert all(99 <= engine.count_tokens(prompt) <= 100 for prompt in prompts)
    assert len({prompt.split()[0] for prompt in prompts}) == 4
    assert result.tokens_per_s is None
    assert all(request.max_tokens == 1 for request in engine.requests)


def test_a_start_token_of_the_model_is_made_room_for() -> None:
    class WithStart(FakeEngine):
        def count_tokens(self, text: str) -> int:
            """A request's prompt has one token more than its words."""
            requested = any(request.prompt is text for request in self.requests)
            return super().count_tokens(text) + requested

    engine = WithStart(answers(3, 0, 0))
    bench(engine, 64, 0, repeat=2)
    assert [len(request.prompt.split()) for request in engine.requests] == [64, 63, 63]


def test_generation_runs_past_the_models_own_end() -> None:
    engine = FakeEngine(answers(0, 2, 8))
    bench(engine, 0, 8, repeat=1)
    assert all(request.ignore_eos and request.max_tokens == 8 for request in engine.requests)


def test_parallel_counts_all_tokens_over_the_wall_clock() -> None:
    engine = FakeEngine([["x"] * 10] * 8)
    times = iter(range(100))
    result = bench(engine, 0, 10, parallel=4, repeat=1, clock=lambda: float(next(times)))
    assert result.aggregate_tokens_per_s == pytest.approx(40.0)
    assert result.tokens_per_s == pytest.approx(50.0)
    assert len({request.id for request in engine.requests}) == 8


def test_too_long_for_the_context() -> None:
    with pytest.raises(RequestError, match="bench_too_long"):
        bench(FakeEngine(context_tokens=256), 512, 128)


def test_a_failing_engine_fails_the_benchmark() -> None:
    engine = FakeEngine()
    player = threading.Thread(target=lambda: engine.next_turn().fail("engine_failed"))
    player.start()
    with pytest.raises(EngineError, match="engine_failed"):
        bench(engine, 8, 0, repeat=1)
    player.join()


def test_cancel_before_and_during() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        bench(FakeEngine(), 8, 8, cancel=token)
    engine, later = FakeEngine(), CancelToken()

    def stop() -> None:
        engine.next_turn()
        later.cancel()

    player = threading.Thread(target=stop)
    player.start()
    with pytest.raises(CancelledError):
        bench(engine, 8, 0, cancel=later)
    player.join()


@pytest.mark.parametrize("tokens", [1, 2, 17, 512])
def test_text_of_the_wanted_length(tokens: int) -> None:
    assert FakeEngine().count_tokens(text_of(FakeEngine(), tokens, seed=3)) == tokens


def test_a_vocabulary_without_letters_ends_the_measurement() -> None:
    """It once looked for words that count as tokens for ever."""

    class Deaf(FakeEngine):
        def count_tokens(self, text: str) -> int:
            return 0

    with pytest.raises(EngineError) as caught:
        text_of(Deaf([]), 32, seed=1)
    assert caught.value.kind == "no_tokens"
