"""What is asked of a server by its own names: samplers, constraints, chances, prompts."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.engine.chat import Chat, Message
from desktop.engine.constraint import Constraint
from desktop.engine.events import (
    PromptProgress,
    TokenChances,
)
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from tests.engine.model_server import (
    Talk,
    delta,
    events,
    refuses,
    says,
)
from tests.engine.remote_talk import (
    Open,
    all_of,
    ask,
    end_of,
    failure_of,
    owned,
    text_of,
)


def test_fields_that_a_server_refuses(talk_to: Open) -> None:
    """OpenAI's own words about a field that it does not know: asked again without it, for good."""

    def strict(talk: Talk) -> None:
        assert talk.asked is not None
        for name in ("top_k", "min_p", "stream_options"):
            if name in talk.asked.document:
                words = f"Unrecognized request argument supplied: {name}"
                refuses(400, {"error": {"message": words, "type": "invalid_request_error"}})(talk)
                return
        says("Hi")(talk)

    engine, server = talk_to(strict)
    assert text_of(ask(engine)) == "Hi"
    assert len(server.posted()) == 4
    assert text_of(ask(engine)) == "Hi"
    assert len(server.posted()) == 5
    assert "temperature" in server.posted()[-1].document


def test_a_list_of_fields_that_a_server_refuses(talk_to: Open) -> None:
    def strict(talk: Talk) -> None:
        assert talk.asked is not None
        extra = sorted({"top_k", "min_p", "repeat_penalty"} & talk.asked.document.keys())
        if extra:
            wrong = [
                {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs"}
                for name in extra
            ]
            refuses(422, {"detail": wrong})(talk)
        else:
            says("Hi")(talk)

    engine, server = talk_to(strict)
    assert text_of(ask(engine)) == "Hi"
    assert len(server.posted()) == 2


def test_max_tokens_by_its_newer_name(talk_to: Open) -> None:
    def modern(talk: Talk) -> None:
        assert talk.asked is not None
        if "max_tokens" in talk.asked.document:
            words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            refuses(400, {"error": {"message": words}})(talk)
        else:
            says("Hi")(talk)

    engine, server = talk_to(modern)
    assert text_of(ask(engine, max_tokens=9)) == "Hi"
    assert server.posted()[-1].document["max_completion_tokens"] == 9


def test_what_cannot_be_done_without(talk_to: Open) -> None:
    """A schema that the server does not take is an error, not an answer without one."""
    engine, server = talk_to(refuses(400, {"error": {"message": "response_format: unknown"}}))
    failed = failure_of(ask(engine, constraint=Constraint("json_object")))
    assert failed.kind == "remote_refused"
    assert len(server.posted()) == 1


@pytest.mark.parametrize(
    ("owner", "constraint", "field", "value"),
    [
        (
            "vllm",
            Constraint("grammar", "root ::= x"),
            "structured_outputs",
            {"grammar": "root ::= x"},
        ),
        ("vllm", Constraint("choice", choices=("a",)), "structured_outputs", {"choice": ["a"]}),
        ("llamacpp", Constraint("choice", choices=("a", "b")), "grammar", 'root ::= "a" | "b"'),
        ("me", Constraint("grammar", "root ::= x"), "grammar", "root ::= x"),
        (
            "me",
            Constraint("json_schema", '{"type": "integer"}'),
            "response_format",
            {"type": "json_object", "schema": {"type": "integer"}},
        ),
        (
            "library",
            Constraint("json_schema", '{"type": "integer"}'),
            "response_format",
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "integer"}, "strict": True},
            },
        ),
    ],
)
def test_constraints_by_their_names(
    talk_to: Open, owner: str, constraint: Constraint, field: str, value: Any
) -> None:
    answer = "a" if constraint.kind == "choice" else "5"
    engine, server = talk_to(says(answer), models=owned(owner))
    found = ask(engine, constraint=constraint)
    assert text_of(found) == answer
    assert end_of(found).reason == "stop"
    assert server.posted()[0].document[field] == value


def test_an_older_vllm(talk_to: Open) -> None:
    engine, server = talk_to(
        says("a"), models=owned("vllm"), own={"/version": {"version": "0.8.5"}}
    )
    ask(engine, constraint=Constraint("choice", choices=("a",)))
    assert server.posted()[0].document["guided_choice"] == ["a"]


def test_a_choice_where_there_are_only_schemas(talk_to: Open) -> None:
    engine, server = talk_to(says('{"cho', 'ice": "b c"}'), says('{"choice": "x"}'))
    choice = Constraint("choice", choices=("a", "b c"))
    found = ask(engine, constraint=choice)
    assert text_of(found) == "b c"
    schema = server.posted()[0].document["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["choice"]["enum"] == ["a", "b c"]
    assert failure_of(ask(engine, constraint=choice)).kind == "remote_unbound"


@pytest.mark.parametrize(
    "constraint",
    [
        Constraint("json_object"),
        Constraint("json_schema", '{"type": "object"}'),
    ],
)
def test_a_server_that_does_not_keep_to_the_form(talk_to: Open, constraint: Constraint) -> None:
    engine, _ = talk_to(says("Sure! Here is your JSON: {}"), says("{", reason="length"))
    found = ask(engine, constraint=constraint)
    assert failure_of(found).kind == "remote_unbound"
    assert end_of(ask(engine, constraint=constraint)).reason == "length"


@pytest.mark.parametrize("source", ["{", "5", "[" * 100_000, '"x"'])
def test_schemas_that_are_none(talk_to: Open, source: str) -> None:
    engine, server = talk_to(says("Hi"))
    assert (
        failure_of(ask(engine, constraint=Constraint("json_schema", source))).kind == "bad_schema"
    )
    assert server.posted() == []


def test_llama_servers_own_words(talk_to: Open) -> None:
    """Its progress, its figures, its samplers, its continued answers."""
    progress = {"total": 100, "cache": 20, "processed": 60, "time_ms": 5}
    timings = {
        "prompt_n": 80,
        "cache_n": 20,
        "prompt_ms": 500.0,
        "predicted_n": 41,
        "predicted_ms": 2000.0,
        "draft_n": 8,
        "draft_n_accepted": 6,
    }
    answer = events(
        {"choices": [{"index": 0, "delta": {}}], "prompt_progress": progress},
        delta(content="Hi"),
        {**delta(finish_reason="stop"), "timings": timings},
    )
    props = {
        "default_generation_settings": {"n_ctx": 2048},
        "modalities": {"vision": True, "audio": False},
    }
    engine, server = talk_to(
        answer, models=owned("llamacpp", meta={"n_ctx_train": 9}), own={"/props": props}
    )
    assert engine.info.context_tokens == 2048
    assert (engine.info.abilities.vision, engine.info.abilities.audio) == (True, False)
    chat = Chat(
        (Message("user", "Hello"), Message("assistant", "We")),
        continue_last=True,
        reasoning="on",
        reasoning_budget=50,
    )
    sampling = Sampling(xtc_probability=0.3, mirostat=2, dry_multiplier=0.0, logit_bias=((5, 2.0),))
    found = all_of(engine, Request("1", chat=chat, sampling=sampling, ignore_eos=True))
    assert [event for event in found if isinstance(event, PromptProgress)] == [
        PromptProgress("1", 60, 100)
    ]
    stats = end_of(found).stats
    assert (stats.prompt_tokens, stats.cached_tokens, stats.completion_tokens) == (100, 20, 41)
    assert stats.prompt_tokens_per_s == pytest.approx(160.0)
    assert stats.tokens_per_s == pytest.approx(20.0)
    assert (stats.draft_tokens, stats.accepted_tokens) == (8, 6)
    assert stats.context_tokens == 2048
    asked = server.posted()[0].document
    assert (asked["xtc_probability"], asked["mirostat"], asked["ignore_eos"]) == (0.3, 2, True)
    assert "dry_multiplier" not in asked
    assert asked["logit_bias"] == {"5": 2.0}
    assert asked["reasoning_budget_tokens"] == 50


def test_chances_of_tokens(talk_to: Open) -> None:
    def chance(token: str, number: float, **more: Any) -> dict[str, Any]:
        return {"token": token, "logprob": number, **more}

    told = chance("Hi", -0.1, bytes=[72, 105], top_logprobs=[chance("Hi", -0.1), chance("Ho", -3)])
    one = {"choices": [{"delta": {"content": "Hi"}, "logprobs": {"content": [told]}}]}
    engine, server = talk_to(events(one, delta(finish_reason="stop")))
    found = ask(engine, logprobs=2)
    (chances,) = [event for event in found if isinstance(event, TokenChances)]
    assert (chances.token.raw, chances.token.logprob, chances.token.token) == (b"Hi", -0.1, -1)
    assert [one.raw for one in chances.top] == [b"Hi", b"Ho"]
    asked = server.posted()[0].document
    assert (asked["logprobs"], asked["top_logprobs"]) == (True, 2)


def test_text_as_it_stands(talk_to: Open) -> None:
    old = {
        "choices": [
            {
                "text": " time",
                "index": 0,
                "logprobs": {
                    "tokens": [" time"],
                    "token_logprobs": [-0.5],
                    "top_logprobs": [{" a": -2.0, " time": -0.5}],
                },
                "finish_reason": "length",
            }
        ]
    }
    engine, server = talk_to(events(old))
    found = all_of(engine, Request("1", prompt="Once upon a", max_tokens=1, logprobs=1))
    assert (text_of(found), end_of(found).reason) == (" time", "length")
    (chances,) = [event for event in found if isinstance(event, TokenChances)]
    assert [one.raw for one in chances.top] == [b" time", b" a"]
    all_of(engine, Request("2", parts=(1, 2, 3)))
    all_of(engine, Request("3", prompt="Once", echo=True))
    paths = {one.path for one in server.posted()}
    prompts = [one.document["prompt"] for one in server.posted()]
    assert paths == {"/v1/completions"}
    assert prompts == ["Once upon a", [1, 2, 3], "Once"]
    assert server.posted()[1].document["max_tokens"] is None
    mixed = all_of(engine, Request("4", parts=(1, "two")))
    assert failure_of(mixed).kind == "not_offered"
