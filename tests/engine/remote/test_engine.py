"""A model on a server behind the engine's protocol: answers in the forms that servers write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desktop.engine.chat import Chat, Media, Message, Tool, ToolCall
from desktop.engine.events import (
    Started,
    ToolCallPart,
)
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from tests.engine.model_server import (
    Talk,
    delta,
    events,
    lines_of,
    raw,
    says,
    whole,
)
from tests.engine.remote_talk import (
    HELLO,
    WAIT_S,
    Open,
    all_of,
    ask,
    end_of,
    reasoning_of,
    text_of,
)


def test_an_answer(talk_to: Open, tmp_path: Path) -> None:
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 5},
    }
    engine, server = talk_to(says("Hel", "lo ", "you", usage=usage))
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


def test_what_leaves_the_sampling_to_the_server(talk_to: Open) -> None:
    """Whoever chooses nothing takes the engine's own recommendation, and that is the server's."""
    engine, server = talk_to(says("Hi"))
    recommended = engine.info.sampling
    assert recommended is not None
    ask(engine, sampling=recommended)
    asked = server.posted()[-1].document
    assert not asked.keys() & {"temperature", "top_p", "top_k", "min_p", "repeat_penalty"}
    all_of(engine, Request("2", chat=HELLO, sampling=Sampling(temperature=0.25, seed=7)))
    asked = server.posted()[-1].document
    assert (asked["temperature"], asked["seed"], asked["top_p"]) == (0.25, 7, 0.95)


def test_all_of_a_chat(talk_to: Open) -> None:
    engine, server = talk_to(says("Hi"))
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


def test_a_default_system_message(talk_to: Open) -> None:
    engine, server = talk_to(says("Hi"))
    ask(engine, Chat(HELLO.messages, default_system="Be kind"))
    assert server.posted()[0].document["messages"][0] == {"role": "system", "content": "Be kind"}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_told_apart_by_the_server(talk_to: Open, field: str) -> None:
    engine, _ = talk_to(
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
def test_reasoning_left_in_the_answer(talk_to: Open, size: int) -> None:
    whole_text = "\n<think>\nfirst, a < b</think>\n\nThe answer </think> is <think>4"
    pieces = [whole_text[n : n + size] for n in range(0, len(whole_text), size)]
    engine, _ = talk_to(says(*pieces))
    found = ask(engine)
    assert reasoning_of(found) == "first, a < b"
    assert text_of(found) == "The answer </think> is <think>4"


def test_reasoning_that_never_ends(talk_to: Open) -> None:
    engine, _ = talk_to(says("<think>on and", " on </thi", reason="length"))
    found = ask(engine)
    assert (reasoning_of(found), text_of(found)) == ("on and on </thi", "")
    assert end_of(found).reason == "length"


def test_pieces_of_content(talk_to: Open) -> None:
    """Mistral's: a list with thoughts in it."""
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    engine, _ = talk_to(
        events(
            delta(content=[thought, {"type": "text", "text": "Yes"}]), delta(finish_reason="stop")
        )
    )
    found = ask(engine)
    assert (reasoning_of(found), text_of(found)) == ("Hm", "Yes")


def test_tool_calls_in_pieces(talk_to: Open) -> None:
    def call(index: int, **function: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"index": index, "function": function}
        if "name" in function:
            entry |= {"id": f"c{index}", "type": "function"}
        return delta(tool_calls=[entry])

    engine, _ = talk_to(
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


def test_tool_calls_as_other_servers_write_them(talk_to: Open) -> None:
    """Without numbers, without ids, arguments as an object, name said again, reason "stop"."""
    engine, _ = talk_to(
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


def test_one_call_where_one_is_wanted(talk_to: Open) -> None:
    def endless(talk: Talk) -> None:
        talk.head()
        number = 0
        while not talk.wait_until_gone(0.01):
            call = {"index": number, "id": f"c{number}", "function": {"name": "add"}}
            talk.write(f"data: {json.dumps(delta(tool_calls=[call]))}\n\n")
            number += 1

    engine, _ = talk_to(endless)
    found = ask(engine, Chat(HELLO.messages, tools=(Tool("add"),), parallel_tools=False))
    parts = [event for event in found if isinstance(event, ToolCallPart)]
    assert [part.id for part in parts] == ["c0"]
    assert end_of(found).reason == "tool_calls"


def test_a_stop_string_that_the_server_does_not_know(talk_to: Open) -> None:
    engine, _ = talk_to(says("one tw", "o EN", "D three"))
    found = ask(engine, stop=("1", "2", "3", "4", "END"))
    assert text_of(found) == "one two "
    assert (end_of(found).reason, end_of(found).stop_string) == ("stop", "END")


def test_a_server_that_does_not_stream(talk_to: Open) -> None:
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
    engine, _ = talk_to(whole(document), pretty)
    for _ in range(2):
        found = ask(engine)
        assert text_of(found) == "All at once"
        assert end_of(found).stats.completion_tokens == 3
        assert end_of(found).stats.tokens_per_s == 0.0  # nobody saw how fast it was written


def test_bytes_cut_anywhere(talk_to: Open) -> None:
    body = (
        "\ufeff: comment\r\n\r\nevent: message\r\nid: 7\r\n"
        f"data: {json.dumps(delta(content='grün 🌳'), ensure_ascii=False)}\r\n\r\n"
        ": keep-alive\n\ndata:\n\n"
        f"data:{json.dumps(delta(finish_reason='stop'))}\r\rdata: [DONE]\n\n"
    ).encode()
    engine, _ = talk_to(raw(*(body[n : n + 1] for n in range(len(body)))))
    found = ask(engine)
    assert text_of(found) == "grün 🌳"
    assert end_of(found).reason == "stop"


def test_an_end_without_its_mark(talk_to: Open) -> None:
    """No [DONE], no usage, the last event without an empty line."""
    last = f"data: {json.dumps(delta(finish_reason='length'))}"
    engine, _ = talk_to(raw(f"data: {json.dumps(delta(content='Hi'))}\n\n", last))
    found = ask(engine)
    assert (text_of(found), end_of(found).reason) == ("Hi", "length")
    assert end_of(found).stats.prompt_tokens == 0  # nobody told
