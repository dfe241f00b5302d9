"""A model on a server behind the engine's protocol, with stand-ins of many habits."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.engine.chat import Chat, Media, Message, Tool, ToolCall
from desktop.engine.constraint import Constraint
from desktop.engine.events import (
    Event,
    Failed,
    Finished,
    Reasoning,
    Started,
    Text,
    ToolCallPart,
)
from desktop.engine.remote import MOST_OPEN, RemoteEngine, open_remote
from desktop.engine.remote_link import Patience
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from tests.engine.model_server import (
    Answer,
    ModelServer,
    Talk,
    delta,
    events,
    lines_of,
    link_to,
    model_server,
    raw,
    refuses,
    says,
    whole,
)

WAIT_S = 20.0
QUICK = Patience(connect_s=2.0, first_token_s=3.0, between_s=1.0, question_s=3.0)
HELLO = Chat((Message("user", "Hello"),))

Open = Callable[..., tuple[RemoteEngine, ModelServer]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens a stand-in that gives these answers."""
    closers: list[Callable[[], object]] = []

    def make(*answers: Answer, **more: Any) -> tuple[RemoteEngine, ModelServer]:
        models, own = more.pop("models", None), more.pop("own", {})
        context = model_server(*answers)
        server = context.__enter__()
        if models is not None:
            server.models = models
        server.own.update(own)
        more.setdefault("patience", QUICK)
        engine = open_remote(link_to(server, tmp_path, **more), "tiny")
        closers.extend((lambda: context.__exit__(None, None, None), engine.close))
        return engine, server

    yield make
    for close in reversed(closers):
        close()


def owned(by: str, **more: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": "tiny", "owned_by": by, **more}]}


def all_of(engine: RemoteEngine, request: Request) -> list[Event]:
    stream = engine.submit(request)
    found: list[Event] = []
    until = time.monotonic() + WAIT_S
    while stream.end is None:
        event = stream.get(until - time.monotonic())
        assert event is not None, "the answer did not end in time"
        found.append(event)
    return found


def ask(engine: RemoteEngine, chat: Chat = HELLO, **more: Any) -> list[Event]:
    return all_of(engine, Request("1", chat=chat, **more))


def text_of(found: list[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Text))


def reasoning_of(found: list[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Reasoning))


def end_of(found: list[Event]) -> Finished:
    assert isinstance(found[-1], Finished), found[-1]
    return found[-1]


def failure_of(found: list[Event]) -> Failed:
    assert isinstance(found[-1], Failed), found[-1]
    return found[-1]


def test_an_answer(opened: Open, tmp_path: Path) -> None:
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 5},
    }
    engine, server = opened(says("Hel", "lo ", "you", usage=usage))
    found = ask(engine)
    assert found[0] == Started("1", 0, 0)
    assert text_of(found) == "Hello you"
    end = end_of(found)
    assert (end.reason, end.stats.prompt_tokens, end.stats.cached_tokens) == ("stop", 12, 5)
    assert (end.stats.completion_tokens, end.stats.context_tokens_used) == (3, 15)
    assert 0 < end.stats.first_token_s < WAIT_S
    (asked,) = server.posted()
    assert asked.path == "/v1/chat/completions"
    assert asked.document["messages"] == [{"role": "user", "content": "Hello"}]
    assert asked.document["model"] == "tiny"
    assert asked.document["stream"] is True
    line = list(lines_of(tmp_path))[-1]
    assert (line.purpose, line.subject, line.outcome) == ("remote_engine", "Office", "ok")
    assert line.host == f"127.0.0.1:{server.port}"
    assert line.sent_bytes > 50
    assert line.received_bytes > 50


def test_what_leaves_the_sampling_to_the_server(opened: Open) -> None:
    """Whoever chooses nothing takes the engine's own recommendation, and that is the server's."""
    engine, server = opened(says("Hi"))
    recommended = engine.info.sampling
    assert recommended is not None
    ask(engine, sampling=recommended)
    asked = server.posted()[-1].document
    assert not asked.keys() & {"temperature", "top_p", "top_k", "min_p", "repeat_penalty"}
    all_of(engine, Request("2", chat=HELLO, sampling=Sampling(temperature=0.25, seed=7)))
    asked = server.posted()[-1].document
    assert (asked["temperature"], asked["seed"], asked["top_p"]) == (0.25, 7, 0.95)


def test_all_of_a_chat(opened: Open) -> None:
    engine, server = opened(says("Hi"))
    picture = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (8).to_bytes(4, "big") * 2 + b"\x08\2\0\0\0"
    chat = Chat(
        (
            Message("developer", "Be brief"),
            Message("user", "What is this?", media=(Media("image", picture, 5),)),
            Message("assistant", "", "I must look", (ToolCall("c1", "look", '{"at": 1}'),)),
            Message("tool", "a cat", tool_call_id="c1"),
        ),
        tools=(Tool("look", "Looks", {"type": "object", "properties": {"at": {}}}), Tool("other")),
        tool_choice="required",
        forced_tool="look",
        parallel_tools=False,
        reasoning="off",
    )
    ask(engine, chat, max_tokens=5, stop=("a", "b", "c", "d", "e"))
    asked = server.posted()[0].document
    roles = [message["role"] for message in asked["messages"]]
    assert roles == ["system", "user", "assistant", "tool"]
    parts = asked["messages"][1]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "text"]
    assert (parts[0]["text"], parts[2]["text"]) == ("What ", "is this?")
    assert parts[1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    called = asked["messages"][2]
    assert (called["content"], called["reasoning_content"]) == (None, "I must look")
    assert called["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"at": 1}'}
    assert asked["messages"][3]["tool_call_id"] == "c1"
    assert [tool["function"]["name"] for tool in asked["tools"]] == ["look", "other"]
    assert asked["tools"][1]["function"]["parameters"]["type"] == "object"
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert asked["parallel_tool_calls"] is False
    assert asked["chat_template_kwargs"]["enable_thinking"] is False
    assert asked["max_tokens"] == 5
    assert len(asked["stop"]) == 4  # OpenAI's limit; the fifth is looked for here


def test_a_default_system_message(opened: Open) -> None:
    engine, server = opened(says("Hi"))
    ask(engine, Chat(HELLO.messages, default_system="Be kind"))
    assert server.posted()[0].document["messages"][0] == {"role": "system", "content": "Be kind"}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_told_apart_by_the_server(opened: Open, field: str) -> None:
    engine, _ = opened(
        events(
            delta(None, **{field: "Let me "}),
            delta(None, **{field: "see", "content": None}),
            delta(content="<think>is no thought"),
            delta(finish_reason="stop"),
        )
    )
    found = ask(engine)
    assert reasoning_of(found) == "Let me see"
    assert text_of(found) == "<think>is no thought"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_reasoning_left_in_the_answer(opened: Open, size: int) -> None:
    whole_text = "\n<think>\nfirst, a < b</think>\n\nThe answer </think> is <think>4"
    pieces = [whole_text[n : n + size] for n in range(0, len(whole_text), size)]
    engine, _ = opened(says(*pieces))
    found = ask(engine)
    assert reasoning_of(found) == "first, a < b"
    assert text_of(found) == "The answer </think> is <think>4"


def test_reasoning_that_never_ends(opened: Open) -> None:
    engine, _ = opened(says("<think>on and", " on </thi", reason="length"))
    found = ask(engine)
    assert (reasoning_of(found), text_of(found)) == ("on and on </thi", "")
    assert end_of(found).reason == "length"


def test_pieces_of_content(opened: Open) -> None:
    """Mistral's: a list with thoughts in it."""
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    engine, _ = opened(
        events(
            delta(content=[thought, {"type": "text", "text": "Yes"}]), delta(finish_reason="stop")
        )
    )
    found = ask(engine)
    assert (reasoning_of(found), text_of(found)) == ("Hm", "Yes")


def test_tool_calls_in_pieces(opened: Open) -> None:
    def call(index: int, **function: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"index": index, "function": function}
        if "name" in function:
            entry |= {"id": f"c{index}", "type": "function"}
        return delta(tool_calls=[entry])

    engine, _ = opened(
        events(
            call(0, name="add", arguments=""),
            call(0, arguments='{"a"'),
            call(0, arguments=": 1}"),
            call(1, name="sub", arguments='{"b": 2}'),
            delta(finish_reason="tool_calls"),
        )
    )
    found = ask(engine)
    parts = [event for event in found if isinstance(event, ToolCallPart)]
    assert [(p.index, p.id, p.name, p.arguments) for p in parts] == [
        (0, "c0", "add", ""),
        (0, "", "", '{"a"'),
        (0, "", "", ": 1}"),
        (1, "c1", "sub", '{"b": 2}'),
    ]
    assert end_of(found).reason == "tool_calls"


def test_tool_calls_as_other_servers_write_them(opened: Open) -> None:
    """Without numbers, without ids, arguments as an object, name said again, reason "stop"."""
    engine, _ = opened(
        events(
            delta(tool_calls=[{"function": {"name": "add", "arguments": {"a": "ü"}}}]),
            delta(tool_calls=[{"index": 0, "id": "x", "function": {"name": "sub"}}]),
            delta(
                tool_calls=[{"index": 0, "id": "x", "function": {"name": "sub", "arguments": "{}"}}]
            ),
            delta(tool_calls=[{"index": 0, "id": "y", "function": {"name": "mul"}}]),
            delta(finish_reason="stop"),
        )
    )
    found = ask(engine)
    parts = [event for event in found if isinstance(event, ToolCallPart)]
    assert [(p.index, p.name, p.arguments) for p in parts] == [
        (0, "add", '{"a": "ü"}'),
        (1, "sub", ""),
        (1, "", "{}"),
        (2, "mul", ""),
    ]
    assert parts[0].id.startswith("call_")
    assert end_of(found).reason == "tool_calls"


def test_one_call_where_one_is_wanted(opened: Open) -> None:
    def endless(talk: Talk) -> None:
        talk.head()
        number = 0
        while not talk.wait_until_gone(0.01):
            call = {"index": number, "id": f"c{number}", "function": {"name": "add"}}
            talk.write(f"data: {json.dumps(delta(tool_calls=[call]))}\n\n")
            number += 1

    engine, _ = opened(endless)
    found = ask(engine, Chat(HELLO.messages, tools=(Tool("add"),), parallel_tools=False))
    parts = [event for event in found if isinstance(event, ToolCallPart)]
    assert [part.id for part in parts] == ["c0"]
    assert end_of(found).reason == "tool_calls"


def test_a_stop_string_that_the_server_does_not_know(opened: Open) -> None:
    engine, _ = opened(says("one tw", "o EN", "D three"))
    found = ask(engine, stop=("1", "2", "3", "4", "END"))
    assert text_of(found) == "one two "
    assert (end_of(found).reason, end_of(found).stop_string) == ("stop", "END")


def test_a_server_that_does_not_stream(opened: Open) -> None:
    document = {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "All at once"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 4, "completion_tokens": 3},
    }
    pretty = raw(json.dumps(document, indent=2), kind="application/json")
    engine, _ = opened(whole(document), pretty)
    for _ in range(2):
        found = ask(engine)
        assert text_of(found) == "All at once"
        assert end_of(found).stats.completion_tokens == 3
        assert end_of(found).stats.tokens_per_s == 0.0  # nobody saw how fast it was written


def test_bytes_cut_anywhere(opened: Open) -> None:
    body = (
        "\ufeff: comment\r\n\r\nevent: message\r\nid: 7\r\n"
        f"data: {json.dumps(delta(content='grün 🌳'), ensure_ascii=False)}\r\n\r\n"
        ": keep-alive\n\ndata:\n\n"
        f"data:{json.dumps(delta(finish_reason='stop'))}\r\rdata: [DONE]\n\n"
    ).encode()
    engine, _ = opened(raw(*(body[n : n + 1] for n in range(len(body)))))
    found = ask(engine)
    assert text_of(found) == "grün 🌳"
    assert end_of(found).reason == "stop"


def test_an_end_without_its_mark(opened: Open) -> None:
    """No [DONE], no usage, the last event without an empty line."""
    last = f"data: {json.dumps(delta(finish_reason='length'))}"
    engine, _ = opened(raw(f"data: {json.dumps(delta(content='Hi'))}\n\n", last))
    found = ask(engine)
    assert (text_of(found), end_of(found).reason) == ("Hi", "length")
    assert end_of(found).stats.prompt_tokens == 0  # nobody told


def test_words_of_no_reason(opened: Open) -> None:
    engine, _ = opened(events(delta(content="Hi")))
    assert end_of(ask(engine)).reason == "stop"


def test_a_stream_that_is_cut(opened: Open) -> None:
    engine, server = opened(events(delta(content="Once upon"), done=False))
    found = ask(engine)
    assert text_of(found) == "Once upon"
    assert failure_of(found).kind == "remote_cut"
    assert failure_of(found).params["server"] == "Office"
    assert len(server.posted()) == 1  # something was seen: never again by itself


def test_a_connection_that_breaks_before_a_word(opened: Open) -> None:
    def breaks(talk: Talk) -> None:
        """Nothing at all."""

    engine, server = opened(breaks, says("Hi"))
    assert text_of(ask(engine)) == "Hi"
    assert len(server.posted()) == 2


def test_a_connection_that_breaks_every_time(opened: Open) -> None:
    def breaks(talk: Talk) -> None:
        """Nothing at all."""

    engine, server = opened(breaks)
    assert failure_of(ask(engine)).kind == "connection_cut"
    assert len(server.posted()) == 3


def test_a_server_that_is_busy_for_a_moment(opened: Open) -> None:
    busy = refuses(429, {"error": {"message": "slow down"}}, Retry_After="0")
    engine, server = opened(busy, says("Hi"))
    assert text_of(ask(engine)) == "Hi"
    assert len(server.posted()) == 2


def test_a_server_that_stays_busy(opened: Open) -> None:
    engine, server = opened(refuses(429, {"error": "later"}, Retry_After="3000"))
    failed = failure_of(ask(engine))
    assert (failed.kind, failed.params["wait_s"]) == ("remote_busy", 3000.0)
    assert len(server.posted()) == 1


def test_a_server_that_loads_its_model(opened: Open) -> None:
    """llama-server's answer while it loads."""
    loading = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
    engine, server = opened(refuses(503, loading), says("Hi"))
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
def test_refusals(opened: Open, status: int, body: Any, kind: str) -> None:
    engine, server = opened(refuses(status, body), key="sk-secret-key")
    failed = failure_of(ask(engine))
    assert failed.kind == kind
    assert "sk-secret-key" not in repr(failed)
    assert server.posted()[0].headers["Authorization"] == "Bearer sk-secret-key"


def test_a_refusal_without_words(opened: Open) -> None:
    engine, _ = opened(raw(b"\xff" * 200_000, status=400, kind="text/plain"))
    failed = failure_of(ask(engine))
    assert failed.kind == "remote_refused"
    assert len(str(failed.params["reason"])) <= 300


def test_an_error_in_the_middle(opened: Open) -> None:
    told = {"error": {"code": 500, "message": "the cat pulled the plug"}}
    engine, _ = opened(events(delta(content="Hi"), told))
    found = ask(engine)
    assert text_of(found) == "Hi"
    assert failure_of(found).kind == "remote_down"


def test_an_answer_that_was_withheld(opened: Open) -> None:
    engine, _ = opened(events(delta(content="Hi"), delta(finish_reason="content_filter")))
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
def test_nonsense(opened: Open, answer: Answer) -> None:
    engine, _ = opened(answer)
    failed = failure_of(ask(engine))
    assert failed.kind in ("remote_nonsense", "remote_not_there", "remote_cut")


def test_strange_values_are_passed_over(opened: Open) -> None:
    engine, _ = opened(
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


def test_a_line_without_end(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.engine.sse.MOST_EVENT_CHARACTERS", 1 << 20)

    def pours(talk: Talk) -> None:
        talk.head()
        talk.write("data: ")
        while True:
            talk.write("x" * 65536)

    engine, _ = opened(pours)
    assert failure_of(ask(engine)).kind == "remote_nonsense"


def test_a_server_that_says_nothing(opened: Open) -> None:
    def silent(talk: Talk) -> None:
        talk.wait_until_gone()

    engine, _ = opened(silent, patience=Patience(2.0, 0.3, 0.3, 3.0))
    failed = failure_of(ask(engine))
    assert failed.kind == "remote_first_token"
    assert failed.params["timeout_s"] == 0.3


def test_a_server_that_only_keeps_the_line(opened: Open) -> None:
    """Comments now and then are no answer."""

    def keeps(talk: Talk) -> None:
        talk.head()
        while not talk.wait_until_gone(0.02):
            talk.write(": still here\n\n")

    engine, _ = opened(keeps, patience=Patience(2.0, 0.3, 0.3, 3.0))
    assert failure_of(ask(engine)).kind == "remote_first_token"


def test_a_server_that_stops_in_the_middle(opened: Open) -> None:
    def stops(talk: Talk) -> None:
        talk.head()
        talk.write(f"data: {json.dumps(delta(content='Hi'))}\n\n")
        talk.wait_until_gone()

    engine, _ = opened(stops, patience=Patience(2.0, 5.0, 0.3, 3.0))
    found = ask(engine)
    assert text_of(found) == "Hi"
    assert failure_of(found).kind == "remote_stalled"


def test_figures_that_never_come(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.engine.remote_turn._AFTER_END_S", 0.2)

    def forgets(talk: Talk) -> None:
        talk.head()
        for one in (delta(content="Hi"), delta(finish_reason="stop")):
            talk.write(f"data: {json.dumps(one)}\n\n")
        talk.wait_until_gone()

    engine, _ = opened(forgets)
    assert end_of(ask(engine)).reason == "stop"


@pytest.mark.parametrize("begun", [False, True])
def test_cancelling(opened: Open, begun: bool) -> None:
    left = threading.Event()

    def slow(talk: Talk) -> None:
        if begun:
            talk.head()
            talk.write(f"data: {json.dumps(delta(content='Hi'))}\n\n")
        if talk.wait_until_gone():
            left.set()

    engine, server = opened(slow)
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


def test_a_reader_that_goes_away(opened: Open) -> None:
    left = threading.Event()

    def slow(talk: Talk) -> None:
        talk.head()
        if talk.wait_until_gone():
            left.set()

    engine, _ = opened(slow)
    stream = engine.submit(Request("1", chat=HELLO))
    assert isinstance(stream.get(WAIT_S), Started)
    del stream
    assert left.wait(WAIT_S)


def test_closing_ends_every_answer(opened: Open) -> None:
    def slow(talk: Talk) -> None:
        talk.head()
        talk.wait_until_gone()

    engine, _ = opened(slow)
    streams = [engine.submit(Request(str(n), chat=HELLO)) for n in range(3)]
    for stream in streams:
        assert isinstance(stream.get(WAIT_S), Started)
    engine.close()
    for stream in streams:
        assert failure_of(list(stream)).kind == "engine_closed"
    assert not engine.alive
    assert failure_of(ask(engine)).kind == "engine_closed"


def test_too_many_at_once(opened: Open) -> None:
    def slow(talk: Talk) -> None:
        talk.head()
        talk.wait_until_gone()

    engine, _ = opened(slow)
    streams = [engine.submit(Request(str(n), chat=HELLO)) for n in range(MOST_OPEN)]
    failed = failure_of(ask(engine))
    assert failed.kind == "duplicate_request"
    failed = failure_of(all_of(engine, Request("one more", chat=HELLO)))
    assert (failed.kind, failed.params["limit"]) == ("engine_busy", MOST_OPEN)
    assert len(streams) == MOST_OPEN


def test_wrong_requests(opened: Open) -> None:
    engine, server = opened(says("Hi"))
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
