"""What a model has read of a chat lies where the settings allow it, and goes with the chat."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from desktop.common.settings import Settings
from desktop.engine.events import Finished
from desktop.engine.isolated import IsolatedEngine
from desktop.engine.local import LocalEngine
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.services.kept_states import KeptStates
from tests.engine.driving import plan_for
from tests.tiny_models import speak_signs_only, write_tiny_model

PROMPT = "Erzähl mir etwas von früher. " * 12
SOON_S = 60.0


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "model.gguf", seed=3, change=speak_signs_only)


def _kept(tmp_path: Path, settings: Settings | None = None) -> KeptStates:
    return KeptStates(
        tmp_path / "states",
        lambda: settings or Settings(),
        memory_bytes=8 << 30,
        free_disk_bytes=lambda _: 100 << 30,
    )


def _ask(engine: LocalEngine | IsolatedEngine, name: str, prompt: str) -> tuple[str, Finished]:
    greedy = Sampling(temperature=0.0)
    request = Request(name, prompt, 8, sampling=greedy, ignore_eos=True, conversation="chat")
    text, end = engine.submit(request).collect(SOON_S)
    assert isinstance(end, Finished)
    return text, end


def _files(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "states").glob("*"))


@pytest.mark.parametrize("apart", [False, True])
def test_after_a_restart_the_chat_goes_on_at_once(tmp_path: Path, model: Path, apart: bool) -> None:
    kept = _kept(tmp_path)
    load = kept.load_apart if apart else kept.load
    with closing(load(model, plan_for())) as engine:
        text, _ = _ask(engine, "1", PROMPT)
    assert len(_files(tmp_path)) == 1
    with closing(load(model, plan_for())) as engine:
        _, end = _ask(engine, "2", f"{PROMPT}{text} Und dann?")
    assert end.stats.restored == "disk"
    assert end.stats.cached_tokens > 0.9 * end.stats.prompt_tokens


@pytest.mark.parametrize("apart", [False, True])
def test_a_deleted_chat_leaves_nothing_behind(tmp_path: Path, model: Path, apart: bool) -> None:
    kept = _kept(tmp_path)
    load = kept.load_apart if apart else kept.load
    with closing(load(model, plan_for())) as engine:
        _ask(engine, "1", PROMPT)
    assert len(_files(tmp_path)) == 1
    with closing(load(model, plan_for())) as engine:
        _ask(engine, "2", PROMPT)
        kept.forget("chat")
        assert _files(tmp_path) == []
        _, end = _ask(engine, "3", f"{PROMPT} Noch einmal.")
    assert end.stats.restored == ""
    assert _files(tmp_path) == []


def test_who_does_not_want_it_has_nothing_on_the_disk(tmp_path: Path, model: Path) -> None:
    with closing(_kept(tmp_path).load(model, plan_for())) as engine:
        _ask(engine, "1", PROMPT)
    assert len(_files(tmp_path)) == 1
    off = _kept(tmp_path, Settings(keep_states=False))
    assert off.keeping().folder is None
    assert _files(tmp_path) == []
    with closing(off.load(model, plan_for())) as engine:
        _ask(engine, "2", PROMPT)
    off.close()
    assert _files(tmp_path) == []


def test_memory_and_disk_are_shares_of_what_there_is(tmp_path: Path) -> None:
    keeping = _kept(tmp_path).keeping()
    assert keeping.memory_bytes == 1 << 30
    assert keeping.disk_bytes == 16 << 30
    small = KeptStates(
        tmp_path, Settings, memory_bytes=4 << 30, free_disk_bytes=lambda _: 2 << 30
    ).keeping()
    assert (small.memory_bytes, small.disk_bytes) == (512 << 20, 512 << 20)
