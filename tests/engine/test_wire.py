"""What goes over the pipe arrives as it was; what else may come makes nothing but an error."""

from __future__ import annotations

import array
import io
import os
import pickle
import struct
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.errors import LoadError
from desktop.engine import wire
from desktop.engine.chat import Chat, Media, Message, Tool, ToolCall
from desktop.engine.constraint import Constraint
from desktop.engine.embedding import Embeddings, RerankRequest
from desktop.engine.events import Failed, Finished, Stats, Text, TokenChance, TokenChances
from desktop.engine.isolated_words import Call, Cancel, Open, Problem, Submit, Told
from desktop.engine.request import Adapter, Request
from desktop.engine.sampling import Sampling
from tests.engine.driving import plan_for

_CHAT = Chat(
    (
        Message("user", "Was ist das?", media=(Media("image", bytes(range(256)) * 100),)),
        Message("assistant", "", tool_calls=(ToolCall("1", "look", '{"a": 1}'),)),
    ),
    tools=(Tool("look", "sieht nach", MappingProxyType({"type": "object"})),),
)
_STATS = Stats(prompt_tokens=3, energy_j=1.5)
_MESSAGES: tuple[Any, ...] = (
    Open(Path("models") / "ä.gguf", plan_for(split=(("RPC0", 3),)), ("127.0.0.1:1",)),
    Submit(
        7,
        Request(
            "1",
            sampling=Sampling(logit_bias=((3, float("-inf")),)),
            constraint=Constraint("choice", choices=("ja", "nein")),
            adapters=(Adapter("a", 0.5),),
        ),
    ),
    Cancel(7),
    Call(8, "rerank", (RerankRequest("wer", ("a", "b")),), {"special": True}),
    Told(
        (
            (1, (Text("1", "Grüße \ud800 \x00"), Finished("1", "stop", _STATS))),
            (2, (TokenChances("2", TokenChance(1, b"\xff", -0.5)), Failed("2", "x", {"n": 1}))),
        )
    ),
    Embeddings(((array.array("f", [0.5, -1.0]),), ((0.25, 1.0),)), (3, 4)),
)


@pytest.mark.parametrize("message", _MESSAGES, ids=lambda one: type(one).__name__)
def test_what_is_sent_arrives(message: object) -> None:
    assert wire.read(io.BytesIO(wire.encode(message))) == message


def test_a_chat_with_pictures_and_read_only_schemas_arrives() -> None:
    arrived = wire.read(io.BytesIO(wire.encode(Submit(1, Request("1", chat=_CHAT)))))
    assert arrived.request.chat.messages == _CHAT.messages
    assert arrived.request.chat.tools[0].parameters == {"type": "object"}


def test_frames_follow_each_other() -> None:
    source = io.BytesIO(wire.encode(Cancel(1)) + wire.encode(Cancel(2)))
    assert [wire.read(source), wire.read(source)] == [Cancel(1), Cancel(2)]
    with pytest.raises(EOFError):
        wire.read(source)


@pytest.mark.parametrize("kept", [0, 1, 3, 4, 5, -1])
def test_a_frame_that_is_cut_is_an_end(kept: int) -> None:
    with pytest.raises(EOFError):
        wire.read(io.BytesIO(wire.encode(Cancel(1))[:kept]))


def test_a_length_beyond_all_reason_is_not_waited_for() -> None:
    with pytest.raises(wire.NonsenseError):
        wire.read(io.BytesIO(struct.pack(">I", 0xFFFFFFFF) + b"x"))


class _Evil:
    def __init__(self, function: Any, *values: Any) -> None:
        self._made = function, values

    def __reduce__(self) -> Any:
        return self._made


@pytest.mark.parametrize(
    "evil",
    [
        _Evil(os.system, "true"),
        _Evil(eval, "1"),
        _Evil(getattr, "x", "upper"),
        _Evil(pickle.loads, b""),
        _Evil(open, "/dev/null"),
        _Evil(bytearray, 1 << 62),
    ],
    ids=lambda one: str(one._made[0].__name__),
)
def test_nothing_else_can_be_made_of_it(evil: _Evil) -> None:
    with pytest.raises(wire.NonsenseError):
        wire.decode(pickle.dumps(evil))
    with pytest.raises(wire.NonsenseError):
        wire.decode(pickle.dumps(Text("1", evil)))  # type: ignore[arg-type]


@given(st.binary(max_size=200))
def test_noise_is_an_error(noise: bytes) -> None:
    try:
        wire.decode(noise)
    except wire.NonsenseError:
        return


def test_what_cannot_be_sent_is_said() -> None:
    with pytest.raises(wire.NonsenseError):
        wire.encode(Call(1, "embed", (lambda: 1,)))


def test_an_error_arrives_with_all_it_says() -> None:
    error = LoadError("context_failed", detail="zu groß", context_tokens=7)
    problem = wire.read(io.BytesIO(wire.encode(Problem.of(error))))
    again = problem.error()
    assert (type(again), again.kind, again.params, again.detail) == (
        LoadError,
        "context_failed",
        {"context_tokens": 7},
        "zu groß",
    )


def test_an_error_of_no_class_of_ours_is_still_one() -> None:
    assert type(Problem("SystemExit", "x", {}, "").error()).__name__ == "HausgeistError"
