"""Opening and talking with llama.cpp itself, on the tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.engine.events import Finished
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Wish
from desktop.services.open_progress import OpenedModel
from desktop.services.wiring import Services, build
from tests.services.listening import Listener

CALM = Sampling(temperature=0.0, seed=1)
WISH = Wish(context=1024, threads=1)


@pytest.fixture
def services(hausgeist_home: Path) -> Iterator[Services]:
    built = build({"HAUSGEIST_HOME": str(hausgeist_home)})
    yield built
    built.close()


@pytest.fixture
def opened(services: Services, tiny_model: Path) -> Iterator[OpenedModel]:
    model = services.opener.open(str(tiny_model), WISH)
    assert isinstance(model, OpenedModel)
    yield model
    model.engine.close()


def test_two_turns_on_one_model(services: Services, opened: OpenedModel) -> None:
    assert opened.report.method == "dry_run"
    assert opened.steps == ()
    chat = services.store.create_chat()
    for question in ("Hallo", "Noch einmal"):
        listener = Listener()
        handle = services.chat_service.send(
            chat.id, question, opened.engine, listener, sampling=CALM, max_tokens=8
        )
        ended = listener.ended(handle)
        assert ended.state == "complete"
        assert ended.stats is not None
    # The second turn does not read the first again.
    assert listener.started().cached_tokens > 0
    turns = services.store.thread(chat.id)
    assert [turn.role for turn in turns] == ["user", "assistant"] * 2
    assert turns[-1].text == listener.text()


def test_a_long_chat_goes_on_when_the_context_is_full(
    services: Services, opened: OpenedModel
) -> None:
    chat = services.store.create_chat()
    left_out = 0
    for number in range(6):
        listener = Listener()
        handle = services.chat_service.send(
            chat.id, f"{number} " + "Wort " * 80, opened.engine, listener,
            sampling=CALM, max_tokens=4,
        )  # fmt: skip
        assert listener.ended(handle).state == "complete"
        left_out = listener.started().left_out_turns
        assert listener.started().prompt_tokens < 1024
    assert left_out > 0


def test_the_second_opening_needs_no_trial(
    services: Services, opened: OpenedModel, tiny_model: Path
) -> None:
    opened.engine.close()
    stages: list[str] = []
    again = services.opener.open(
        str(tiny_model),
        WISH,
        on_progress=lambda progress: stages.append(progress.stage),
        fresh=True,
    )
    again.engine.close()
    assert "loading" in stages
    assert "probing" not in stages
    assert again.report is not None
    assert again.report.plan == opened.report.plan


def test_several_models_stay_loaded_and_the_way_back_loads_nothing(
    services: Services, opened: OpenedModel
) -> None:
    opened.engine.close()
    guide = services.opener.open("guide", WISH)
    stages: list[str] = []
    back = services.opener.open(
        str(opened.engine.info.path),
        WISH,
        on_progress=lambda progress: stages.append(progress.stage),
    )
    assert stages == []
    assert len(services.opener.loaded()) == 2
    assert set(services.held.by_device()) == {"CPU"}
    for engine in (guide.engine, back.engine):
        stream = engine.submit(Request("r", "Hallo", max_tokens=2, sampling=CALM))
        assert isinstance(stream.collect(20)[1], Finished)
    services.opener.close()
    assert services.held.in_use() == {}


def test_both_conversations_on_one_model_at_once(services: Services, opened: OpenedModel) -> None:
    chats = [services.store.create_chat() for _ in range(2)]
    listeners = [Listener() for _ in chats]
    handles = [
        services.chat_service.send(
            chat.id, "Hallo", opened.engine, listener, sampling=CALM, max_tokens=8
        )
        for chat, listener in zip(chats, listeners, strict=True)
    ]
    states = [
        listener.ended(handle).state for listener, handle in zip(listeners, handles, strict=True)
    ]
    assert states == ["complete", "complete"]
