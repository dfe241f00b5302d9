"""What an answer cost, told below the chat: only what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication

from desktop.common.messages import Messages
from desktop.common.wording import format_energy
from desktop.engine.events import Stats
from desktop.services.open_progress import OpenedRemote
from desktop.ui.chats.cost_words import CostWords
from tests.ui.conftest import Driven
from tests.ui.test_talking import ask

MEASURED = Stats(
    prompt_tokens=1200,
    cached_tokens=1116,
    completion_tokens=121,
    prompt_s=0.4,
    generation_s=5.0,
    first_token_s=0.42,
    reasoning_tokens=21,
    energy_j=75.6,
    energy_method="cpu",
)


def test_in_full(qapp: QApplication) -> None:
    del qapp
    assert CostWords(Messages("en")).full(MEASURED).splitlines() == [
        "first word after 0.4 s",
        "Read: 1,200 tokens (93 % of them known from before)",
        "Written: 121 tokens (21 of them in thought), 24 tokens/s",
        "Energy: 0.021 Wh (counted by the processor, with everything that ran on it meanwhile)",
    ]


def test_nothing_is_said_of_what_nobody_measured(qapp: QApplication) -> None:
    del qapp
    words = CostWords(Messages("en"))
    assert words.short(Stats(first_token_s=12.4)) == "first word after 12 s"
    assert "Wh" not in words.full(Stats(completion_tokens=3))


@pytest.mark.parametrize(
    ("wh", "said"),
    [
        (0.0, "0.00000"),
        (0.000021, "0.00002"),
        (0.0021, "0.0021"),
        (0.021, "0.021"),
        (0.2149, "0.21"),
        (1.449, "1.4"),
        (12.6, "13"),
        (1234.0, "1,234"),
    ],
)
def test_two_digits_that_say_something(wh: float, said: str) -> None:
    assert format_energy(wh, "en") == said


def test_told_below_the_chat(driven: Driven) -> None:
    status = driven.window.chats.status
    driven.window.resize(1400, 800)
    ask(driven, "What is a model?")
    driven.engine.say("A file.")
    assert not status.cost.isVisible()
    driven.engine.finish()
    driven.until(lambda: status.cost.isVisible())
    assert "first word after" in status.cost.text()
    assert "Written" in status.cost.toolTip()
    driven.window.resize(760, 560)
    driven.until(lambda: not status.cost.isVisible())


def test_what_leaves_the_computer_is_said(driven: Driven) -> None:
    model, status = driven.desk.house.model, driven.window.chats.status
    ask(driven, "What is a model?")
    driven.until(lambda: model.state.phase == "ready")
    engine = model.state.engine
    assert engine is not None
    driven.engine.finish()
    driven.until(lambda: status.meter.isVisible())
    away = OpenedRemote("m", engine, "Office", "office.example", leaves_computer=True)
    model._set(replace(model.state, name="remote:Office/m", opened=away))
    assert status.where == "Goes to “Office”, off this computer"
