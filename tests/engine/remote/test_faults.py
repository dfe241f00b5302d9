"""Servers that refuse, stall, break off or talk nonsense; requests that are stopped."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from desktop.engine.chat import Chat
from desktop.engine.constraint import Constraint
from desktop.engine.events import (
    Finished,
    Started,
    Text,
)
from desktop.engine.remote.engine import MOST_OPEN
from desktop.engine.remote.link import Patience
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from tests.engine.model_server import (
    Answer,
    Talk,
    delta,
    events,
    raw,
    refuses,
    says,
)
from tests.engine.remote_talk import (
    HELLO,
    WAIT_S,
    Open,
    all_of,
    ask,
    end_of,
    failure_of,
    text_of,
)


def test_words_of_no_reason(talk_to: Open) -> None:
    engine, _ = talk_to(events(delta(content="Hi")))
    assert end_of(ask(engine)).reason == "stop"


def test_a_stream_that_is_cut(talk_to: Open) -> None:
    engine, server = talk_to(events(delta(content="Once upon"), done=False))
    found = ask(engine)
    assert text_of(found) == "Once upon"
    assert failure_of(found).kind == "remote_cut"
    assert failure_of(found).params["server"] == "Office"
    assert len(server.posted()) == 1  # something was seen: never again by itself


def test_a_connection_that_breaks_before_a_word(talk_to: Open) -> None:
    def breaks(talk: Talk) -> None:
        """Nothing at all."""

    engine, server = talk_to(breaks, says("Hi"))
    assert text_of(ask(engine)) == "Hi"
    assert len(server.posted()) == 2


def test_a_connection_that_breaks_every_time(talk_to: Open) -> None:
    def breaks(talk: Talk) -> None:
        """Nothing at all."""

    engine, server = talk_to(breaks)
    assert failure_of(ask(engine)).kind == "connection_cut"
    assert len(server.posted()) == 3


def test_a_server_that_is_busy_for_a_moment(talk_to: Open) -> None:
    busy = refuses(429, {"error": {"message": "slow down"}}, Retry_After="0")
    engine, server = talk_to(busy, says("Hi"))
    assert text_of(ask(engine)) == "Hi"
    assert len(server.posted()) == 2


def test_a_server_that_stays_busy(talk_to: Open) -> None:
    engine, server = talk_to(refuses(429, {"error": "later"}, Retry_After="3000"))
    failed = failure_of(ask(engine))
    assert (failed.kind, failed.params["wait_s"]) == ("remote_busy", 3000.0)
    assert len(server.posted()) == 1


def test_a_server_that_loads_its_model(talk_to: Open) -> None:
    """llama-server's answer while it loads."""
    loading = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
    engine, server = talk_to(refuses(503, loading), says("Hi"))
    assert text_of(ask(engine)) == "Hi"
    assert len(server.posted()) == 2


REFUSALS: list[tuple[int, Any, str]] = [
    (
        401,
        {"error": {"message": "Incorrect API key provided: sk-secret-key"}},
        "remote_key_refused",
    ),
    (402, {"error": {"message": "Insufficient credits"}}, "remote_no_credit"),
    (429, {"error": {"code": "insufficient_quota", "message": "no"}}, "remote_no_credit"),
    (403, {"detail": "not for you"}, "remote_forbidden"),
    (404, {"error": {"code": "model_not_found", "message": "no"}}, "remote_no_model"),
    (404, {"error": 'model "tiny" not found, try pulling it first'}, "remote_no_model"),
    (404, {"detail": "Not Found"}, "remote_not_there"),
    (400, {"error": {"message": "bad thing", "type": "invalid_request_error"}}, "remote_refused"),
    (422, {"detail": [{"loc": ["body", "messages"], "msg": "bad"}]}, "remote_refused"),
    (400, [{"error": {"code": 400, "message": "Google says no"}}], "remote_refused"),
    (400, {"object": "error", "message": "vLLM says no", "code": 400}, "remote_refused"),
    (500, {"error": {"message": "CUDA out of memory"}}, "remote_down"),
    (302, {}, "remote_moved"),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS)
def test_refusals(talk_to: Open, status: int, body: Any, kind: str) -> None:
    engine, server = talk_to(refuses(status, body), key="sk-secret-key")
    failed = failure_of(ask(engine))
    assert failed.kind == kind
    assert "sk-secret-key" not in repr(failed)
    assert server.posted()[0].headers["Authorization"] == "Bearer sk-secret-key"


def test_a_refusal_without_words(talk_to: Open) -> None:
    engine, _ = talk_to(raw(b"\xff" * 200_000, status=400, kind="text/plain"))
    failed = failure_of(ask(engine))
    assert failed.kind == "remote_refused"
    assert len(str(failed.params["reason"])) <= 300


def test_an_error_in_the_middle(talk_to: Open) -> None:
    told = {"error": {"code": 500, "message": "the cat pulled the plug"}}
    engine, _ = talk_to(events(delta(content="Hi"), told))
    found = ask(engine)
    assert text_of(found) == "Hi"
    assert failure_of(found).kind == "remote_down"


def test_an_answer_that_was_withheld(talk_to: Open) -> None:
    engine, _ = talk_to(events(delta(content="Hi"), delta(finish_reason="content_filter")))
    assert failure_of(ask(engine)).kind == "remote_filtered"


@pytest.mark.parametrize(
    "answer",
    [
        raw("<html><body>Login</body></html>", kind="text/html"),
        raw("data: nonsense\n\n"),
        raw("data: [1, 2]\n\n"),
        raw("data: \xff\n\n".encode("latin-1")),
        raw('data: {"choices": [{"delta": {"content": "x"}}]}\n\n', "data: {\n\n"),
        raw("data: " + "[" * 200_000 + "\n\n"),
        raw(""),
        raw("data: [DONE]\n\n"),
        events(delta(finish_reason="error")),
        events({"choices": 7}, {"choices": [None]}, {"choices": [{"delta": 1}]}, {"usage": 5}),
    ],
)
def test_nonsense(talk_to: Open, answer: Answer) -> None:
    engine, _ = talk_to(answer)
    failed = failure_of(ask(engine))
    assert failed.kind in ("remote_nonsense", "remote_not_there", "remote_cut")


def test_strange_values_are_passed_over(talk_to: Open) -> None:
    engine, _ = talk_to(
        events(
            {"choices": [{"index": 1, "delta": {"content": "another choice"}}]},
            {"choices": [{"delta": {"content": 5, "tool_calls": "x", "reasoning": {"a": 1}}}]},
            {"choices": [{"delta": {"tool_calls": [None, {}, {"function": {"arguments": "x"}}]}}]},
            {"choices": [{"delta": {"content": "ok \ud83d"}, "logprobs": 3}], "usage": {"x": []}},
            {
                "choices": [{"delta": {}, "finish_reason": "eos_token"}],
                "usage": {"prompt_tokens": -1, "completion_tokens": "many"},
            },
        )
    )
    found = ask(engine)
    assert text_of(found) == "ok \ufffd"
    assert end_of(found).stats.prompt_tokens == 0


def test_a_line_without_end(talk_to: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.engine.remote.sse.MOST_EVENT_CHARACTERS", 1 << 20)

    def pours(talk: Talk) -> None:
        talk.head()
        talk.write("data: ")
        while True:
            talk.write("x" * 65536)

    engine, _ = talk_to(pours)
    assert failure_of(ask(engine)).kind == "remote_nonsense"


def test_a_server_that_says_nothing(talk_to: Open) -> None:
    def silent(talk: Talk) -> None:
        talk.wait_until_gone()

    engine, _ = talk_to(silent, patience=Patience(2.0, 0.3, 0.3, 3.0))
    failed = failure_of(ask(engine))
    assert failed.kind == "remote_first_token"
    assert failed.params["timeout_s"] == 0.3


def test_a_server_that_only_keeps_the_line(talk_to: Open) -> None:
    """Comments now and then are no answer."""

    def keeps(talk: Talk) -> None:
        talk.head()
        while not talk.wait_until_gone(0.02):
            talk.write(": still here\n\n")

    engine, _ = talk_to(keeps, patience=Patience(2.0, 0.3, 0.3, 3.0))
    assert failure_of(ask(engine)).kind == "remote_first_token"


def test_a_server_that_stops_in_the_middle(talk_to: Open) -> None:
    def stops(talk: Talk) -> None:
        talk.head()
        talk.write(f"data: {json.dumps(delta(content='Hi'))}\n\n")
        talk.wait_until_gone()

    engine, _ = talk_to(stops, patience=Patience(2.0, 5.0, 0.3, 3.0))
    found = ask(engine)
    assert text_of(found) == "Hi"
    assert failure_of(found).kind == "remote_stalled"


def test_figures_that_never_come(talk_to: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.engine.remote.turn._AFTER_END_S", 0.2)

    def forgets(talk: Talk) -> None:
        talk.head()
        for one in (delta(content="Hi"), delta(finish_reason="stop")):
            talk.write(f"data: {json.dumps(one)}\n\n")
        talk.wait_until_gone()

    engine, _ = talk_to(forgets)
    assert end_of(ask(engine)).reason == "stop"


@pytest.mark.parametrize("begun", [False, True])
def test_cancelling(talk_to: Open, begun: bool) -> None:
    left = threading.Event()

    def slow(talk: Talk) -> None:
        if begun:
            talk.head()
            talk.write(f"data: {json.dumps(delta(content='Hi'))}\n\n")
        if talk.wait_until_gone():
            left.set()

    engine, server = talk_to(slow)
    stream = engine.submit(Request("1", chat=HELLO))
    if begun:
        while not isinstance(stream.get(WAIT_S), Text):
            pass
    else:
        until = time.monotonic() + WAIT_S
        while not server.posted() and time.monotonic() < until:
            threading.Event().wait(0.005)
    started = time.monotonic()
    stream.cancel()
    _, end = stream.collect(WAIT_S)
    assert time.monotonic() - started < 0.5  # 50 ms where nothing else runs
    assert isinstance(end, Finished)
    assert end.reason == "cancelled"
    assert left.wait(WAIT_S)  # the server sees that nobody listens any more


def test_a_reader_that_goes_away(talk_to: Open) -> None:
    left = threading.Event()

    def slow(talk: Talk) -> None:
        talk.head()
        if talk.wait_until_gone():
            left.set()

    engine, _ = talk_to(slow)
    stream = engine.submit(Request("1", chat=HELLO))
    assert isinstance(stream.get(WAIT_S), Started)
    del stream
    assert left.wait(WAIT_S)


def test_closing_ends_every_answer(talk_to: Open) -> None:
    def slow(talk: Talk) -> None:
        talk.head()
        talk.wait_until_gone()

    engine, _ = talk_to(slow)
    streams = [engine.submit(Request(str(n), chat=HELLO)) for n in range(3)]
    for stream in streams:
        assert isinstance(stream.get(WAIT_S), Started)
    engine.close()
    for stream in streams:
        assert failure_of(list(stream)).kind == "engine_closed"
    assert not engine.alive
    assert failure_of(ask(engine)).kind == "engine_closed"


def test_too_many_at_once(talk_to: Open) -> None:
    def slow(talk: Talk) -> None:
        talk.head()
        talk.wait_until_gone()

    engine, _ = talk_to(slow)
    streams = [engine.submit(Request(str(n), chat=HELLO)) for n in range(MOST_OPEN)]
    failed = failure_of(ask(engine))
    assert failed.kind == "duplicate_request"
    failed = failure_of(all_of(engine, Request("one more", chat=HELLO)))
    assert (failed.kind, failed.params["limit"]) == ("engine_busy", MOST_OPEN)
    assert len(streams) == MOST_OPEN


def test_wrong_requests(talk_to: Open) -> None:
    engine, server = talk_to(says("Hi"))
    wrong = Request("1", chat=HELLO, sampling=Sampling(top_p=7.0))
    assert failure_of(all_of(engine, wrong)).kind == "bad_sampling"
    assert failure_of(ask(engine, Chat(()))).kind == "nothing_to_answer"
    for more in (
        {"adapters": (), "echo": True},
        {"ignore_eos": True},
        {"constraint": Constraint("grammar", 'root ::= "a"')},
    ):
        assert failure_of(ask(engine, **more)).kind == "not_offered"
    assert server.posted() == []
