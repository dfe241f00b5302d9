"""Servers that say anything at all: every request ends, in time, with an answer or an error."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from desktop.engine.chat import Chat, Message, Tool
from desktop.engine.constraint import Constraint
from desktop.engine.events import Failed, Finished
from desktop.engine.remote.engine import RemoteEngine
from desktop.engine.remote.link import Patience
from desktop.engine.request import Request
from tests.engine.model_server import Talk, delta
from tests.engine.remote_talk import Open

ROUNDS = 150
LONGEST_S = 5.0
IMPATIENT = Patience(connect_s=1.0, first_token_s=0.5, between_s=0.5, question_s=1.0)
_WORDS = (
    "Hi",
    "",
    "<think>",
    "</think>",
    "🌳",
    "\ud83d",
    "{",
    '{"a": 1}',
    "END",
    "\x00",
    "x" * 5000,
)


def anything(dice: random.Random, depth: int = 0) -> Any:
    """A value of JSON."""
    kind = dice.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return None
    if kind == 1:
        return dice.choice([0, -1, 1, 2**63, 1e308, -0.5, True, False])
    if kind < 5:
        return dice.choice(_WORDS)
    if kind < 6:
        return [anything(dice, depth + 1) for _ in range(dice.randrange(4))]
    names = ("content", "index", "function", "name", "arguments", "id", "text", "error", "message")
    return {dice.choice(names): anything(dice, depth + 1) for _ in range(dice.randrange(4))}


def piece(dice: random.Random) -> Any:
    """A document of a stream: as it should be, or nearly, or not at all."""
    kind = dice.randrange(10)
    if kind < 3:
        return delta(content=dice.choice(_WORDS))
    if kind < 4:
        return delta(finish_reason=dice.choice(["stop", "length", "tool_calls", "error", "", "x"]))
    if kind < 5:
        return delta(tool_calls=[anything(dice) for _ in range(dice.randrange(3))])
    if kind < 6:
        call = {"index": dice.randrange(3), "id": "c", "function": {"name": "f", "arguments": "{"}}
        return delta(tool_calls=[call])
    if kind < 7:
        return {"choices": [{"delta": anything(dice), "logprobs": anything(dice)}]}
    if kind < 8:
        return {"choices": [], "usage": anything(dice), "timings": anything(dice)}
    if kind < 9:
        return {"prompt_progress": anything(dice), "choices": anything(dice)}
    return anything(dice)


def wild(dice: random.Random) -> Any:
    """An answer of a server."""

    def answer(talk: Talk) -> None:
        if dice.random() < 0.15:
            talk.head(dice.choice([200, 204, 301, 400, 401, 404, 422, 429, 500, 503]))
            talk.write(json.dumps(anything(dice)))
            return
        talk.head(kind=dice.choice(["text/event-stream", "application/json", "text/plain"]))
        for _ in range(dice.randrange(12)):
            line = f"data: {json.dumps(piece(dice))}\n\n".encode()
            if dice.random() < 0.1:
                line = line[: dice.randrange(len(line))]
            if dice.random() < 0.05:
                line = dice.randbytes(30)
            talk.write(line)
        if dice.random() < 0.6:
            talk.write("data: [DONE]\n\n")
        if dice.random() < 0.05:
            talk.wait_until_gone(1.0)

    return answer


def wild_request(dice: random.Random, number: int) -> Request:
    chat = Chat(
        (Message("user", "Hello " * dice.randrange(1, 50)),),
        tools=(Tool("f"),) if dice.random() < 0.3 else (),
        parallel_tools=dice.random() < 0.7,
        overflow="drop_oldest" if dice.random() < 0.5 else "error",
    )
    constraint = None
    if dice.random() < 0.2:
        constraint = dice.choice(
            [Constraint("json_object"), Constraint("choice", choices=("Hi", "{"))]
        )
    return Request(
        str(number),
        chat=chat if dice.random() < 0.8 else None,
        prompt="Hello",
        stop=("END",) if dice.random() < 0.3 else (),
        constraint=constraint,
        logprobs=2 if dice.random() < 0.2 else None,
        max_tokens=dice.choice([None, 0, 5]),
    )


@pytest.mark.parametrize("seed", range(4))
def test_everything_ends(talk_to: Open, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    for name in ("_AFTER_END_S", "_LOADING_PAUSE_S", "_PASSING_PAUSE_S"):
        monkeypatch.setattr(f"desktop.engine.remote.turn.{name}", 0.05)
    monkeypatch.setattr("desktop.engine.remote.errors._USUAL_WAIT_S", 0.05)
    dice = random.Random(seed)
    engine, _ = talk_to(wild(dice), patience=IMPATIENT)
    for number in range(ROUNDS):
        began = time.monotonic()
        events = list(engine.submit(wild_request(dice, number)))
        assert time.monotonic() - began < LONGEST_S
        assert isinstance(events[-1], Finished | Failed)
        assert not isinstance(events[-1], Failed) or events[-1].kind != "internal", events[-1]
    assert _is_empty(engine)


def _is_empty(engine: RemoteEngine) -> bool:
    return not engine._turns


def test_many_at_once(talk_to: Open, tmp_path: Path) -> None:
    """Each gets its own answer, and nothing stays behind."""

    def echoes(talk: Talk) -> None:
        assert talk.asked is not None
        said = talk.asked.document["messages"][0]["content"]
        talk.head()
        for word in (said, "!"):
            talk.write(f"data: {json.dumps(delta(content=word))}\n\n")
        talk.write(f"data: {json.dumps(delta(finish_reason='stop'))}\n\ndata: [DONE]\n\n")

    engine, _ = talk_to(echoes, patience=Patience())
    for turn in range(4):
        streams = [
            engine.submit(Request(f"{turn}-{n}", chat=Chat((Message("user", f"word {n}"),))))
            for n in range(32)
        ]
        for number, stream in enumerate(streams):
            text, end = stream.collect(30.0)
            assert isinstance(end, Finished), end
            assert text == f"word {number}!"
    assert _is_empty(engine)
