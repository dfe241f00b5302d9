"""The batcher on real tiny models, driven step by step in the test's own thread."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from desktop.engine.batch import Batch
from desktop.engine.batching.batcher import Batcher
from desktop.engine.chat import Chat, Message, Tool
from desktop.engine.constraint import Constraint
from desktop.engine.events import Failed, Finished, TokenChances
from desktop.engine.loaded import Loaded
from desktop.engine.request import Adapter, Request
from desktop.engine.sampling import Sampling
from tests.engine.conftest import LoadModel
from tests.engine.driving import answer, ask, check_cache, drive, sort_out
from tests.tiny_models import Array, vocabulary, write_tiny_model

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
    batcher.add(ask("writer", "Hallo", 40))
    batcher.step()
    batcher.add(ask("reader", LONG, 1))
    written = _written(batcher, "writer")
    steps, events = 0, batcher.step()
    while not any(event.request_id == "reader" for event in events if isinstance(event, Finished)):
        events = batcher.step()
        steps += 1
    assert steps >= 3
    assert _written(batcher, "writer") - written == steps + 1


def test_a_short_prompt_does_not_wait_for_a_long_one(load_model: LoadModel) -> None:
    batcher = load_model(parallel=2, ubatch=64).batcher
    batcher.add(ask("long", LONG, 1))
    batcher.add(ask("short", "Hallo", 1))
    ended = {event.request_id for event in batcher.step() if isinstance(event, Finished)}
    assert ended == {"short"}


def test_higher_priority_gets_the_next_sequence(load_model: LoadModel) -> None:
    batcher = load_model(parallel=1).batcher
    told = drive(
        batcher,
        ask("first", "Hallo", 3),
        ask("api", "Hallo", 3),
        ask("window", "Hallo", 3, priority=10),
    )
    # The queue was ordered before the first step, so even "first" had to let it pass.
    assert list(told) == ["window", "first", "api"]


def test_more_requests_than_sequences_all_get_an_answer(load_model: LoadModel) -> None:
    batcher = load_model(parallel=3).batcher
    told = drive(batcher, *(ask(str(n), f"Frage {n}: {LONG[: 7 * n]}", 6) for n in range(12)))
    assert len(told) == 12
    assert all(one.end.stats.completion_tokens == 6 for one in told.values())
    assert not batcher.queue


def test_a_stop_string_ends_the_answer_and_is_not_shown(load_model: LoadModel) -> None:
    batcher = load_model().batcher
    whole = answer(batcher, ask("1", "Hallo", 24)).text
    stop = whole[6:9]
    told = answer(batcher, ask("2", "Hallo", 24, stop=("not there", stop)))
    assert told.text == whole[: whole.index(stop)]
    assert told.end.reason == "stop"


def test_a_control_token_as_stop_string_is_seen_though_it_writes_nothing(
    load_model: LoadModel,
) -> None:
    loaded = load_model()
    token = loaded.vocabulary.single_token("<|im_start|>")
    assert token is not None
    prompt = _prompt_answered_with(loaded, token)
    told = answer(loaded.batcher, ask("1", prompt, 1, stop=("<|im_start|>",)))
    assert (told.end.reason, told.end.stats.completion_tokens, told.text) == ("stop", 0, "")


def test_the_end_token_ends_the_answer_unless_it_is_to_be_ignored(load_model: LoadModel) -> None:
    loaded = load_model()
    token = loaded.vocabulary.single_token("<|im_end|>")
    assert token is not None
    prompt = _prompt_answered_with(loaded, token)
    ended = answer(loaded.batcher, ask("1", prompt, 4, ignore_eos=False))
    assert (ended.end.reason, ended.end.stats.completion_tokens) == ("stop", 0)
    assert answer(loaded.batcher, ask("2", prompt, 4)).end.stats.completion_tokens == 4


def test_a_prompt_that_fills_the_context_is_refused_with_the_numbers(load_model: LoadModel) -> None:
    batcher = load_model(context=256, parallel=1).batcher
    failed = answer(batcher, ask("1", "x" * 256)).failed
    assert failed is not None
    assert failed.kind == "context_exceeded"
    assert failed.params == {"prompt_tokens": 256, "context_tokens": 256}
    assert answer(batcher, ask("2", "x" * 255)).end.reason == "length"


def test_writing_stops_where_the_context_ends(load_model: LoadModel) -> None:
    told = answer(load_model(context=256, parallel=1).batcher, ask("1", "x" * 200, None))
    assert told.end.reason == "length"
    assert told.end.stats.context_tokens_used == 256
    assert told.end.stats.completion_tokens == 56


def test_an_empty_prompt_is_answered(load_model: LoadModel) -> None:
    assert answer(load_model().batcher, ask("1", "", 3)).end.stats.completion_tokens == 3


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"sampling": Sampling(temperature=float("nan"))}, "bad_sampling"),
        ({"sampling": Sampling(temperature=-1.0)}, "bad_sampling"),
        ({"sampling": Sampling(top_k=-1)}, "bad_sampling"),
        ({"sampling": Sampling(top_p=1.5)}, "bad_sampling"),
        ({"sampling": Sampling(min_p=float("inf"))}, "bad_sampling"),
        ({"sampling": Sampling(repeat_penalty=0.0)}, "bad_sampling"),
        ({"sampling": Sampling(seed=2**32)}, "bad_sampling"),
        ({"max_tokens": -1}, "bad_sampling"),
        ({"max_tokens": 5.0}, "bad_sampling"),
        ({"sampling": Sampling(top_k=40.0)}, "bad_sampling"),  # type: ignore[arg-type]
        ({"sampling": Sampling(seed="1")}, "bad_sampling"),  # type: ignore[arg-type]
        ({"sampling": Sampling(top_p=None)}, "bad_sampling"),  # type: ignore[arg-type]
        ({"priority": "high"}, "bad_sampling"),
        ({"stop": (5,)}, "bad_stop_string"),
        ({"prompt": None}, "bad_request"),
        ({"parts": 0.5}, "bad_request"),
        ({"parts": (0.5,)}, "bad_request"),
        ({"stop": None}, "bad_request"),
        ({"sampling": {}}, "bad_request"),
        ({"adapters": ("one",)}, "bad_request"),
        ({"adapters": (Adapter(5),)}, "no_such_adapter"),  # type: ignore[arg-type]
        ({"conversation": 5}, "bad_request"),
        ({"chat": "Hallo"}, "bad_request"),
        ({"chat": Chat(("Hallo",))}, "bad_request"),  # type: ignore[arg-type]
        ({"chat": Chat((Message("witch", "x"),))}, "bad_request"),  # type: ignore[arg-type]
        ({"chat": Chat((Message([], "x"),))}, "bad_request"),  # type: ignore[arg-type]
        ({"chat": Chat((), reasoning_budget=-1)}, "bad_request"),
        ({"chat": Chat((), (Tool("x", parameters=5),))}, "bad_request"),  # type: ignore[arg-type]
        ({"constraint": "json"}, "bad_request"),
        ({"constraint": Constraint("choice", choices=(1,))}, "bad_request"),  # type: ignore[arg-type]
        ({"stop": ("",)}, "bad_stop_string"),
        ({"stop": tuple("abc" * 30)}, "too_many_stop_strings"),
    ],
)
def test_wrong_parameters_fail_that_request_alone(
    load_model: LoadModel, fields: dict[str, object], kind: str
) -> None:
    wrong = dataclasses.replace(Request("wrong", "Hallo"), **fields)  # type: ignore[arg-type]
    told = drive(load_model().batcher, wrong, ask("right", "Hallo", 2))
    assert told["wrong"].failed is not None
    assert told["wrong"].failed.kind == kind
    assert told["right"].end.stats.completion_tokens == 2


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(top_k=0, top_p=1.0, min_p=0.0),
        Sampling(temperature=0.0, repeat_penalty=1.3),
        Sampling(temperature=100.0, top_k=1, top_p=0.0, min_p=1.0, repeat_penalty=100.0),
        Sampling(top_k=2**31 - 1, repeat_penalty=0.01, seed=2**32 - 2),
    ],
)
def test_every_allowed_sampling_writes(load_model: LoadModel, sampling: Sampling) -> None:
    told = answer(load_model().batcher, ask("1", "Hallo", 10, sampling=sampling))
    assert told.end.stats.completion_tokens == 10


def test_the_repeat_penalty_changes_what_is_written(load_model: LoadModel) -> None:
    batcher = load_model().batcher
    plain = answer(batcher, ask("1", "Hallo", 40)).text
    punished = Sampling(temperature=0.0, repeat_penalty=3.0)
    assert answer(batcher, ask("2", "Hallo", 40, sampling=punished)).text != plain


def test_cancelling_in_a_prompt_in_an_answer_and_in_the_queue(load_model: LoadModel) -> None:
    batcher = load_model(parallel=2, ubatch=64).batcher
    batcher.add(ask("writing", "Hallo", 500))
    events = batcher.step()
    batcher.add(ask("reading", LONG, 500))
    batcher.add(ask("waiting", "Hallo", 500))
    events += batcher.step()
    for name in ("writing", "reading", "waiting"):
        events += batcher.cancel(name)
        assert batcher.cancel(name) == []
    told = sort_out(events)
    assert {name: one.end.reason for name, one in told.items()} == dict.fromkeys(
        ("writing", "reading", "waiting"), "cancelled"
    )
    assert not batcher.busy
    assert told["reading"].end.stats.completion_tokens == 0


def test_what_was_read_before_a_cancel_is_not_read_again(load_model: LoadModel) -> None:
    batcher = load_model(parallel=1, ubatch=64).batcher
    batcher.add(ask("1", LONG))
    batcher.step()
    batcher.step()
    batcher.cancel("1")
    assert answer(batcher, ask("2", LONG)).cached_tokens == 128


def test_close_ends_everything_that_runs_or_waits(load_model: LoadModel) -> None:
    batcher = load_model(parallel=1).batcher
    events = batcher.add(ask("1", "Hallo", 100)) + batcher.add(ask("2", "Hallo", 100))
    events += batcher.step() + batcher.close()
    assert {name: one.end.reason for name, one in sort_out(events).items()} == {
        "1": "cancelled",
        "2": "cancelled",
    }
    assert not batcher.busy


# -- a full cache ----------------------------------------------------------------------------


def test_a_full_cache_evicts_idle_sequences(load_model: LoadModel) -> None:
    batcher = load_model(context=512, parallel=4).batcher
    for n in range(6):
        told = answer(batcher, ask(str(n), f"{n}" * 300, 8))
        assert told.end.stats.completion_tokens == 8
    held = sum(len(slot.cached) for slot in batcher.slots)
    assert 300 < held <= 512


def test_a_full_cache_requeues_and_nobody_notices(load_model: LoadModel) -> None:
    # 3 x (150 + 120) tokens do not fit into 512: somebody has to wait in the middle.
    loaded = load_model(context=512, parallel=3)
    batcher = loaded.batcher
    prompts = {name: name * 150 for name in "xyz"}
    events = [e for name, prompt in prompts.items() for e in batcher.add(ask(name, prompt, 120))]
    requeued: dict[str, str] = {}
    while batcher.busy:
        events += batcher.step()
        check_cache(batcher)
        requeued |= {
            task.request.id: "".join(task.written) for task in batcher.queue if task.requeued
        }
    told = sort_out(events)
    assert requeued
    assert {one.end.stats.completion_tokens for one in told.values()} == {120}
    assert all(len(one.started) == 1 for one in told.values())
    # What had been written stays, and is what the writing went on from.
    assert all(told[name].text.startswith(text) and text for name, text in requeued.items())


def test_the_lowest_priority_makes_room(load_model: LoadModel) -> None:
    batcher = load_model(context=512, parallel=2).batcher
    events = batcher.add(ask("window", "w" * 150, 150, priority=5))
    events += batcher.add(ask("api", "a" * 150, 150)) + batcher.step()
    while not batcher.queue:
        events += batcher.step()
    assert [slot.task.request.id for slot in batcher.slots if slot.task] == ["window"]
    while batcher.busy:
        events += batcher.step()
    told = sort_out(events)
    assert {one.end.stats.completion_tokens for one in told.values()} == {150}


def test_a_prompt_that_does_not_fit_beside_the_others_waits(load_model: LoadModel) -> None:
    batcher = load_model(context=512, parallel=2).batcher
    told = drive(batcher, ask("small", "s" * 200, 100), ask("large", "l" * 400, 20))
    assert told["small"].end.stats.completion_tokens == 100
    assert told["large"].end.stats.completion_tokens == 20


# -- when llama.cpp does not succeed ---------------------------------------------------------


class _Decode:
    """Stands before llama_decode and returns prepared codes instead of calling it."""

    def __init__(self, loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
        self.codes: list[int] = []
        self.calls = 0
        real = loaded.model.llama.lib.llama_decode

        def decode(context: object, batch: object) -> int:
            self.calls += 1
            return self.codes.pop(0) if self.codes else real(context, batch)

        monkeypatch.setattr(loaded.model.llama.lib, "llama_decode", decode)


@pytest.mark.parametrize("code", [2, -2, -3])
def test_a_step_that_fails_once_is_repeated(
    load_model: LoadModel, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    expected = answer(load_model().batcher, ask("a", LONG, 10)).text
    loaded = load_model()
    decode = _Decode(loaded, monkeypatch)
    decode.codes = [code]
    told = drive(loaded.batcher, ask("a", LONG, 10), ask("b", "Hallo", 10))
    assert told["a"].text == expected
    assert told["b"].end.stats.completion_tokens == 10


def test_a_request_that_fails_alone_takes_no_other_with_it(
    load_model: LoadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_model()
    decode = _Decode(loaded, monkeypatch)
    decode.codes = [-3, -3]  # together, then the first of them alone
    told = drive(loaded.batcher, ask("a", "Hallo", 10), ask("b", "Guten Tag", 10))
    assert told["a"].failed == Failed("a", "decode_failed", {"code": -3})
    assert told["b"].end.stats.completion_tokens == 10
    assert answer(loaded.batcher, ask("c", "Hallo", 3)).end.stats.completion_tokens == 3


def test_a_lone_sequence_without_room_reads_smaller_pieces_then_ends(
    load_model: LoadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_model(parallel=1, ubatch=64)
    decode = _Decode(loaded, monkeypatch)
    decode.codes = [1, 1]
    assert answer(loaded.batcher, ask("a", LONG, 3)).end.stats.completion_tokens == 3
    decode.codes = [1] * 100
    assert answer(loaded.batcher, ask("b", "Ganz anders", 3)).end.reason == "length"


@pytest.mark.parametrize(
    "sampling",
    [Sampling(temperature=0.0), Sampling(), Sampling(top_k=0), Sampling(repeat_penalty=1.2)],
    ids=str,
)
def test_logits_that_are_no_numbers_fail_that_request_alone(
    load_model: LoadModel, tmp_path: Path, sampling: Sampling
) -> None:
    def poison_z(weights: dict[str, Array]) -> None:
        weights["token_embd.weight"][ord("z")] = np.nan

    path = write_tiny_model(tmp_path / "poison.gguf", change=poison_z)
    batcher = load_model(path).batcher
    assert vocabulary(288)[ord("z")] == "z"
    told = drive(
        batcher, ask("bad", "abcz", 5, sampling=sampling), ask("good", "abc", 1, sampling=sampling)
    )
    assert told["bad"].failed == Failed("bad", "broken_numbers")
    assert answer(batcher, ask("next", "abc", 1, sampling=sampling)).end.reason == "length"


def _written(batcher: Batcher, name: str) -> int:
    tasks = [slot.task for slot in batcher.slots if slot.task and slot.task.request.id == name]
    return tasks[0].completion_tokens


def _prompt_answered_with(loaded: Loaded, token: int) -> str:
    """A prompt after which `token` is the likeliest, found by asking about many."""
    lib, context = loaded.model.llama.lib, loaded.context
    batch = Batch(lib, context.batch_tokens)
    for number in range(4000):
        prompt = f"{number:x}"
        tokens = loaded.vocabulary.tokenize(prompt)
        batch.clear()
        place = batch.add(tokens, 0, 0, output=True)
        assert lib.llama_decode(context.handle, batch.seal()) == 0
        logits = lib.llama_get_logits_ith(context.handle, place)[: loaded.vocabulary.size]
        lib.llama_memory_seq_rm(context.memory, 0, -1, -1)
        if max(range(len(logits)), key=logits.__getitem__) == token:
            return prompt
    raise AssertionError("no such prompt")


# -- an echoed prompt and its chances --------------------------------------------------------


def test_the_tokens_of_an_echoed_prompt_are_scored(load_model: LoadModel) -> None:
    loaded = load_model(parallel=3, ubatch=64)
    prompt = "Hallo, wie geht es?"
    request = ask("1", prompt, 0, echo=True, logprobs=2)
    events = loaded.batcher.add(request) + loaded.batcher.add(ask("beside", "Hallo", 30))
    while loaded.batcher.busy:
        events += loaded.batcher.step()
    told = [event for event in events if isinstance(event, TokenChances)]
    tokens = loaded.vocabulary.tokenize(prompt)
    assert [one.token.token for one in told] == tokens
    assert b"".join(one.token.raw for one in told).decode() == prompt
    assert (told[0].token.logprob, told[0].top) == (0.0, ())
    wanted = _log_chances(loaded, tokens)
    for one, logprobs in zip(told[1:], wanted, strict=False):
        assert one.of_prompt
        assert one.token.logprob == pytest.approx(logprobs[one.token.token], abs=0.02)
        assert one.top[0].logprob == pytest.approx(max(logprobs), abs=0.02)
    assert sort_out(events)["1"].text == prompt
    assert sort_out(events)["1"].end.stats.completion_tokens == 0
    assert sort_out(events)["beside"].end.stats.completion_tokens == 30


def test_an_answer_goes_on_behind_a_scored_prompt(load_model: LoadModel) -> None:
    wanted = answer(load_model().batcher, ask("1", "Hallo", 9)).text
    told = answer(load_model().batcher, ask("1", "Hallo", 9, echo=True, logprobs=0))
    assert told.text == "Hallo" + wanted


def _log_chances(loaded: Loaded, tokens: list[int]) -> list[Array]:
    """By softmax over the logits behind each token, read one by one."""
    lib, context = loaded.model.llama.lib, loaded.context
    batch, rows = Batch(lib, 1), []
    lib.llama_memory_seq_rm(context.memory, 0, -1, -1)
    for position, token in enumerate(tokens):
        batch.clear()
        place = batch.add_one(token, position, 0)
        assert lib.llama_decode(context.handle, batch.seal()) == 0
        row = np.array(lib.llama_get_logits_ith(context.handle, place)[: loaded.vocabulary.size])
        rows.append(row - np.log(np.exp(row - row.max()).sum()) - row.max())
    return rows
