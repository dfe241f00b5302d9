"""An engine in a child process: the same answers, and a death that is an event like any other."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from desktop.common.errors import (
    CancelledError,
    EngineError,
    HausgeistError,
    LoadError,
    RequestError,
)
from desktop.engine.cancel import CancelToken
from desktop.engine.chat import Chat, Media, Message
from desktop.engine.embedding import EmbeddingRequest
from desktop.engine.engine import Engine
from desktop.engine.events import Failed, Finished, Text
from desktop.engine.isolated import IsolatedEngine, load_isolated
from desktop.engine.isolated_words import Open, Told
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from tests.engine.conftest import OpenEngine
from tests.engine.driving import ask, plan_for
from tests.tiny_models import write_tiny_model

SOON_S = 60.0
LONG = "Ein langer Text, der in mehreren Happen gelesen wird. " * 16
OpenIsolated = Callable[..., IsolatedEngine]

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def open_isolated(plain_model: Path) -> Iterator[OpenIsolated]:
    with ExitStack() as opened:

        def make(path: Path | None = None, cancel_limit_s: float = 30.0, **fields: Any) -> Any:
            order = Open(path or plain_model, plan_for(**fields), options={"template": None})
            deaths: queue.SimpleQueue[EngineError] = queue.SimpleQueue()
            engine = IsolatedEngine(order, on_death=deaths.put, cancel_limit_s=cancel_limit_s)
            opened.enter_context(closing(engine))
            engine.open()
            engine.deaths = deaths  # type: ignore[attr-defined]
            return engine

        yield make


def _end(stream: Stream) -> Finished | Failed:
    _, end = stream.collect(SOON_S)
    assert end is not None, "hung"
    return end


def _writing(engine: Engine, name: str = "1") -> Stream:
    """An answer that is being written, far from its end."""
    stream = engine.submit(ask(name, "Hallo", 100_000))
    while not isinstance(stream.get(SOON_S), Text):
        assert stream.end is None, stream.end
    return stream


def test_it_answers_as_a_local_one(open_engine: OpenEngine, open_isolated: OpenIsolated) -> None:
    local, isolated = open_engine(context=2048), open_isolated(context=2048)
    engine: Engine = isolated
    for number, prompt in enumerate(("Hallo", LONG, "")):
        request = ask(str(number), prompt, 30)
        assert isolated.submit(request).collect(SOON_S)[0] == local.submit(request).collect()[0]
    chat = Chat((Message("user", "Wer bist du?"),))
    assert engine.render(chat) == local.render(chat)
    assert engine.count_tokens("Grüße") == local.count_tokens("Grüße")
    tokens = engine.tokenize("Grüße", add_special=False)
    assert tokens == local.tokenize("Grüße", add_special=False)
    assert engine.detokenize(tokens) == "Grüße"
    assert engine.adapters() == local.adapters()
    assert len(engine.sequences()) == len(local.sequences())
    assert [row.device for row in engine.memory_usage() or ()] == ["CPU"]
    assert (engine.info.kind, local.info.kind) == ("isolated", "local")
    assert engine.info.name == "Tiny"
    assert engine.alive


def test_events_come_in_their_order(open_isolated: OpenIsolated) -> None:
    events = list(open_isolated(ubatch=64).submit(ask("1", LONG, 20)))
    kinds = [type(event).__name__ for event in events]
    assert kinds[0] == "Started"
    assert kinds[-1] == "Finished"
    assert "Text" in kinds
    assert "PromptProgress" not in kinds[kinds.index("Text") :]


def test_many_threads_ask_at_once(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(parallel=4, context=4096)
    texts: dict[str, str] = {}

    def talk(number: int) -> None:
        for turn in range(4):
            name = f"{number}.{turn}"
            texts[name], end = engine.submit(ask(name, f"{turn}", 12)).collect(SOON_S)
            assert isinstance(end, Finished)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON_S)
    assert len(texts) == 32
    assert all(texts.values())


def test_what_is_wrong_with_a_request_is_said_as_by_a_local_one(
    open_isolated: OpenIsolated,
) -> None:
    engine = open_isolated()
    wrong = _end(engine.submit(ask("1", "Hallo", -5)))
    assert isinstance(wrong, Failed)
    assert wrong.kind == "bad_sampling"
    long = _end(engine.submit(ask("2", LONG * 10)))
    assert isinstance(long, Failed)
    assert long.kind == "context_exceeded"
    unsendable = _end(engine.submit(Request("3", prompt=lambda: 1)))  # type: ignore[arg-type]
    assert isinstance(unsendable, Failed)
    assert unsendable.kind == "bad_request"
    assert isinstance(_end(engine.submit(ask("4", "Hallo", 3))), Finished)


def test_two_requests_of_one_name_are_kept_apart(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(parallel=2, context=4096)
    first = _writing(engine, "same")
    second = _end(engine.submit(ask("same", "Hallo", 3)))
    assert isinstance(second, Failed)
    assert second.kind == "duplicate_request"
    first.cancel()
    assert isinstance(_end(first), Finished)


def test_a_picture_goes_through(open_isolated: OpenIsolated) -> None:
    """A model that cannot see says so, after megabytes of picture."""
    picture = Media("image", bytes(8 << 20))
    chat = Chat((Message("user", "Was ist das?", media=(picture,)),))
    end = _end(open_isolated().submit(Request("1", chat=chat)))
    assert isinstance(end, Failed)
    assert end.kind == "no_vision"


def test_errors_of_calls_come_through(open_isolated: OpenIsolated) -> None:
    engine = open_isolated()
    with pytest.raises(RequestError) as caught:
        engine.detokenize([1 << 40])
    assert caught.value.kind == "bad_request"
    with pytest.raises(EngineError, match="no_embeddings"):
        engine.embed(EmbeddingRequest(("Hallo",)))
    with pytest.raises(EngineError, match="not_offered"):
        engine._call("close")  # nothing but what an engine does can be called


def test_cancel_ends_an_answer_and_the_next_one_runs(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(context=4096)
    stream = _writing(engine)
    stream.cancel()
    end = _end(stream)
    assert isinstance(end, Finished)
    assert end.reason == "cancelled"
    assert isinstance(_end(engine.submit(ask("2", "Hallo", 3))), Finished)


def test_a_cancel_that_is_faster_than_the_request(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(context=4096)
    for number in range(20):
        stream = engine.submit(ask(str(number), LONG, 500))
        stream.cancel()
        end = _end(stream)
        assert isinstance(end, Finished)
        assert end.reason == "cancelled"


def test_a_stream_that_nobody_holds_ends_its_request(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(context=4096, parallel=1)
    stream = _writing(engine)
    del stream
    # The only sequence is free again, or this would wait for ever.
    assert isinstance(_end(engine.submit(ask("2", "Hallo", 3))), Finished)


@needs_signals
def test_a_child_that_is_killed_is_told_to_everybody(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(parallel=2, context=8192)
    streams = [_writing(engine, "1"), _writing(engine, "2")]
    os.kill(engine.pid, signal.SIGKILL)
    for stream in streams:
        end = _end(stream)
        assert isinstance(end, Failed)
        assert end.kind == "engine_died_memory"
    death = engine.deaths.get(timeout=SOON_S)  # type: ignore[attr-defined]
    assert death.kind == "engine_died_memory"
    assert not engine.alive
    later = _end(engine.submit(ask("3", "Hallo")))
    assert isinstance(later, Failed)
    assert later.kind == "engine_died_memory"
    with pytest.raises(EngineError, match="engine_died_memory"):
        engine.count_tokens("Hallo")
    assert engine.memory_usage() is not None  # what it held last
    assert engine.memory_now(graphics=False).process_bytes > 0


@needs_signals
def test_an_abort_is_told_with_what_was_said_last(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(context=8192)
    stream = _writing(engine)
    os.kill(engine.pid, signal.SIGABRT)
    end = _end(stream)
    assert isinstance(end, Failed)
    assert end.kind == "engine_died"
    assert end.params["code"] == -signal.SIGABRT


@needs_signals
def test_a_child_that_hangs_is_ended_when_somebody_wants_to_stop(
    open_isolated: OpenIsolated,
) -> None:
    engine = open_isolated(context=8192, cancel_limit_s=0.3)
    stream = _writing(engine)
    os.kill(engine.pid, signal.SIGSTOP)
    stream.cancel()
    end = _end(stream)
    # What it had said before it was stopped may have been its end.
    assert isinstance(end, Failed)
    assert end.kind == "engine_died_hung"


def test_a_child_that_writes_nonsense_is_ended(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(context=8192)
    stream = _writing(engine)
    hear = engine._hear

    def garbled(message: Any) -> None:
        nonsense: Any = ((0, (7,)),)
        hear(replace(message, batches=nonsense) if isinstance(message, Told) else message)

    engine._child._hear = garbled
    end = _end(stream)
    assert isinstance(end, Failed)
    assert end.kind.startswith("engine_died")


def test_close_ends_everything(open_isolated: OpenIsolated) -> None:
    engine = open_isolated(context=8192)
    stream, pid = _writing(engine), engine.pid
    engine.close()
    end = _end(stream)
    assert isinstance(end, Finished)
    assert end.reason == "cancelled"
    assert not psutil.pid_exists(pid)
    assert not engine.alive
    assert engine.memory_usage() is not None
    after = _end(engine.submit(ask("2", "Hallo")))
    assert isinstance(after, Failed)
    assert after.kind == "engine_closed"
    with pytest.raises(EngineError, match="engine_closed"):
        engine.count_tokens("Hallo")
    engine.close()
    assert engine.deaths.empty()  # type: ignore[attr-defined]


def _refused(path: Path, **fields: Any) -> HausgeistError:
    with pytest.raises(HausgeistError) as caught:
        load_isolated(path, plan_for(**fields))
    return caught.value


def test_a_refused_load_says_what_a_local_one_says(tmp_path: Path) -> None:
    error = _refused(write_tiny_model(tmp_path / "model.gguf", tokenizer=False))
    assert isinstance(error, LoadError)
    assert error.kind == "load_failed"
    assert error.detail


def test_an_abort_while_loading_is_a_load_that_failed(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", metadata={"llama.expert_count": 100_000})
    error = _refused(path)
    assert isinstance(error, LoadError)
    assert error.kind == "probe_aborted"


def test_a_load_can_be_cancelled(plain_model: Path) -> None:
    token = CancelToken()
    token.cancel()
    before = {child.pid for child in psutil.Process().children()}
    with pytest.raises(CancelledError):
        load_isolated(plain_model, plan_for(), cancel=token)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_progress_is_told_and_may_stop_the_load(plain_model: Path) -> None:
    heard: list[float] = []
    load_isolated(plain_model, plan_for(), on_progress=heard.append).close()
    assert heard == sorted(heard)
    assert heard[-1] == 1.0

    def stop(_fraction: float) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        load_isolated(plain_model, plan_for(), on_progress=stop)


_PARENT = """
import sys
from pathlib import Path
from desktop.engine.isolated import load_isolated
from tests.engine.driving import ask, plan_for
engine = load_isolated(Path(sys.argv[1]), plan_for(context=8192))
stream = engine.submit(ask("1", "Hallo", 100_000))
stream.get()
print(engine.pid, flush=True)
while stream.get() is not None:
    pass
"""


@needs_signals
def test_no_child_outlives_a_parent_that_is_killed(plain_model: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(plain_model)],
        stdout=subprocess.PIPE,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        family = [child, *child.children(recursive=True)]
        parent.kill()
    _, alive = psutil.wait_procs(family, timeout=SOON_S)
    assert alive == []
