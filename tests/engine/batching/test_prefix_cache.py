"""The second turn of a chat does not read the first again, in every kind of memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.engine.prepared import Prepared
from desktop.engine.retold import common_text
from desktop.engine.slot import common_prefix
from desktop.engine.states.states import States
from tests.engine.conftest import LoadModel
from tests.engine.driving import answer, ask, drive
from tests.tiny_architectures import write_tiny_gemma2, write_tiny_mamba
from tests.tiny_models import speak_signs_only, write_tiny_model

HISTORY = "<|im_start|>user\n" + "Erzähl mir etwas. " * 15 + "<|im_end|>\n<|im_start|>assistant\n"
NEXT = "<|im_end|>\n<|im_start|>user\nUnd weiter?<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    return {
        "llama": write_tiny_model(folder / "llama.gguf", seed=3, change=speak_signs_only),
        "mamba": write_tiny_mamba(folder / "mamba.gguf", change=speak_signs_only),
        "gemma2": write_tiny_gemma2(folder / "gemma2.gguf", change=speak_signs_only),
    }


@pytest.mark.parametrize("kind", ["llama", "mamba", "gemma2"])
def test_the_second_turn_reads_only_what_is_new(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    batcher = load_model(models[kind]).batcher
    first = answer(batcher, ask("1", HISTORY, 20, conversation="chat"))
    second = answer(batcher, ask("2", HISTORY + first.text + NEXT, 5, conversation="chat"))
    # All but the token that was sampled last, which has not been through the model yet.
    assert second.cached_tokens == first.end.stats.context_tokens_used - 1
    assert second.end.stats.prompt_tokens > second.cached_tokens
    third = answer(
        batcher,
        ask("3", HISTORY + first.text + NEXT + second.text + NEXT, 5, conversation="chat"),
    )
    assert third.cached_tokens == second.end.stats.context_tokens_used - 1


@pytest.mark.parametrize("kind", ["llama", "mamba", "gemma2"])
def test_an_answer_after_reuse_is_the_answer_without(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    batcher = load_model(models[kind]).batcher
    first = answer(batcher, ask("1", HISTORY, 20)).text
    for name, prompt in {
        "continued": HISTORY + first + NEXT,
        "cut": HISTORY[:-60] + NEXT,
        "cut early": HISTORY[:40] + NEXT,
    }.items():
        reused = answer(batcher, ask(name, prompt, 3))
        fresh = answer(load_model(models[kind]).batcher, ask(name, prompt, 3))
        assert reused.text[:1] == fresh.text[:1], name


def test_an_edited_question_keeps_what_stands_before_it(load_model: LoadModel) -> None:
    batcher = load_model(parallel=1).batcher
    answer(batcher, ask("1", HISTORY + "eins", 20))
    told = answer(batcher, ask("2", HISTORY + "zwei", 5))
    assert told.cached_tokens == told.started[0].prompt_tokens - len("zwei")


def test_the_same_prompt_again_reads_one_token(load_model: LoadModel) -> None:
    batcher = load_model().batcher
    answer(batcher, ask("1", HISTORY, 5))
    told = answer(batcher, ask("2", HISTORY, 5))
    assert told.cached_tokens == told.started[0].prompt_tokens - 1


def test_recurrent_memory_starts_again_where_no_checkpoint_helps(
    load_model: LoadModel, models: dict[str, Path]
) -> None:
    batcher = load_model(models["mamba"], parallel=1).batcher
    answer(batcher, ask("1", HISTORY + "eins", 20))
    told = answer(batcher, ask("2", HISTORY[:100] + "zwei", 5))
    assert told.cached_tokens == 0
    assert told.end.stats.completion_tokens == 5


def test_a_sliding_window_is_not_reused_where_it_has_moved_on(
    load_model: LoadModel, models: dict[str, Path]
) -> None:
    # Window 64, one sequence, micro-batch 64: the cache keeps 256 cells, the text has over 600.
    batcher = load_model(models["gemma2"], parallel=1).batcher
    answer(batcher, ask("1", HISTORY + "x" * 400, 5))
    assert answer(batcher, ask("2", HISTORY[:100] + "anders", 5)).cached_tokens == 0
    answer(batcher, ask("3", HISTORY + "x" * 400, 5))
    near_the_end = answer(batcher, ask("4", HISTORY + "x" * 380 + "anders", 5))
    assert near_the_end.cached_tokens > 600


def test_two_chats_keep_their_sequences_apart(load_model: LoadModel) -> None:
    batcher = load_model(context=2048, parallel=2).batcher
    texts = {name: HISTORY.replace("mir", name * 3) for name in "ab"}
    for _ in range(3):
        for name, text in texts.items():
            told = answer(batcher, ask(name, text, 5, conversation=name))
            texts[name] = text + told.text + NEXT
    told = answer(batcher, ask("a", texts["a"], 5, conversation="a"))
    assert told.cached_tokens > 0.9 * (told.started[0].prompt_tokens - len(NEXT))


def test_a_prefix_of_a_running_sequence_is_shared(load_model: LoadModel) -> None:
    batcher = load_model(context=2048, parallel=2).batcher
    batcher.add(ask("long", HISTORY, 200))
    while not any(slot.task and slot.task.completion_tokens for slot in batcher.slots):
        batcher.step()
    told = answer(batcher, ask("other", HISTORY + "mehr", 5))
    assert told.cached_tokens >= told.started[0].prompt_tokens - len("mehr")


def test_an_answer_in_tokens_the_tokenizer_would_not_choose_is_reused(
    load_model: LoadModel,
) -> None:
    """A random model writes "t" and "h" where the tokenizer would read "th"."""
    loaded = load_model()
    said = ""
    for number in range(60):
        told = answer(loaded.batcher, ask(f"{number}", f"{number} {HISTORY}", 40))
        said, slot = told.text, next(s for s in loaded.batcher.slots if s.text)
        if loaded.vocabulary.tokenize(slot.text or "") != slot.cached + slot.pending:
            break
    else:
        raise AssertionError("every answer was canonical")
    told = answer(loaded.batcher, ask("next", f"{number} {HISTORY}{said}{NEXT}", 3))
    assert told.cached_tokens == len(loaded.vocabulary.tokenize(f"{number} {HISTORY}")) + 39


def test_many_turns_in_a_small_cache_never_lose_their_place(load_model: LoadModel) -> None:
    batcher = load_model(context=768, parallel=3).batcher
    texts = [f"{n}: {HISTORY[:60]}" for n in range(4)]
    for turn in range(4):
        told = drive(
            batcher,
            *(ask(f"{n}", text, 15, conversation=f"{n}") for n, text in enumerate(texts)),
        )
        texts = [text + told[f"{n}"].text + NEXT[:20] for n, text in enumerate(texts)]
        assert all(one.end.stats.completion_tokens == 15 for one in told.values()), turn


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_common_prefix(shared: list[int], first: list[int], second: list[int]) -> None:
    one, other = shared * 20 + first, shared * 20 + second
    length = common_prefix(one, other)
    assert one[:length] == other[:length]
    assert length in (len(one), len(other)) or one[length] != other[length]


@pytest.mark.parametrize("kind", ["llama", "mamba", "gemma2"])
def test_a_chat_asked_again_is_known_in_whatever_tokens_it_was_written(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    """Its first answer is not in the tokenizer's own tokens; only the last turn is asked again."""
    loaded = load_model(models[kind], parallel=1)
    batcher, split = loaded.batcher, loaded.vocabulary.tokenize
    batcher.cache._states = States(1 << 30)
    said = "the other thing " * 12
    tokens = split(HISTORY) + [token for sign in said for token in split(sign)] + split(NEXT)
    prompt = HISTORY + said + NEXT
    assert split(prompt) != tokens
    request = ask("1", prompt, 5, conversation="chat")
    batcher.add(Prepared(request, tokens, prompt))
    while batcher.busy:
        batcher.step()
    again = answer(batcher, ask("2", prompt, 5, conversation="chat"))
    assert again.started[0].prompt_tokens - again.cached_tokens <= 20
    answer(batcher, ask("other", "Etwas anderes. " * 12, 4, conversation="other"))
    back = answer(batcher, ask("3", prompt + "Weil es", 5, conversation="chat"))
    assert back.end.stats.restored == "memory"
    assert back.started[0].prompt_tokens - back.cached_tokens <= 30
    held = batcher.slots[0].cached[: len(tokens) - 20]
    assert held == tokens[: len(tokens) - 20]


@given(st.text("ab\n", max_size=40), st.text("ab", max_size=9), st.text("ab", max_size=9))
def test_common_text(shared: str, first: str, second: str) -> None:
    one, other = shared * 300 + first, shared * 300 + second
    length = common_text(one, other)
    assert one[:length] == other[:length]
    assert length in (len(one), len(other)) or one[length] != other[length]
