"""The way back for memories that cannot be cut, and prefixes that are read once for many."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.engine.slot import Checkpoint
from desktop.engine.states.checkpoints import (
    BEFORE_THE_END,
    MOST_A_SEQUENCE,
    Checkpoints,
    _least_missed,
)
from tests.engine.conftest import LoadModel
from tests.engine.driving import Told, answer, ask, drive, sort_out
from tests.tiny_architectures import write_tiny_gemma2, write_tiny_mamba
from tests.tiny_models import speak_signs_only, write_tiny_model

KINDS = ("llama", "mamba", "gemma2")
HISTORY = "<|im_start|>user\n" + "Erzähl mir etwas. " * 15 + "<|im_end|>\n<|im_start|>assistant\n"
NEXT = "<|im_end|>\n<|im_start|>user\nUnd weiter?<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    writers = {"llama": write_tiny_model, "mamba": write_tiny_mamba, "gemma2": write_tiny_gemma2}
    return {
        kind: write(folder / f"{kind}.gguf", seed=3, change=speak_signs_only)
        for kind, write in writers.items()
    }


def _read(told: Told) -> int:
    return told.end.stats.prompt_tokens - told.cached_tokens


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_written_anew_reads_almost_nothing(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    batcher = load_model(models[kind], parallel=1).batcher
    first = answer(batcher, ask("1", HISTORY, 200))
    again = answer(batcher, ask("2", HISTORY, 20))
    assert _read(again) <= BEFORE_THE_END
    assert first.text.startswith(again.text)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_stands_otherwise_in_the_history_costs_itself_alone(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    """Templates leave the reasoning out, and strip blanks."""
    batcher = load_model(models[kind], parallel=1).batcher
    first = answer(batcher, ask("1", HISTORY, 100, conversation="chat"))
    prompt = HISTORY + first.text[50:] + NEXT
    second = answer(batcher, ask("2", prompt, 10, conversation="chat"))
    assert _read(second) <= BEFORE_THE_END + len(prompt) - len(HISTORY)
    fresh = load_model(models[kind], parallel=1).batcher
    assert second.text == answer(fresh, ask("2", prompt, 10)).text


@pytest.mark.parametrize("kind", KINDS)
def test_an_edited_question_goes_back_to_where_its_turn_began(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    batcher = load_model(models[kind], parallel=1).batcher
    first = answer(batcher, ask("1", HISTORY, 80, conversation="chat"))
    question = HISTORY + first.text + "<|im_end|>\n<|im_start|>user\n"
    answer(batcher, ask("2", question + "Eine lange Frage. " * 12, 10, conversation="chat"))
    edited = question + "Eine andere?"
    told = answer(batcher, ask("3", edited, 10, conversation="chat"))
    assert _read(told) <= len(edited) - len(HISTORY) - 70
    fresh = load_model(models[kind], parallel=1).batcher
    assert told.text == answer(fresh, ask("3", edited, 10)).text


def test_the_checkpoints_of_a_sequence_are_few_and_spread(
    load_model: LoadModel, models: dict[str, Path]
) -> None:
    batcher = load_model(models["mamba"], parallel=1, context=8192).batcher
    text = HISTORY
    for turn in range(14):
        told = answer(batcher, ask(f"{turn}", text, 70, conversation="chat"))
        text += told.text + NEXT
        lengths = [one.length for one in batcher.slots[0].checkpoints]
        assert lengths == sorted(set(lengths))
        assert len(lengths) <= MOST_A_SEQUENCE
        assert all(length <= len(batcher.slots[0].cached) for length in lengths)
    assert lengths[0] < 0.6 * lengths[-1]


def test_the_least_missed_lies_between_near_neighbours() -> None:
    checkpoints = [Checkpoint(length, bytearray()) for length in (100, 900, 950, 2000)]
    assert _least_missed(checkpoints) == 1


def test_memory_for_checkpoints_is_bounded(load_model: LoadModel, models: dict[str, Path]) -> None:
    batcher = load_model(models["mamba"], parallel=2, context=4096).batcher
    cache = batcher.cache
    answer(batcher, ask("0", HISTORY, 4))
    one = max(len(made.state) for slot in batcher.slots for made in slot.checkpoints)
    most = 5 * one
    cache._checkpoints = Checkpoints(cache.memory, most)
    for number in range(6):
        answer(batcher, ask(f"{number}", f"{number} {HISTORY}" * 2, 4))
        held = [made for slot in batcher.slots for made in slot.checkpoints]
        assert sum(len(made.state) for made in held) <= most


# -- read once for many ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_several_answers_to_one_prompt_read_it_once(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    batcher = load_model(models[kind], parallel=4, context=4096).batcher
    told = drive(batcher, *(ask(f"{n}", HISTORY, 12) for n in range(4)))
    read = sorted(_read(one) for one in told.values())
    assert read[-1] == told["0"].end.stats.prompt_tokens
    assert read[-2] <= BEFORE_THE_END + 1
    alone = answer(load_model(models[kind], parallel=1).batcher, ask("0", HISTORY, 12)).text
    assert {one.text for one in told.values()} == {alone}


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_system_prompt_is_read_once(
    load_model: LoadModel, models: dict[str, Path], kind: str
) -> None:
    batcher = load_model(models[kind], parallel=3, context=4096).batcher
    told = drive(batcher, *(ask(f"{n}", f"{HISTORY}{n} und noch etwas", 6) for n in range(3)))
    read = sorted(_read(one) for one in told.values())
    assert read[-2] < 60
    for name, one in told.items():
        fresh = load_model(models[kind], parallel=1).batcher
        assert answer(fresh, ask(name, f"{HISTORY}{name} und noch etwas", 6)).text == one.text


def test_who_waits_for_another_goes_on_when_that_one_is_cancelled(load_model: LoadModel) -> None:
    batcher = load_model(parallel=2, ubatch=32).batcher
    events = batcher.add(ask("first", HISTORY, 10)) + batcher.add(ask("second", HISTORY, 10))
    events += batcher.step()
    assert [task.request.id for task in batcher.queue] == ["second"]
    events += batcher.cancel("first")
    while batcher.busy:
        events += batcher.step()
    told = sort_out(events)["second"]
    assert told.end.stats.completion_tokens == 10
    assert told.cached_tokens > 0


def test_others_pass_who_waits_for_a_leader(load_model: LoadModel) -> None:
    batcher = load_model(parallel=3, ubatch=32, context=2048).batcher
    for name in ("first", "same"):
        batcher.add(ask(name, HISTORY, 10))
    batcher.add(ask("other", "Hallo", 10))
    batcher.step()
    active = {slot.task.request.id for slot in batcher.slots if slot.task}
    assert active == {"first", "other"}
