"""Going back to a chat that lost its sequence does not read it again, in every kind of memory."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from desktop.engine.batching.batcher import Batcher
from desktop.engine.events import Finished
from desktop.engine.keeping import Keeping
from desktop.engine.loaded import Loaded
from desktop.engine.states.states import States
from tests.engine.conftest import LoadModel
from tests.engine.driving import answer, ask, drive, plan_for, sort_out
from tests.tiny_architectures import write_tiny_gemma2, write_tiny_mamba
from tests.tiny_models import speak_signs_only, write_tiny_model

KINDS = ("llama", "mamba", "gemma2")
HISTORY = "<|im_start|>user\n" + "Erzähl mir etwas. " * 15 + "<|im_end|>\n<|im_start|>assistant\n"
NEXT = "<|im_end|>\n<|im_start|>user\nUnd weiter?<|im_end|>\n<|im_start|>assistant\n"
OTHER = "Ein ganz anderes Gespräch. " * 20


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    writers = {"llama": write_tiny_model, "mamba": write_tiny_mamba, "gemma2": write_tiny_gemma2}
    return {
        kind: write(folder / f"{kind}.gguf", seed=3, change=speak_signs_only)
        for kind, write in writers.items()
    }


def _keeping(batcher: Batcher, limit_bytes: int = 1 << 30) -> States:
    states = States(limit_bytes)
    batcher.cache._states = states
    return states


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_chat_comes_back_from_memory(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    batcher = load_model(models[kind], parallel=1).batcher
    states = _keeping(batcher)
    first = answer(batcher, ask("1", HISTORY, 20, conversation="old"))
    answer(batcher, ask("2", OTHER, 20, conversation="other"))
    assert states.bytes > 0
    again = answer(batcher, ask("3", HISTORY + first.text + NEXT, 8, conversation="old"))
    assert again.cached_tokens == first.end.stats.context_tokens_used - 1
    assert again.end.stats.restored == "memory"
    kept = load_model(models[kind], parallel=1).batcher
    answer(kept, ask("1", HISTORY, 20, conversation="old"))
    told = answer(kept, ask("3", HISTORY + first.text + NEXT, 8, conversation="old"))
    assert again.text == told.text


@pytest.mark.parametrize("kind", KINDS)
def test_many_chats_in_one_sequence_read_only_what_is_new(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    batcher = load_model(models[kind], parallel=2, context=2048).batcher
    _keeping(batcher)
    texts = {name: HISTORY.replace("mir", name * 3) for name in "abcde"}
    for turn in range(3):
        for name, text in texts.items():
            told = answer(batcher, ask(name, text, 6, conversation=name))
            if turn > 0:
                read = told.end.stats.prompt_tokens - told.cached_tokens
                assert read <= len(NEXT) + 1, (turn, name)
            texts[name] = text + told.text + NEXT


def test_memory_stays_within_its_limit_and_the_oldest_goes(load_model: LoadModel) -> None:
    batcher = load_model(parallel=1).batcher
    whole = _keeping(batcher)
    answer(batcher, ask("0", HISTORY, 4, conversation="measure"))
    answer(batcher, ask("1", OTHER, 4))
    one = whole.bytes
    states = _keeping(batcher, int(2.5 * one))
    for name in "abcd":
        answer(batcher, ask(name, HISTORY.replace("mir", name * 3), 4, conversation=name))
        assert states.bytes <= 2.5 * one
    assert [state.conversation for state in states.all()] == ["c", "b"]


def test_what_is_not_to_be_kept_is_not(load_model: LoadModel) -> None:
    batcher = load_model(parallel=1).batcher
    states = _keeping(batcher)
    answer(batcher, ask("1", HISTORY, 4, conversation="secret", keep_state=False))
    answer(batcher, ask("2", OTHER, 4, conversation="other"))
    assert states.bytes == 0


def test_a_forgotten_chat_is_gone_everywhere(load_model: LoadModel) -> None:
    batcher = load_model(parallel=1).batcher
    states = _keeping(batcher)
    answer(batcher, ask("1", HISTORY, 4, conversation="a"))
    answer(batcher, ask("2", OTHER, 4, conversation="b"))
    states.forget("a")
    batcher.cache.forget("b")
    assert states.bytes == 0
    assert not any(slot.cached for slot in batcher.slots)
    assert answer(batcher, ask("3", HISTORY, 4, conversation="a")).cached_tokens == 0


def test_a_full_cache_makes_room_for_what_comes_back(load_model: LoadModel) -> None:
    batcher = load_model(context=768, parallel=3).batcher
    _keeping(batcher)
    texts = {name: f"{name}: {HISTORY}" for name in "abc"}
    for _ in range(3):
        for name, text in texts.items():
            told = answer(batcher, ask(name, text, 6, conversation=name))
            texts[name] = text + told.text + "weiter "
    assert told.end.stats.prompt_tokens - told.cached_tokens < 20


@pytest.mark.parametrize("kind", KINDS)
def test_the_window_comes_first_and_who_made_room_goes_on(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    alone = load_model(models[kind], parallel=1).batcher
    wanted = answer(alone, ask("api", HISTORY, 60)).text
    batcher = load_model(models[kind], parallel=1).batcher
    _keeping(batcher)
    events = batcher.add(ask("api", HISTORY, 60))
    while not any(slot.task and slot.task.completion_tokens > 10 for slot in batcher.slots):
        events += batcher.step()
    events += batcher.add(ask("window", OTHER, 10, priority=1))
    while batcher.busy:
        events += batcher.step()
    ends = [event.request_id for event in events if isinstance(event, Finished)]
    assert ends == ["window", "api"]
    assert sort_out(events)["api"].text == wanted


def test_equals_do_not_push_each_other_out(load_model: LoadModel) -> None:
    batcher = load_model(parallel=1).batcher
    told = drive(batcher, ask("1", HISTORY, 30, priority=1), ask("2", OTHER, 30, priority=1))
    assert list(told) == ["1", "2"]


# -- over a restart --------------------------------------------------------------------------


def _open(path: Path, folder: Path) -> Loaded:
    return Loaded(path, plan_for(parallel=1), keeping=Keeping(folder=folder))


@pytest.mark.parametrize("kind", KINDS)
def test_a_restart_does_not_read_the_chat_again(
    models: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    with closing(_open(models[kind], tmp_path)) as loaded:
        first = answer(loaded.batcher, ask("1", HISTORY, 20, conversation="chat"))
        assert loaded.keeper is not None
        loaded.keeper.close()
    prompt = HISTORY + first.text + NEXT
    with closing(_open(models[kind], tmp_path)) as loaded:
        request = ask("2", prompt, 8, conversation="chat")
        assert loaded.keeper is not None
        loaded.keeper.fetch(loaded.batcher._prepare(request))
        again = answer(loaded.batcher, request)
    assert again.cached_tokens == first.end.stats.context_tokens_used - 1
    assert again.end.stats.restored == "disk"
