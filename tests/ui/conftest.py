"""A whole window on real stores, with an engine that says what the test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import Desk
from desktop.common.settings import Settings
from desktop.services.start import begin
from desktop.services.wiring import Services
from desktop.ui.instance import Instance
from desktop.ui.window import MainWindow
from tests.ui.stand_ins import ScriptedEngine, ScriptedOpener, make_services

Change = Callable[[Services], Services]


@pytest.fixture(autouse=True, scope="session")
def _empty_clipboard() -> Iterator[None]:
    """The offscreen platform keeps what was copied until after Python's end, and dies of it."""
    yield
    if QApplication.instance() is not None:
        QApplication.clipboard().clear()


@dataclass
class Driven:
    """One window under test."""

    desk: Desk
    opener: ScriptedOpener
    services: Services
    bot: QtBot

    @property
    def window(self) -> MainWindow:
        return self.desk.window

    @property
    def engine(self) -> ScriptedEngine:
        return self.opener.engine

    def until(self, condition: Callable[[], object]) -> None:
        """Let the window work until it is so."""
        self.bot.waitUntil(lambda: bool(condition()), timeout=5000)

    def shown(self) -> list[str]:
        """The texts of the transcript."""
        return [turn.text for turn in self.window.chats.transcript.turns]

    def titles(self) -> list[str]:
        """The chats in the sidebar, without the headings."""
        rows = self.window.chats.sidebar.rows
        indexes = [rows.index(number) for number in range(rows.rowCount())]
        return [str(i.data()) for i in indexes if i.flags()]

    def asked(self, count: int) -> None:
        """Wait until the engine was asked for its `count`th answer."""
        self.until(lambda: self.opener.engines and len(self.engine.requests) == count)

    def answer(self, text: str) -> None:
        """Let the engine answer what was asked last, to the end."""
        self.engine.say(text)
        self.engine.finish()
        self.until(lambda: self.desk.house.conversation.running() is None)


@pytest.fixture
def open_window(
    qtbot: QtBot, qapp: QApplication, hausgeist_home: Path, tiny_model: Path
) -> Iterator[Callable[..., Driven]]:
    """Open windows on the test's home; each is closed at the end."""
    opened: list[Driven] = []

    def make(
        *,
        change: Change = lambda services: services,
        files: tuple[Path, ...] = (),
        settings: Settings | None = None,
    ) -> Driven:
        env = {"HAUSGEIST_HOME": str(hausgeist_home), "LANG": "en_US.UTF-8"}
        qapp.setStyle("Fusion")
        start = begin(env)
        if settings is not None:
            start.settings_store.save(replace(settings))
            start = begin(env)
        opener = ScriptedOpener()
        services = change(make_services(env, tiny_model, opener))
        instance = Instance(start.paths.data_dir, env)
        assert instance.is_first()
        desk = Desk(qapp, start, env, instance, lambda _env: services)
        driven = Driven(desk, opener, services, qtbot)
        opened.append(driven)
        desk.open(list(files))
        desk.window.activateWindow()
        with qtbot.waitActive(desk.window):
            pass
        driven.until(lambda: desk.house.chats.loaded and desk.house.shelf.loaded)
        return driven

    yield make
    for driven in opened:
        driven.window.close()
        driven.desk.close()
        driven.window.deleteLater()


@pytest.fixture
def driven(open_window: Callable[..., Driven]) -> Driven:
    """A window as at the first start."""
    return open_window()
