"""A real peer: llama-cpp-python's own server module with a tiny model, on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.errors import RemoteError
from desktop.engine.chat import Chat, Message
from desktop.engine.constraint import Constraint
from desktop.engine.embedding import EmbeddingRequest
from desktop.engine.events import Failed, Finished, Started, Text
from desktop.engine.remote.engine import RemoteEngine, open_remote
from desktop.engine.remote.link import Patience
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from tests.engine.llama_cpp_server import RealServer, real_server
from tests.engine.model_server import link_to
from tests.tiny_models import SPECIALS, Array, vocabulary, write_tiny_model

WAIT_S = 60.0
CONTEXT = 512
SLOW = Patience(connect_s=10.0, first_token_s=WAIT_S, between_s=WAIT_S, question_s=WAIT_S)
GREEDY = Sampling(temperature=0.0)
HELLO = Chat((Message("user", "Hello there"),))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    model = write_tiny_model(tmp_path_factory.mktemp("served") / "served.gguf")
    with real_server(model, "tiny", "--n_ctx", str(CONTEXT), "--embedding", "true") as running:
        yield running


@pytest.fixture(scope="module")
def endless_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that never thinks of ending its answer."""

    def never_end(weights: dict[str, Array]) -> None:
        first = vocabulary(0).index(SPECIALS[0])
        weights["output.weight"][first : first + len(SPECIALS)] = 0.0

    folder = tmp_path_factory.mktemp("endless")
    return write_tiny_model(folder / "endless.gguf", change=never_end)


@pytest.fixture
def engine(server: RealServer, tmp_path: Path) -> Iterator[RemoteEngine]:
    opened = open_remote(link_to(server.address, tmp_path, patience=SLOW), "")
    yield opened
    opened.close()


def test_what_it_is(engine: RemoteEngine) -> None:
    info = engine.info
    assert (info.name, info.kind, info.path, info.plan) == ("tiny", "remote", None, None)
    assert info.context_tokens == 0  # this server does not tell


def test_a_chat(engine: RemoteEngine) -> None:
    stream = engine.submit(Request("1", chat=HELLO, max_tokens=24, sampling=GREEDY))
    text, end = stream.collect(WAIT_S)
    assert isinstance(end, Finished)
    assert end.reason in ("length", "stop")
    assert text
    assert 0 < end.stats.completion_tokens <= 24
    again = engine.submit(Request("2", chat=HELLO, max_tokens=24, sampling=GREEDY))
    assert again.collect(WAIT_S)[0] == text


def test_text_as_it_stands(engine: RemoteEngine) -> None:
    request = Request("1", prompt="Once upon", max_tokens=8, sampling=GREEDY, echo=True)
    text, end = engine.submit(request).collect(WAIT_S)
    assert isinstance(end, Finished)
    assert text.startswith("Once upon")
    parts = Request("2", parts=("Once", " upon"), max_tokens=8, sampling=GREEDY)
    continued, end = engine.submit(parts).collect(WAIT_S)
    assert isinstance(end, Finished)
    assert "Once upon" + continued == text


def test_forms(engine: RemoteEngine) -> None:
    """Its schemas and grammars, asked for in its own way."""
    choice = Constraint("choice", choices=("yes", 'n"o', "may\nbe"))
    text, end = engine.submit(Request("1", chat=HELLO, constraint=choice)).collect(WAIT_S)
    assert isinstance(end, Finished), end
    assert text in choice.choices
    grammar = Constraint("grammar", 'root ::= "a" [0-9]{3} "b"')
    text, end = engine.submit(Request("2", chat=HELLO, constraint=grammar)).collect(WAIT_S)
    assert isinstance(end, Finished)
    assert (text[0], text[4], text[1:4].isdigit()) == ("a", "b", True)
    schema = {
        "type": "object",
        "properties": {"is_true": {"type": "boolean"}, "one": {"enum": ["x", "y"]}},
        "required": ["is_true", "one"],
    }
    wanted = Constraint("json_schema", json.dumps(schema))
    text, end = engine.submit(Request("3", chat=HELLO, constraint=wanted)).collect(WAIT_S)
    assert isinstance(end, Finished), end
    if end.reason == "stop":  # a random model may write blanks until there is no room
        assert json.loads(text)["one"] in ("x", "y")


def test_a_prompt_that_is_too_long(engine: RemoteEngine) -> None:
    """This server promises a stream and then breaks it off: the reason is asked for."""
    long = Chat((Message("user", "word " * 2000),))
    _, end = engine.submit(Request("1", chat=long, max_tokens=4)).collect(WAIT_S)
    assert isinstance(end, Failed)
    assert end.kind == "prompt_too_long"
    assert end.params["context_tokens"] == CONTEXT
    assert int(end.params["prompt_tokens"]) > CONTEXT


def test_the_oldest_turns_are_left_out(engine: RemoteEngine) -> None:
    turns: list[Message] = [Message("system", "Be brief")]
    for number in range(12):
        turns.append(Message("user", f"question {number} " * 8))
        turns.append(Message("assistant", f"answer {number} " * 8))
    turns.append(Message("user", "And now?"))
    chat = Chat(tuple(turns), overflow="drop_oldest")
    found = list(engine.submit(Request("1", chat=chat, max_tokens=4)))
    assert isinstance(found[-1], Finished), found[-1]
    started = [event for event in found if isinstance(event, Started)][-1]
    assert started.left_out[0] == 1  # never the system message
    assert started.first_kept == started.left_out[-1] + 1
    assert turns[started.first_kept].role == "user"


def test_stopping(engine: RemoteEngine) -> None:
    stream = engine.submit(Request("1", chat=HELLO, sampling=Sampling(temperature=5.0, seed=3)))
    while not isinstance(event := stream.get(WAIT_S), Text):
        assert event is not None
    started = time.monotonic()
    stream.cancel()
    _, end = stream.collect(WAIT_S)
    assert isinstance(end, Finished)
    assert end.reason == "cancelled"
    assert time.monotonic() - started < 1.0
    _, end = engine.submit(Request("2", chat=HELLO, max_tokens=4)).collect(WAIT_S)
    assert isinstance(end, Finished)


def test_vectors(engine: RemoteEngine) -> None:
    found = engine.embed(EmbeddingRequest(("Hello", "another text of its own")))
    assert len(found.vectors) == 2
    assert len(found.vectors[0]) > 1  # this server gives one a token for such a model
    assert sum(found.tokens) > 0


def test_a_model_that_it_does_not_have(server: RealServer, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="remote_no_model"):
        open_remote(link_to(server.address, tmp_path), "another")


def test_a_server_that_is_killed_in_the_middle(tmp_path: Path, endless_model: Path) -> None:
    with real_server(endless_model, "tiny", "--n_ctx", "4096") as victim:
        engine = open_remote(link_to(victim.address, tmp_path, patience=SLOW), "tiny")
        # Lively, because this server holds bytes back that are no character yet.
        lively = Sampling(temperature=5.0, seed=3)
        stream = engine.submit(Request("1", chat=HELLO, sampling=lively))
        while not isinstance(event := stream.get(WAIT_S), Text):
            assert event is not None
        victim.kill()
        _, end = stream.collect(WAIT_S)
        assert isinstance(end, Failed)
        assert end.kind in ("connection_cut", "remote_cut")
        _, end = engine.submit(Request("2", chat=HELLO)).collect(WAIT_S)
        assert isinstance(end, Failed)
        assert end.kind == "connection_refused"
        assert engine.alive
        engine.close()
