"""Other computers' memory in the settings: added once they answer, asked again, let go."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.common.errors import EngineError
from desktop.hardware.machine import Device
from desktop.ui.parts.button import IconButton
from desktop.ui.parts.text import Tag
from desktop.ui.settings.page import SettingsPage
from desktop.ui.settings.pool import PoolSettings
from tests.ui.conftest import Driven

GIB = 1 << 30


@pytest.fixture
def server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _settings(driven: Driven) -> PoolSettings:
    driven.window.show_place("settings")
    page = driven.window.page("settings")
    assert isinstance(page, SettingsPage)
    services = driven.desk.house.session.services
    assert services is not None
    services.pool._ask = lambda _server, _limit: (Device("RPC0", "x", "gpu", 8 * GIB, 6 * GIB),)
    return page.pool


def _type(pool: PoolSettings, text: str) -> None:
    QTest.keyClicks(pool.field, text)
    QTest.keyClick(pool.field, Qt.Key.Key_Return)


def _words(pool: PoolSettings) -> list[str]:
    return [tag.text() for tag in pool.findChildren(Tag) if tag.text()]


def test_a_computer_that_answers_is_kept_and_may_be_let_go(driven: Driven, server: str) -> None:
    pool = _settings(driven)
    _type(pool, server)
    session = driven.desk.house.session
    driven.until(lambda: session.settings.pool_servers == (server,))
    driven.until(lambda: _words(pool) == ["lends up to 6 GB"])
    assert pool.field.text() == ""
    names = [button.accessibleName() for button in pool.findChildren(IconButton)]
    assert names == [f"Ask “{server}” now", f"Do without the memory of “{server}”"]
    services = session.services
    assert services is not None

    def gone(_server: str, _limit: float) -> tuple[Device, ...]:
        raise EngineError("pool_server_silent", server=server)

    services.pool._ask = gone
    pool.ask(server)
    driven.until(lambda: _words(pool) == ["not reachable"])
    pool.remove(server)
    assert session.settings.pool_servers == ()
    driven.until(lambda: _words(pool) == [])


@pytest.mark.parametrize("address", ["what is this", "8.8.8.8:50052", "127.0.0.1:9"])
def test_what_cannot_be_used_is_said_and_not_kept(driven: Driven, address: str) -> None:
    pool = _settings(driven)
    _type(pool, address)
    driven.until(lambda: pool.problem.isVisibleTo(pool))
    assert address.split(":")[0] in pool.problem.text()
    assert driven.desk.house.session.settings.pool_servers == ()
    QTest.keyClicks(pool.field, "x")
    assert not pool.problem.isVisibleTo(pool)


def test_the_switch_for_a_process_of_its_own(driven: Driven) -> None:
    _settings(driven)
    page = driven.window.page("settings")
    assert isinstance(page, SettingsPage)
    page.isolate.setCurrentIndex(1)
    assert driven.desk.house.session.settings.isolate is True
