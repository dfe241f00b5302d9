"""Models in a process of their own: when, and what becomes of it when that dies."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.chats.store import ChatStore
from desktop.common.errors import EngineError, LoadError
from desktop.common.ledger import Ledger
from desktop.common.settings import Settings
from desktop.engine.events import Failed, Finished
from desktop.engine.isolated import load_isolated
from desktop.engine.llama import llama
from desktop.fit.types import Wish
from desktop.hardware.machine import Gpu
from desktop.services.chat_turn import ChatService
from desktop.services.crash_marker import CrashMarker
from desktop.services.open_load import OpenTools
from desktop.services.pool import Pool
from tests.engine.driving import ask, plan_for
from tests.rpc_servers import rpc_server, running_rpc_server
from tests.services.listening import Listener
from tests.services.opening import GIB, Stage, crash_of
from tests.tiny_models import write_tiny_model

SOON_S = 60.0


@pytest.fixture
def stage(tmp_path: Path, tiny_model: Path, marker: CrashMarker) -> Iterator[Stage]:
    built = Stage(tmp_path, tiny_model, marker)
    yield built
    built.library.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "own.gguf", vocab=271, seed=7, layers=4)


def test_the_usual_model_runs_in_this_process(stage: Stage, model: Path) -> None:
    stage.opener.open(str(model), Wish())
    assert stage.apart == []
    assert stage.probed


def test_whoever_wants_it_gets_it_without_a_trial(stage: Stage, model: Path) -> None:
    opened = stage.opener.open(str(model), Wish(), apart=True)
    assert stage.apart == [opened.report.plan]
    assert stage.probed == []
    assert stage.servers == ()


def test_the_switch_for_the_careful(stage: Stage, model: Path) -> None:
    stage.opener._always_apart = lambda: True
    stage.opener.open(str(model), Wish())
    stage.opener.open("guide", Wish())
    assert len(stage.apart) == 2


def test_what_has_killed_the_app_runs_apart_from_then_on(stage: Stage, model: Path) -> None:
    before = stage.opener.open(str(model), Wish()).report.plan
    crash_of(stage, model, before)
    opened = stage.opener.open(str(model), Wish())
    assert stage.apart == [opened.report.plan]
    assert opened.report.plan != before
    assert [step.kind for step in opened.steps] == ["crashed_loading"]
    stage.opener.open(str(model), Wish(), insist=True)
    assert len(stage.apart) == 1


def test_a_death_while_loading_steps_down(stage: Stage, model: Path) -> None:
    stage.loads = [LoadError("probe_out_of_memory"), LoadError("probe_aborted")]
    opened = stage.opener.open(str(model), Wish(), apart=True)
    assert [step.kind for step in opened.steps] == ["probe_out_of_memory", "probe_aborted"]
    assert len(stage.apart) == 3
    assert opened.report.plan == stage.apart[-1]


def test_a_death_while_answering_is_remembered(stage: Stage, model: Path) -> None:
    first = stage.opener.open(str(model), Wish(), apart=True)
    assert stage.on_death is not None
    stage.on_death(EngineError("engine_died_memory"))
    crash = stage.marker.crashed(model)
    assert crash is not None
    assert (crash.activity, crash.plan) == ("generating", first.report.plan)
    second = stage.opener.open(str(model), Wish())
    assert len(stage.apart) == 2
    assert [step.kind for step in second.steps] == ["crashed_generating"]


def test_the_childs_own_memory_is_written_down(stage: Stage, model: Path) -> None:
    stage.opener.open(str(model), Wish(), apart=True)
    (session,) = stage.history.sessions()
    assert session.load.grown_bytes == {"CPU": 30 << 20}


def _with_pool(stage: Stage, tmp_path: Path, pool: Pool) -> None:
    stage.opener._loader._pool = pool
    stage.machines._pool = pool


class _Online:
    def require_online(self) -> None:
        """Nobody has turned the switch."""


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(Settings, _Online(), Ledger(tmp_path / "ledger.jsonl"))


def test_a_server_that_left_while_loading_is_done_without(
    stage: Stage, model: Path, pool: Pool
) -> None:
    lent = Gpu("127.0.0.1:7", "other", "rpc", 8 * GIB, 7 * GIB, device="RPC0")
    stage.gpus = (lent,)
    stage.opener._loader._pool = pool
    stage.loads = [LoadError("pool_server_gone")]
    planned = stage.opener.open(str(model), Wish(gpu_layers=3), apart=False)
    assert planned.report.plan.device == "RPC0"  # still there: one step smaller
    assert planned.steps[0].kind == "pool_server_gone"
    assert stage.servers == ("127.0.0.1:7",)
    stage.loads = [LoadError("pool_server_gone")]
    asked = stage._look

    def gone(**options: object) -> object:
        found = asked(**options)
        return replace(found, gpus=()) if len(stage.apart) > 2 else found

    stage.machines._look = gone  # type: ignore[assignment]
    opened = stage.opener.open(str(model), Wish(gpu_layers=3))
    assert opened.report.plan.gpu_layers == 0 or opened.report.plan.device == ""
    assert opened.steps[-1].kind == "pool_server_gone"


@pytest.mark.skipif(
    sys.platform != "linux" or "RPC" not in llama().backends(), reason="this engine has no RPC"
)
def test_over_a_real_server_that_is_killed_in_the_middle(
    stage: Stage, model: Path, pool: Pool, tmp_path: Path
) -> None:
    """A clear error, and the next opening does without it."""
    stage.opener._loader._tools = stage.opener._tools = OpenTools()
    _with_pool(stage, tmp_path, pool)
    with running_rpc_server() as server:
        pool.use([server.address])
        opened = stage.opener.open(str(model), Wish(gpu_layers=5, context=4096))
        with closing(opened.engine) as engine:
            assert engine.info.kind == "pooled"
            assert opened.report.plan.device == "RPC0"
            text, end = engine.submit(ask("1", "Hallo", 5)).collect(SOON_S)
            assert isinstance(end, Finished)
            assert text
            stream = engine.submit(ask("2", "Hallo", 100_000))
            stream.get(SOON_S)
            server.kill()
            _, end = stream.collect(SOON_S)
            assert isinstance(end, Failed)
            assert end.kind == "engine_died_pool"
            assert not engine.alive
    assert stage.marker.crashed(model) is None  # it is not the model's fault
    again = stage.opener.open(str(model), Wish(context=4096))
    with closing(again.engine) as engine:
        assert engine.info.kind == "local"
        assert isinstance(engine.submit(ask("3", "Hallo", 5)).collect(SOON_S)[1], Finished)
    ledger = Ledger(tmp_path / "ledger.jsonl").entries(100)
    assert {line.purpose for line in ledger} == {"pool"}
    assert "pool_server_gone" in {line.outcome for line in ledger}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_chat_is_kept_when_the_models_process_dies(
    store: ChatStore, chats: ChatService, model: Path, marker: CrashMarker
) -> None:
    """What was written stands there, the app lives, and another engine goes on with it."""
    deaths: list[EngineError] = []
    chat = store.create_chat()
    with closing(load_isolated(model, plan_for(context=8192), on_death=deaths.append)) as engine:
        listener = Listener()
        handle = chats.send(chat.id, "Hallo", engine, listener)
        while not listener.text():
            listener.next()
        os.kill(engine.pid, signal.SIGKILL)
        ended = listener.ended(handle)
    assert (ended.state, ended.error_kind) == ("failed", "engine_died_memory")
    question, answer = store.thread(chat.id)
    assert (question.text, answer.state) == ("Hallo", "failed")
    assert answer.text == listener.text() != ""
    assert len(deaths) == 1
    with closing(load_isolated(model, plan_for(context=4096))) as engine:
        listener = Listener()
        handle = chats.send(chat.id, "Weiter", engine, listener, max_tokens=4)
        assert listener.ended(handle).state == "complete"
    assert len(store.thread(chat.id)) == 4


@pytest.mark.skipif(
    sys.platform != "linux" or "RPC" not in llama().backends(), reason="this engine has no RPC"
)
def test_a_server_that_runs_out_of_memory_costs_layers(
    stage: Stage, tmp_path: Path, pool: Pool
) -> None:
    """It claims the memory of its whole machine, and may have only a little of it."""
    model = write_tiny_model(tmp_path / "wide.gguf", layers=8, width=256, vocab=4096)
    stage.opener._loader._tools = stage.opener._tools = OpenTools()
    _with_pool(stage, tmp_path, pool)
    with rpc_server(limit_bytes=24 << 20) as server:
        pool.use([server])
        opened = stage.opener.open(str(model), Wish(gpu_layers=9, context=1024))
        with closing(opened.engine) as engine:
            assert isinstance(engine.submit(ask("1", "Hallo", 3)).collect(SOON_S)[1], Finished)
    assert opened.steps
    assert opened.steps[-1].after.gpu_layers < 9
