"""A view with a known size, and turns to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.ui.tokens import LIGHT
from desktop.ui.transcript.blocks import Kit
from desktop.ui.transcript.extract import visible_text
from desktop.ui.transcript.formats import Formats
from desktop.ui.transcript.languages import LexerShelf
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.view import TranscriptView

MakeTurn = Callable[..., ViewTurn]


def user(number: int, text: str) -> ViewTurn:
    return ViewTurn(number, "user", text, can_edit=True)


def assistant(number: int, text: str, **more: object) -> ViewTurn:
    fields: dict[str, object] = {
        "author": "Hausgeist",
        "detail": "Guide",
        "footer": "3 s",
        "can_regenerate": True,
        **more,
    }
    return ViewTurn(number, "assistant", text, **fields)  # type: ignore[arg-type]


def dialogue(messages: int) -> list[ViewTurn]:
    """A conversation of short messages, numbered from 1."""
    return [
        user(number, f"Question {number}\nwith two lines")
        if number % 2
        else assistant(number, f"Answer {number}.\n\n- one\n- two\n\nThe **end** of {number}.")
        for number in range(1, messages + 1)
    ]


def shown(stage: Stage) -> str:
    """All text of the stage as it is seen."""
    parts = [visible_text(stage.layout(row).blocks) for row in range(len(stage.rows))]
    return "\n".join(parts)


@pytest.fixture
def stage(qapp: QApplication) -> Stage:
    assert qapp is not None
    return Stage(Kit(Formats(LIGHT), LexerShelf()))


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[TranscriptView]:
    made = TranscriptView(LIGHT)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
