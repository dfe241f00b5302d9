"""The offline switch, in the rail and in the settings, and the list of what left this computer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from desktop.common.errors import NetworkError
from desktop.common.settings import Settings, SettingsStore
from desktop.services.network import Network
from desktop.services.wiring import Services
from desktop.ui.rail import SETTINGS
from desktop.ui.settings.page import SettingsPage
from tests.ui.conftest import Driven


def settings_page(driven: Driven) -> SettingsPage:
    page = driven.window.page(SETTINGS)
    assert isinstance(page, SettingsPage)
    return page


def words(page: SettingsPage) -> str:
    labels = page.connections.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if not label.isHidden())


def test_the_switch_in_the_rail_closes_the_door(driven: Driven) -> None:
    policy = driven.services.network.policy
    page = settings_page(driven)
    assert not driven.window.rail.offline.isChecked()
    driven.window.rail.offline.click()
    driven.until(lambda: policy.is_offline)
    assert page.offline.currentData() is True
    with pytest.raises(NetworkError, match="offline_setting"):
        driven.services.network.remote_models.header("maker/model:Q4_0")
    assert "no connection" in driven.window.rail.offline.toolTip()
    driven.window.rail.offline.click()
    driven.until(lambda: not policy.is_offline)
    assert page.offline.currentData() is False


def test_the_settings_say_the_same(driven: Driven) -> None:
    page = settings_page(driven)
    page.offline.setCurrentIndex(1)
    driven.until(lambda: driven.services.network.policy.is_offline)
    assert driven.window.rail.offline.isChecked()


def test_it_stays_so_after_a_restart(open_window: Callable[..., Driven]) -> None:
    driven = open_window(settings=Settings(offline=True))
    assert driven.window.rail.offline.isChecked()
    assert settings_page(driven).offline.currentData() is True


def test_what_the_environment_demands_cannot_be_turned(
    open_window: Callable[..., Driven], hausgeist_home: Path
) -> None:
    def offline(services: Services) -> Services:
        store = SettingsStore(services.paths.settings_file)
        network = Network(services.paths, store, {"HAUSGEIST_OFFLINE": "1"})
        return replace(services, network=network)

    driven = open_window(change=offline)
    driven.until(lambda: driven.window.rail.offline.isChecked())
    assert not driven.window.rail.offline.isEnabled()
    page = settings_page(driven)
    assert not page.offline.isEnabled()
    assert page.offline.currentData() is True
    assert "HAUSGEIST_OFFLINE" in page.forced.text()


def test_the_list_of_connections(driven: Driven) -> None:
    ledger = driven.services.network.ledger
    page = settings_page(driven)
    page.show_list.click()
    driven.until(lambda: "No connection" in words(page))
    page.show_list.click()
    assert page.connections.isHidden()
    first = ledger.begin("hub_listing", "huggingface.co", "maker/model")
    ledger.end(first, "ok", status=200, received_bytes=1234)
    ledger.end(ledger.begin("hub_header", "cdn.example"), "connection_cut")
    page.show_list.click()
    driven.until(lambda: "huggingface.co" in words(page))
    shown = words(page)
    assert shown.index("cdn.example") < shown.index("huggingface.co")  # the newest first
    assert "What files a model has: maker/model" in shown
    assert "1.2 kB" in shown
    assert "failed" in shown
    page.connections.forget.click()
    driven.until(lambda: "No connection" in words(page))
    assert ledger.entries() == ()
