"""Chats that are too long for a server's context, in the words of several servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from desktop.engine.chat import Chat, Message
from desktop.engine.events import (
    Started,
)
from tests.engine.model_server import (
    Answer,
    Talk,
    events,
    refuses,
    says,
)
from tests.engine.remote_talk import (
    WAIT_S,
    Open,
    ask,
    end_of,
    failure_of,
    owned,
)


def long_chat(turns: int = 10) -> tuple[Message, ...]:
    said: list[Message] = [Message("system", "Be brief")]
    for number in range(turns):
        said += [Message("user", f"q{number} " * 50), Message("assistant", f"a{number} " * 50)]
    return (*said, Message("user", "And now?"))


def holds(most_characters: int, refusal: Callable[[int], Answer]) -> Answer:
    """A server whose context holds so many characters."""

    def answer(talk: Talk) -> None:
        assert talk.asked is not None
        size = sum(len(one["content"]) for one in talk.asked.document["messages"])
        usage = {"prompt_tokens": size // 3, "completion_tokens": 1}
        (says("Hi", usage=usage) if size <= most_characters else refusal(size // 3))(talk)

    return answer


def openai_words(tokens: int) -> Answer:
    words = (
        "This model's maximum context length is 400 tokens. However, your messages resulted in "
        f"{tokens} tokens. Please reduce the length of the messages."
    )
    return refuses(400, {"error": {"message": words, "code": "context_length_exceeded"}})


def llama_words(tokens: int) -> Answer:
    error = {
        "code": 400,
        "message": f"request ({tokens} tokens) exceeds the available context size (400 tokens)",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": tokens,
        "n_ctx": 400,
    }
    return refuses(400, {"error": error})


def few_words(tokens: int) -> Answer:
    return refuses(400, {"error": "the input length exceeds the context length"})


def in_the_stream(tokens: int) -> Answer:
    words = f"Requested tokens ({tokens}) exceed context window of 400"
    return events({"error": {"message": words, "type": "invalid_request_error"}})


REFUSED = [openai_words, llama_words, few_words, in_the_stream]


@pytest.mark.parametrize("refusal", REFUSED)
def test_the_oldest_turns_are_left_out(talk_to: Open, refusal: Callable[[int], Answer]) -> None:
    engine, server = talk_to(holds(1200, refusal))
    messages = long_chat()
    found = ask(engine, Chat(messages, overflow="drop_oldest"))
    assert end_of(found).reason == "stop"
    started = [event for event in found if isinstance(event, Started)][-1]
    kept = started.first_kept
    assert started.left_out == tuple(range(1, kept))
    assert messages[kept].role == "user"
    sent = [one["content"] for one in server.posted()[-1].document["messages"]]
    assert sent == ["Be brief", *(message.content for message in messages[kept:])]
    # The next turn keeps the cut, without another refusal.
    before = len(server.posted())
    again = Chat(
        (*messages, Message("assistant", "Hi"), Message("user", "So?")),
        overflow="drop_oldest",
        first_kept=kept,
    )
    started = next(e for e in ask(engine, again) if isinstance(e, Started))
    assert started.first_kept >= kept
    assert len(server.posted()) == before + 1


@pytest.mark.parametrize("refusal", [openai_words, llama_words, in_the_stream])
def test_too_long_with_the_numbers(talk_to: Open, refusal: Callable[[int], Answer]) -> None:
    engine, server = talk_to(holds(1200, refusal))
    failed = failure_of(ask(engine, Chat(long_chat())))
    assert failed.kind == "prompt_too_long"
    assert failed.params["context_tokens"] == 400
    assert int(failed.params["prompt_tokens"]) > 400
    assert len(server.posted()) == 1


def test_a_last_turn_that_is_too_long_by_itself(talk_to: Open) -> None:
    engine, server = talk_to(holds(1200, llama_words))
    chat = Chat(
        (*long_chat(2), Message("assistant", "x"), Message("user", "y" * 9000)),
        overflow="drop_oldest",
    )
    assert failure_of(ask(engine, chat)).kind == "prompt_too_long"
    assert len(server.posted()) < 6


def test_a_context_that_is_known_after_the_first_answer(talk_to: Open) -> None:
    """Ollama loads a model when it is asked, and cuts what is too long without a word."""
    own: dict[str, Any] = {"/api/ps": {"models": []}, "/api/version": {"version": "1"}}
    engine, server = talk_to(says("Hi"), models=owned("library"), own=own)
    assert engine.info.context_tokens == 0
    server.own["/api/ps"] = {"models": [{"name": "tiny", "context_length": 400}]}
    ask(engine)
    until = time.monotonic() + WAIT_S
    while not engine.info.context_tokens and time.monotonic() < until:
        threading.Event().wait(0.005)
    assert engine.info.context_tokens == 400
    chat = Chat(long_chat(20), overflow="drop_oldest")
    started = next(event for event in ask(engine, chat) if isinstance(event, Started))
    assert len(started.left_out) > 10


def test_a_context_that_is_known(talk_to: Open) -> None:
    """Then it is cut before a server has to say no; Ollama would cut by itself and say nothing."""
    loaded = {"models": [{"name": "tiny", "context_length": 400}]}
    engine, server = talk_to(
        says("Hi"),
        models=owned("library"),
        own={"/api/ps": loaded, "/api/version": {"version": "1"}},
    )
    assert engine.info.context_tokens == 400
    found = ask(engine, Chat(long_chat(20), overflow="drop_oldest"))
    started = next(event for event in found if isinstance(event, Started))
    assert len(started.left_out) > 10
    assert len(server.posted()) == 1
