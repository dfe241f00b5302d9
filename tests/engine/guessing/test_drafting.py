"""Guessing ahead with real models: the same answers, in fewer steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import LoadError
from desktop.engine.events import Finished
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.guessing.draft_switch import DraftSwitch, Wanted
from desktop.engine.loaded import Loaded
from desktop.engine.sampling import Sampling
from tests.engine.driving import GREEDY, Told, ask, drive, plan_for, sort_out
from tests.tiny_architectures import write_tiny_gemma2, write_tiny_mamba
from tests.tiny_guessers import (
    recited,
    reciting,
    write_tiny_lfm2,
    write_tiny_mtp,
    write_tiny_qwen35,
)
from tests.tiny_models import speak_signs_only, write_tiny_model

START = "abc"
WITH_HEADS = [write_tiny_mtp, write_tiny_qwen35]


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class _Always(DraftSwitch):
    """Every guess is judged, as far as the limit goes: tiny models' times say nothing."""

    def may_pay(self, plain: int) -> bool:
        return True

    def counts(self, wanted: Sequence[Wanted], plain: int, *, reading: bool) -> list[int]:
        left, counts = self.limit, []
        for one in wanted:
            counts.append(min(left, one.length))
            left -= counts[-1]
        return counts


def _load(opened: ExitStack, path: Path, extras: Extras = NO_EXTRAS, **fields: Any) -> Loaded:
    plan = plan_for(**({"draft_tokens": 8} | fields))
    loaded = opened.enter_context(closing(Loaded(path, plan, extras=extras)))
    drafter = loaded.drafter
    if drafter is not None:
        drafter.switch = _Always(plan.draft_tokens, {})
    return loaded


def _answers(loaded: Loaded, *prompts: str, tokens: int | None = 100, **fields: Any) -> list[Told]:
    requests = [ask(str(n), prompt, tokens, **fields) for n, prompt in enumerate(prompts)]
    told = drive(loaded.batcher, *requests)
    return [told[request.id] for request in requests]


def _reciter(folder: Path, name: str = "reciter.gguf", **fields: Any) -> Path:
    return write_tiny_model(folder / name, change=reciting(), **fields)


def test_a_text_that_repeats_its_prompt_is_guessed(opened: ExitStack, tmp_path: Path) -> None:
    loaded = _load(opened, _reciter(tmp_path))
    prompt = START + recited(START, 80)
    (told,) = _answers(loaded, prompt)
    assert told.text == recited(prompt, 100)
    assert told.end.stats.accepted_tokens > 50
    assert told.end.stats.accepted_tokens <= told.end.stats.draft_tokens
    assert told.end.stats.completion_tokens == 100


def test_guesses_can_be_switched_off_for_a_request(opened: ExitStack, tmp_path: Path) -> None:
    loaded = _load(opened, _reciter(tmp_path))
    prompt = START + recited(START, 80)
    (told,) = _answers(loaded, prompt, draft="off")
    assert told.text == recited(prompt, 100)
    assert told.end.stats.draft_tokens == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sampling", [GREEDY, Sampling(temperature=0.8, seed=11)])
def test_random_models_answer_the_same_with_guesses(
    sampling: Sampling, seed: int, opened: ExitStack, tmp_path: Path
) -> None:
    """To the letter: a guess must never be seen in what is written.

    Without flash attention, which adds up in half floats in the order of the cells: with several
    sequences that is another one, guesses or not.
    """
    path = write_tiny_model(tmp_path / "m.gguf", seed=seed, vocab=271, change=speak_signs_only)
    prompts = ["!!??!!??!!??", "17 17 17 17 17", "one, two; one, two; one"]
    texts = []
    for draft in (0, 8):
        loaded = _load(opened, path, draft_tokens=draft, parallel=3, flash_attention=False)
        answers = _answers(loaded, *prompts, sampling=sampling, tokens=120)
        texts.append([told.text for told in answers])
        if draft:
            assert sum(told.end.stats.draft_tokens for told in answers) > 0
    assert texts[0] == texts[1]


@pytest.mark.parametrize("write", [write_tiny_gemma2, write_tiny_lfm2, write_tiny_qwen35])
def test_memories_of_other_kinds_go_back_too(write: Any, opened: ExitStack, tmp_path: Path) -> None:
    path = write(tmp_path / "m.gguf", seed=2, change=speak_signs_only)
    texts = []
    for draft in (0, 4):
        loaded = _load(opened, path, draft_tokens=draft, parallel=2, flash_attention=False)
        answers = _answers(loaded, "aaaa", "1 2 1 2 1 2", tokens=150)
        texts.append([told.text for told in answers])
        if draft:
            assert sum(told.end.stats.draft_tokens for told in answers) > 0
    assert texts[0] == texts[1]


def test_a_memory_that_cannot_go_back_is_left_alone(opened: ExitStack, tmp_path: Path) -> None:
    loaded = _load(opened, write_tiny_mamba(tmp_path / "m.gguf"))
    (told,) = _answers(loaded, "aaaaaaaa")
    assert told.end.stats.draft_tokens == 0


@pytest.mark.parametrize("tokens", [1, 2, 3, 7, 20])
def test_an_answer_ends_where_it_should(tokens: int, opened: ExitStack, tmp_path: Path) -> None:
    loaded = _load(opened, _reciter(tmp_path))
    prompt = START + recited(START, 80)
    for _ in range(3):
        (told,) = _answers(loaded, prompt, tokens=tokens)
        assert told.text == recited(prompt, tokens)
        assert told.end.reason == "length"


def test_a_stop_string_among_guessed_tokens_ends_the_answer(
    opened: ExitStack, tmp_path: Path
) -> None:
    loaded = _load(opened, _reciter(tmp_path))
    prompt = START + recited(START, 80)
    whole = recited(prompt, 100)
    stop = whole[60:62]
    expected = whole[: whole.index(stop)]
    (told,) = _answers(loaded, prompt, stop=(stop,))
    assert told.text == expected
    assert told.end.reason == "stop"
    (again,) = _answers(loaded, prompt + expected, tokens=30)
    assert again.text == recited(prompt + expected, 30)


def test_a_full_context_ends_the_answer(opened: ExitStack, tmp_path: Path) -> None:
    loaded = _load(opened, _reciter(tmp_path), context=256, parallel=1)
    prompt = START + recited(START, 80)
    (told,) = _answers(loaded, prompt, tokens=None)
    assert told.end.reason == "length"
    assert told.text == recited(prompt, len(told.text))
    assert told.end.stats.context_tokens_used <= 256


def test_a_context_that_several_fill_serves_all_of_them(opened: ExitStack, tmp_path: Path) -> None:
    loaded = _load(opened, _reciter(tmp_path), context=512, parallel=4)
    prompts = [letter + recited(letter, 70) for letter in "hgfe"]
    for prompt, told in zip(prompts, _answers(loaded, *prompts, tokens=120), strict=True):
        assert told.text == recited(prompt, 120)


def test_beside_a_prompt_that_is_read_guesses_go_on(opened: ExitStack, tmp_path: Path) -> None:
    loaded = _load(opened, _reciter(tmp_path), ubatch=32, context=2048)
    prompt = START + recited(START, 80)
    long = "x" * 900
    first, second = _answers(loaded, prompt, long, tokens=60)
    assert first.text == recited(prompt, 60)
    assert isinstance(second.end, Finished)


def test_alone_the_answer_is_the_same_with_flash_attention_too(
    opened: ExitStack, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", seed=5, vocab=271, change=speak_signs_only)
    texts = []
    for draft in (0, 8):
        loaded = _load(opened, path, draft_tokens=draft, parallel=1)
        texts.append([_answers(loaded, prompt)[0].text for prompt in ("!!??!!??", "17 17 17")])
    assert texts[0] == texts[1]


def test_a_draft_model_guesses(opened: ExitStack, tmp_path: Path) -> None:
    """Of other width and depth, but with the same words and the same habit."""
    small = write_tiny_model(tmp_path / "small.gguf", layers=1, width=32, change=reciting())
    loaded = _load(opened, _reciter(tmp_path), Extras(draft=small), parallel=2)
    first, second = _answers(loaded, "a", "7", tokens=30)
    assert (first.text, second.text) == (recited("a", 30), recited("7", 30))
    assert first.end.stats.accepted_tokens + second.end.stats.accepted_tokens > 10


@pytest.mark.parametrize("seed", range(3))
def test_a_draft_model_changes_no_answer(seed: int, opened: ExitStack, tmp_path: Path) -> None:
    small = write_tiny_model(tmp_path / "small.gguf", layers=1, width=32, seed=50 + seed)
    path = write_tiny_model(tmp_path / "large.gguf", seed=seed, change=speak_signs_only)
    prompts = ["Once upon", "a time", "there was", "nothing"]
    plain = _load(opened, path, draft_tokens=0, parallel=2, flash_attention=False)
    drafted = _load(opened, path, Extras(draft=small), parallel=2, flash_attention=False)
    expected = [told.text for told in _answers(plain, *prompts)]
    answers = _answers(drafted, *prompts)
    assert [told.text for told in answers] == expected
    assert sum(told.end.stats.draft_tokens for told in answers) > 0


def test_a_draft_model_follows_a_conversation(opened: ExitStack, tmp_path: Path) -> None:
    small = write_tiny_model(tmp_path / "small.gguf", layers=1, width=32, change=reciting())
    loaded = _load(opened, _reciter(tmp_path), Extras(draft=small), parallel=1)
    text = "a"
    for _ in range(4):
        (told,) = _answers(loaded, text, tokens=40)
        assert told.text == recited(text, 40)
        text += told.text[:25] + "z"


def test_a_draft_model_reads_a_long_prompt_bit_by_bit(opened: ExitStack, tmp_path: Path) -> None:
    small = write_tiny_model(tmp_path / "small.gguf", layers=1, width=32, change=reciting())
    loaded = _load(opened, _reciter(tmp_path), Extras(draft=small), context=2048)
    prompt = "!" * 1000 + "a"
    (told,) = _answers(loaded, prompt, tokens=80)
    assert told.text == recited("a", 80)
    assert told.end.stats.accepted_tokens > 5


@pytest.mark.parametrize(
    ("kind", "fields"), [("vocabulary", {"vocab": 600}), ("start", {"add_bos": True})]
)
def test_a_draft_model_with_other_words_is_refused(
    kind: str, fields: dict[str, Any], opened: ExitStack, tmp_path: Path
) -> None:
    small = write_tiny_model(tmp_path / f"{kind}.gguf", layers=1, **fields)
    with pytest.raises(LoadError) as caught:
        _load(opened, _reciter(tmp_path), Extras(draft=small))
    assert caught.value.kind == "draft_vocabulary"


def test_a_draft_model_that_cannot_go_back_is_refused(opened: ExitStack, tmp_path: Path) -> None:
    small = write_tiny_mamba(tmp_path / "mamba.gguf", layers=1)
    with pytest.raises(LoadError) as caught:
        _load(opened, _reciter(tmp_path), Extras(draft=small))
    assert caught.value.kind == "draft_recurrent"


@pytest.mark.parametrize("write", WITH_HEADS)
def test_own_heads_guess(write: Any, opened: ExitStack, tmp_path: Path) -> None:
    path = write(tmp_path / "mtp.gguf", change=reciting())
    loaded = _load(opened, path, parallel=2, mtp=True, draft_tokens=4)
    first, second = _answers(loaded, "a", "7", tokens=30)
    assert (first.text, second.text) == (recited("a", 30), recited("7", 30))
    assert first.end.stats.accepted_tokens + second.end.stats.accepted_tokens > 10


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("write", WITH_HEADS)
def test_own_heads_change_no_answer(
    write: Any, seed: int, opened: ExitStack, tmp_path: Path
) -> None:
    path = write(tmp_path / "mtp.gguf", seed=seed, change=speak_signs_only)
    prompts = ["Once upon", "a time", "there was", "nothing"]
    plain = _load(opened, path, draft_tokens=0, parallel=2, flash_attention=False)
    drafted = _load(opened, path, parallel=2, mtp=True, draft_tokens=4, flash_attention=False)
    expected = [told.text for told in _answers(plain, *prompts)]
    answers = _answers(drafted, *prompts)
    assert [told.text for told in answers] == expected
    assert sum(told.end.stats.draft_tokens for told in answers) > 0


@pytest.mark.parametrize("write", WITH_HEADS)
def test_own_heads_follow_a_conversation(write: Any, opened: ExitStack, tmp_path: Path) -> None:
    path = write(tmp_path / "mtp.gguf", change=reciting())
    loaded = _load(opened, path, parallel=1, mtp=True, draft_tokens=4)
    text = "a"
    for _ in range(4):
        (told,) = _answers(loaded, text, tokens=40)
        assert told.text == recited(text, 40)
        text += told.text[:25] + "z"


@pytest.mark.parametrize("heads", [True, False])
def test_without_usable_heads_the_wish_is_refused(
    heads: bool, opened: ExitStack, tmp_path: Path
) -> None:
    """llama.cpp would end the process where the header promises what the file lacks."""
    path = _reciter(tmp_path) if heads else write_tiny_mtp(tmp_path / "m.gguf", heads=False)
    with pytest.raises(LoadError) as caught:
        _load(opened, path, mtp=True)
    assert caught.value.kind == "no_mtp"


@pytest.mark.parametrize("by_heads", [False, True])
def test_an_abort_reaches_who_guesses_and_leaves_nothing_behind(
    by_heads: bool, opened: ExitStack, tmp_path: Path
) -> None:
    if by_heads:
        path = write_tiny_mtp(tmp_path / "mtp.gguf", change=reciting())
        loaded = _load(opened, path, mtp=True)
    else:
        small = write_tiny_model(tmp_path / "small.gguf", layers=1, width=32, change=reciting())
        loaded = _load(opened, _reciter(tmp_path), Extras(draft=small))
    batcher = loaded.batcher
    events = batcher.add(ask("a", "a", 60))
    for step in range(400):
        if not batcher.busy:
            break
        if step % 3 == 0:
            loaded.context.abort.set()
        events += batcher.step()
        loaded.context.abort.clear()
    told = sort_out(events)["a"]
    assert told.text == recited("a", 60)
    assert told.end.stats.accepted_tokens > 0
