"""A model's own settings reach every answer, and what is asked for explicitly wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import StorageError
from desktop.engine.chat import Chat, Message
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Wish
from desktop.gguf.reader import read_header
from desktop.library.library import Library
from desktop.services.crash_marker import CrashMarker
from desktop.services.model_settings import ModelSettings, ModelSettingsService, in_metadata
from desktop.services.settled_engine import SettledEngine
from tests.gguf_files import LlamaShape
from tests.services.fake_engine import FakeEngine
from tests.services.opening import Stage
from tests.tiny_models import write_tiny_model

COLD = ModelSettings(temperature=0.1, top_k=5)


def test_without_settings_the_engine_is_as_it_is() -> None:
    engine = FakeEngine([["ja"]])
    said = Chat((Message("user", "Hallo"),))
    for settings in (ModelSettings(), ModelSettings(context_tokens=512, template="x")):
        settled = SettledEngine(engine, lambda settings=settings: settings)  # type: ignore[misc]
        assert settled.info is engine.info
        assert settled.render(said) == engine.render(said)


def test_sampling_and_system_prompt_from_the_next_answer_on() -> None:
    now = [ModelSettings(temperature=0.1, system_prompt=" Kurz. ")]
    engine = SettledEngine(FakeEngine([["ja"]]), lambda: now[0])
    assert engine.info.sampling == Sampling(temperature=0.1)
    rendered = engine.render(chat := Chat((Message("user", "Hallo"),)))
    assert "Kurz." in rendered.prompt
    explicit = engine.render(Chat((Message("system", "Lang."), *chat.messages)))
    assert "Kurz." not in explicit.prompt
    assert "Lang." in explicit.prompt
    now[0] = ModelSettings(top_k=7)
    assert engine.info.sampling == Sampling(top_k=7)
    assert "Kurz." not in engine.render(chat).prompt


def test_thinking_as_the_person_chose_unless_the_chat_says_otherwise() -> None:
    inner = FakeEngine([["ja"], ["ja"], ["ja"]])
    engine = SettledEngine(inner, lambda: ModelSettings(reasoning="off"))
    chat = Chat((Message("user", "Hallo"),))
    chats = (chat, replace(chat, reasoning="on"), replace(chat, reasoning_effort="high"))
    for number, one in enumerate(chats):
        engine.submit(Request(str(number), chat=one)).collect(5.0)
    wishes = [request.chat.reasoning for request in inner.requests if request.chat]
    assert wishes == ["off", "on", "auto"]
    assert engine.info is inner.info


def test_what_the_file_recommends_stays_below(tmp_path: Path) -> None:
    more = {
        "general__sampling__temp": 0.6,
        "general__sampling__top_k": 20,
        "tokenizer__chat_template": "T",
    }
    header = read_header(LlamaShape().write(tmp_path / "m.gguf", **more))  # type: ignore[arg-type]
    found = in_metadata(header)
    assert found.temperature == pytest.approx(0.6)
    assert (found.top_k, found.top_p, found.template) == (20, None, "T")
    wrong = {"general__sampling__temp": -3.0, "general__sampling__top_k": "many"}
    header = read_header(LlamaShape().write(tmp_path / "w.gguf", **wrong))  # type: ignore[arg-type]
    assert in_metadata(header) == ModelSettings()


def test_the_service_by_name(tmp_path: Path, tiny_model: Path) -> None:
    library = Library.open(tmp_path / "l.db", tiny_model)
    path = LlamaShape().write(tmp_path / "m.gguf", general__sampling__temp=0.6)
    name = library.add(path, settings=ModelSettings(top_p=0.8, min_p=0.2)).name
    service = ModelSettingsService(library)
    service.keep(name, ModelSettings(min_p=0.01))
    assert service.own(name) == ModelSettings(min_p=0.01)
    defaults = service.defaults(name)
    assert (defaults.top_p, defaults.min_p) == (0.8, 0.2)
    assert defaults.temperature == pytest.approx(0.6)
    assert service.used(name) == ModelSettings(top_p=0.8, min_p=0.01)
    service.reset(name)
    assert service.own(name) == ModelSettings()
    path.unlink()
    assert service.defaults(name) == ModelSettings(top_p=0.8, min_p=0.2)
    service.keep("guide", COLD)
    assert service.own("Guide") == COLD
    library.close()


@pytest.fixture
def stage(tmp_path: Path, tiny_model: Path) -> Stage:
    return Stage(tmp_path, tiny_model, CrashMarker(tmp_path / "running.json"))


def test_opening_uses_them(stage: Stage, tmp_path: Path) -> None:
    model = stage.library.add(write_tiny_model(tmp_path / "m.gguf", seed=5))
    settings = ModelSettings(
        context_tokens=512, temperature=0.2, template="{{ messages[0].content }}"
    )
    stage.library.model_settings.keep(model.content, settings)
    opened = stage.opener.open(model.name, Wish(), usual_context=1024)
    assert stage.loaded[-1].context == 512
    assert stage.template == settings.template
    assert isinstance(opened.engine, SettledEngine)
    assert opened.engine.info.sampling is not None
    assert opened.engine.info.sampling.temperature == 0.2
    stage.opener.open(model.name, Wish(context=768), usual_context=1024)
    assert stage.loaded[-1].context == 768
    stage.library.model_settings.keep(model.content, ModelSettings())
    stage.opener.open(model.name, Wish(), usual_context=1024)
    assert (stage.loaded[-1].context, stage.template) == (1024, None)


def test_settings_that_cannot_be_read_do_not_keep_a_model_shut(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = stage.library.add(write_tiny_model(tmp_path / "m.gguf", seed=5))

    def fail(_content: str) -> ModelSettings:
        raise StorageError("not_readable", path="x")

    monkeypatch.setattr(stage.library.model_settings, "own", fail)
    assert stage.opener.open(model.name, Wish()).name == model.name
