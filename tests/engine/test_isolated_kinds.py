"""Through the pipe as well: vectors, pictures, adapters, chats, and a long rush of everything."""

from __future__ import annotations

import random
import threading
from contextlib import closing
from pathlib import Path

import pytest

from desktop.common.errors import RequestError
from desktop.engine.chat import Chat, Media, Message
from desktop.engine.constraint import Constraint
from desktop.engine.embedding import EmbeddingRequest
from desktop.engine.events import Failed, Finished, TokenChances
from desktop.engine.extras import Extras
from desktop.engine.isolated import IsolatedEngine, load_isolated
from desktop.engine.local import load
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from tests.engine.driving import GREEDY, ask, plan_for
from tests.tiny_architectures import write_tiny_bert
from tests.tiny_models import speak_signs_only, write_tiny_model
from tests.tiny_projector import png, write_tiny_eyes

SOON_S = 60.0


def _end(stream: Stream) -> Finished | Failed:
    _, end = stream.collect(SOON_S)
    assert end is not None, "hung"
    return end


def test_vectors_are_those_of_a_local_engine(tmp_path: Path) -> None:
    path, plan = write_tiny_bert(tmp_path / "bert.gguf"), plan_for(context=512)
    request = EmbeddingRequest(("Hallo Welt", "Guten Tag", "x"))
    with closing(load(path, plan)) as local, closing(load_isolated(path, plan)) as isolated:
        ours, theirs = local.embed(request), isolated.embed(request)
        assert ours.tokens == theirs.tokens
        for one, other in zip(ours.vectors, theirs.vectors, strict=True):
            assert list(other[0]) == pytest.approx(list(one[0]))
        assert isolated.info.abilities.embeddings
        with pytest.raises(RequestError):
            isolated.embed(EmbeddingRequest(("x " * 5000,)))


def test_a_picture_is_seen(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model.gguf", seed=3, change=speak_signs_only)
    eyes = write_tiny_eyes(tmp_path / "eyes.gguf")
    extras = Extras(projector=eyes)
    with closing(load_isolated(model, plan_for(context=2048), extras=extras)) as engine:
        assert engine.info.abilities.vision
        texts = []
        for colour in ((200, 30, 90), (20, 40, 220)):
            picture = Media("image", png(112, 112, colour))
            chat = Chat((Message("user", "Was ist das?", media=(picture,)),))
            request = Request(str(colour), chat=chat, max_tokens=16, sampling=GREEDY)
            text, end = engine.submit(request).collect(SOON_S)
            assert isinstance(end, Finished), end
            texts.append(text)
    assert texts[0] != texts[1]


def test_constraints_chances_and_echoes(plain_model: Path) -> None:
    with closing(load_isolated(plain_model, plan_for())) as engine:
        choice = Constraint("choice", choices=("ja", "nein"))
        text, _ = engine.submit(ask("1", "Ja?", 20, constraint=choice)).collect(SOON_S)
        assert text in ("ja", "nein")
        events = list(engine.submit(ask("2", "Hallo", 4, logprobs=2)))
        assert sum(isinstance(event, TokenChances) for event in events) == 4
        text, _ = engine.submit(ask("3", "Hallo", 4, echo=True)).collect(SOON_S)
        assert text.startswith("Hallo")


def _is_idle(engine: IsolatedEngine) -> bool:
    return all(one.state == "idle" for one in engine.sequences())


def test_a_rush_leaves_nothing_behind(plain_model: Path) -> None:
    """Answers, stops, wrong requests and streams that nobody reads, from several threads."""
    kinds: list[str] = []

    def talk(number: int, engine: IsolatedEngine) -> None:
        chance = random.Random(number)
        for turn in range(40):
            name = f"{number}.{turn}"
            prompt = "Ein Satz. " * chance.randrange(1, 60)
            kind = chance.choice(("answer", "stop", "drop", "wrong", "long"))
            kinds.append(kind)
            tokens = -1 if kind == "wrong" else chance.randrange(1, 40)
            text = "x" * 100_000 if kind == "long" else prompt
            stream = engine.submit(ask(name, text, tokens))
            if kind == "drop":
                continue
            if kind == "stop":
                stream.get(0.01 * chance.random())
                stream.cancel()
            end = _end(stream)
            assert isinstance(end, Failed) == (kind in ("wrong", "long")), (kind, end)

    with closing(load_isolated(plain_model, plan_for(context=4096, parallel=4))) as engine:
        threads = [threading.Thread(target=talk, args=(number, engine)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(4 * SOON_S)
            assert not thread.is_alive()
        assert isinstance(_end(engine.submit(ask("last", "Hallo", 3))), Finished)
        while not _is_idle(engine):  # what was dropped is being stopped
            assert engine.alive
        assert engine._streams == {}
        assert engine._calls == {}
    assert len(kinds) == 160
