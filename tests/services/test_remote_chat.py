"""Chats with a model on a server: stored as any other, kept when the server goes away."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.chats.store import ChatStore
from desktop.common.errors import HausgeistError
from desktop.engine.remote.engine import RemoteEngine, open_remote
from desktop.engine.remote.link import Patience
from desktop.fit.types import Wish
from desktop.services.chat_turn import ChatService
from desktop.services.crash_marker import CrashMarker
from desktop.services.remotes import NewServer
from desktop.services.wiring import Services, build
from tests.engine.llama_cpp_server import RealServer, real_server
from tests.engine.model_server import Talk, delta, link_to, model_server, refuses, says
from tests.engine.remote_talk import Open, talking
from tests.services.listening import Listener
from tests.tiny_models import SPECIALS, Array, vocabulary, write_tiny_model


@pytest.fixture
def talk_to(tmp_path: Path) -> Iterator[Open]:
    with talking(tmp_path) as open_one:
        yield open_one


def test_a_chat_with_a_server(store: ChatStore, chats: ChatService, talk_to: Open) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 2}
    engine, server = talk_to(says("<think>Hm", "</think>", "Hello ", "you", usage=usage))
    chat = store.create_chat()
    for question in ("First?", "Second?"):
        listener = Listener()
        ended = listener.ended(chats.send(chat.id, question, engine, listener, model="remote:A/x"))
        assert (ended.state, ended.reason) == ("complete", "stop")
    turns = store.thread(chat.id)
    assert [turn.text for turn in turns] == ["First?", "Hello you", "Second?", "Hello you"]
    assert (turns[1].prompt_tokens, turns[1].model) == (30, "remote:A/x")
    sent = server.posted()[-1].document["messages"]
    assert [one["content"] for one in sent] == ["First?", "Hello you", "Second?"]
    assert not any(name in server.posted()[-1].document for name in ("temperature", "top_k"))


def test_what_was_said_is_kept_when_the_line_is_cut(
    store: ChatStore, chats: ChatService, talk_to: Open, tmp_path: Path
) -> None:
    def dies(talk: Talk) -> None:
        talk.head()
        talk.write(f"data: {json.dumps(delta(content='Once upon'))}\n\n")

    engine, _ = talk_to(dies, says("Hi"))
    chat = store.create_chat()
    listener = Listener()
    ended = listener.ended(chats.send(chat.id, "Tell me", engine, listener))
    assert (ended.state, ended.error_kind) == ("failed", "remote_cut")
    assert store.thread(chat.id)[-1].text == "Once upon"
    again = Listener()
    ended = again.ended(chats.regenerate(store.thread(chat.id)[-1].id, engine, again))
    assert ended.state == "complete"
    assert store.thread(chat.id)[-1].text == "Hi"
    assert not list(tmp_path.glob("running-*"))  # a server cannot crash this program: no mark


def test_older_turns_are_left_out_and_told(
    store: ChatStore, chats: ChatService, talk_to: Open
) -> None:
    words = (
        "This model's maximum context length is 300 tokens, your messages resulted in 900 tokens"
    )

    def small(talk: Talk) -> None:
        assert talk.asked is not None
        size = sum(len(one["content"]) for one in talk.asked.document["messages"])
        answer = says("Hi") if size < 900 else refuses(400, {"error": {"message": words}})
        answer(talk)

    engine, _ = talk_to(small)
    chat = store.create_chat()
    left_out = []
    for number in range(6):
        listener = Listener()
        question = f"question {number} " * 30
        assert listener.ended(chats.send(chat.id, question, engine, listener)).state == "complete"
        left_out.append(listener.started().left_out_turns)
    assert left_out[0] == 0
    assert left_out[-1] > 0
    assert len(store.thread(chat.id)) == 12  # left out of the prompt, never of the chat


# The whole house with a real server


@pytest.fixture
def house(
    hausgeist_home: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    monkeypatch.setattr("desktop.services.core.guide_path", lambda: tiny_model)
    monkeypatch.setattr("desktop.hub.server_keys.system_keyring", lambda: None)
    services = build(dict(os.environ))
    yield services
    services.opener.close()
    services.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RealServer]:
    def never_end(weights: dict[str, Array]) -> None:
        first = vocabulary(0).index(SPECIALS[0])
        weights["output.weight"][first : first + len(SPECIALS)] = 0.0

    model = write_tiny_model(tmp_path / "served.gguf", change=never_end)
    with real_server(model, "tiny", "--n_ctx", "2048") as running:
        yield running


def test_a_real_server_is_killed_in_the_middle(house: Services, served: RealServer) -> None:
    """A clear error, the chat kept, the app alive; offline by the environment meanwhile."""
    patience = Patience(question_s=60.0)
    house.remotes.add(NewServer("Peer", served.address, patience=patience))
    opened = house.opener.open("remote:Peer/tiny", Wish())
    chat = house.store.create_chat()
    listener = Listener()
    handle = house.chat_service.send(
        chat.id, "Hello", opened.engine, listener, model=opened.name, max_tokens=2000
    )
    while not listener.text():
        listener.next()
    served.kill()
    ended = listener.ended(handle)
    assert ended.state == "failed"
    assert ended.error_kind in ("connection_cut", "remote_cut")
    error = HausgeistError(ended.error_kind)
    error.params = ended.error_params
    assert "broke off" in house.messages.error(error)
    kept = house.store.thread(chat.id)
    assert [turn.role for turn in kept] == ["user", "assistant"]
    assert kept[-1].text.startswith(listener.text()[:1])
    opened.engine.close()
    guide = house.opener.open("guide", Wish(context=512))  # the app goes on
    again = Listener()
    ended = again.ended(house.chat_service.send(chat.id, "Hi", guide.engine, again, max_tokens=4))
    assert ended.state == "complete"
    guide.engine.close()


def test_one_engine_for_all_who_ask(house: Services) -> None:
    with model_server(says("Hi")) as server:
        house.remotes.add(NewServer("Peer", server.address))
        first = house.opener.open("remote:Peer/tiny", Wish())
        second = house.opener.open("remote:Peer/tiny", Wish(context=99))
        listings = [one for one in server.asked if one.path == "/v1/models"]
        assert len(listings) == 2  # one look when it was added, one when it was opened
        # Who recommends no sampling leaves it to the server, through all that stands in between.
        assert first.engine.info.sampling is second.engine.info.sampling
        for opened in (first, second):
            opened.engine.close()


def test_a_link_of_its_own(tmp_path: Path, store: ChatStore, marker: CrashMarker) -> None:
    """Closing the window's service ends an answer that a server still writes."""

    def endless(talk: Talk) -> None:
        talk.head()
        talk.write(f"data: {json.dumps(delta(content='on'))}\n\n")
        talk.wait_until_gone()

    with model_server(endless) as server:
        engine: RemoteEngine = open_remote(link_to(server, tmp_path), "tiny")
        chats = ChatService(store, marker)
        listener = Listener()
        handle = chats.send(store.create_chat().id, "Hello", engine, listener)
        while not listener.text():
            listener.next()
        assert chats.close()
        assert listener.ended(handle).state == "stopped"
        engine.close()
