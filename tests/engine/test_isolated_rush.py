"""Through the pipe: constraints, kept chats, and a rush of everything from several threads."""

from __future__ import annotations

import random
import threading
from contextlib import closing
from pathlib import Path

from desktop.engine.constraint import Constraint
from desktop.engine.events import Failed, Finished, Started, TokenChances
from desktop.engine.isolated import IsolatedEngine, load_isolated
from desktop.engine.keeping import Keeping
from desktop.engine.stream import Stream
from tests.engine.driving import ask, plan_for

SOON_S = 60.0


def _end(stream: Stream) -> Finished | Failed:
    _, end = stream.collect(SOON_S)
    assert end is not None, "hung"
    return end


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


def test_a_chat_is_not_read_again_after_a_restart(plain_model: Path, tmp_path: Path) -> None:
    """What was kept on the disk is the child's business; where, is told to it."""
    keeping = Keeping(folder=tmp_path / "states")
    text = "Ein langer Text, der nur einmal gelesen wird. " * 20
    cached = []
    for turn in range(2):
        plan = plan_for(context=2048)
        with closing(load_isolated(plain_model, plan, keeping=keeping)) as engine:
            request = ask(str(turn), text, 4, conversation="chat")
            events = list(engine.submit(request))
            (started,) = (event for event in events if isinstance(event, Started))
            cached.append(started.cached_tokens)
            engine.submit(ask("end", "x", 1)).collect(SOON_S)
    assert cached[0] == 0
    assert cached[1] > 500
