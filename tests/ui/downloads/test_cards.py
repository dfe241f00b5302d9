"""Recommended models and settings: what they ask of the downloads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.common.settings import Settings
from desktop.library.origin import Origin
from desktop.services.downloads import Downloads
from desktop.ui.downloads.downloads_model import DownloadsModel
from desktop.ui.models.page import ModelsPage
from desktop.ui.models.recommended import Recommended
from desktop.ui.rail import CHATS, MODELS, SETTINGS
from desktop.ui.settings.downloads import MEGABYTE, DownloadSettings
from tests.ui.conftest import Driven
from tests.ui.downloads.scenes import model
from tests.ui.downloads.still_downloads import StillDownloads
from tests.ui.stand_ins import MACHINE

Open = Callable[..., Driven]


@pytest.fixture
def queue() -> StillDownloads:
    return StillDownloads()


@pytest.fixture
def driven(open_window: Open, queue: StillDownloads) -> Driven:
    downloads = cast("Downloads", queue)
    return open_window(change=lambda services: replace(services, downloads=downloads))


def cards_of(driven: Driven) -> Recommended:
    driven.window.show_place(MODELS)
    page = driven.window.page(MODELS)
    assert isinstance(page, ModelsPage)
    driven.desk.house.shelf.judge_for(MACHINE)
    section = page.recommended
    driven.until(lambda: section.advice.phase == "known" and section.cards)
    return section


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def _says(button: QPushButton, words: str) -> bool:
    return button.text() == words


def test_a_card_fetches_its_model(driven: Driven, queue: StillDownloads) -> None:
    card = cards_of(driven).cards[0]
    assert card.fetch.text() == "Download"
    assert card.item.model.name in card.fetch.accessibleName()
    click(card.fetch)
    assert queue.asked[-1] == ("add", card.item.file.reference, card.item.model.name)
    driven.until(lambda: card.fetch.text() == "Waiting")
    for state, words in (
        ("running", "Being fetched"),
        ("paused", "Paused"),
        ("failed", "Failed"),
        ("offline", "Waiting"),
    ):
        queue.become("d0", state=state)
        driven.until(partial(_says, card.fetch, words))
    asked = len(queue.asked)
    click(card.fetch)  # where one is on its way, it leads to the downloads
    assert len(queue.asked) == asked


def test_a_card_whose_model_is_here_leads_to_the_chat(
    driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = cards_of(driven)
    card = section.cards[0]
    file = card.item.file
    here = replace(model("Here"), origin=Origin("hub", file.repo, file.reference.partition(":")[2]))
    shelf = driven.desk.house.shelf
    monkeypatch.setattr(type(shelf), "models", property(lambda _self: [here]))
    shelf.changed.emit()
    driven.until(lambda: card.fetch.text() == "Chat now")
    click(card.fetch)
    driven.until(lambda: driven.window.place == CHATS)
    assert driven.desk.house.model.state.name == "Here"


def settings_of(driven: Driven) -> DownloadSettings:
    driven.window.show_place(SETTINGS)
    found = driven.window.page(SETTINGS).findChild(DownloadSettings)
    assert found is not None
    return found


def test_settings_hold_at_once(driven: Driven, queue: StillDownloads) -> None:
    section = settings_of(driven)
    section.limit.setCurrentIndex(section.limit.findData(5 * MEGABYTE))
    section.unmetered.setCurrentIndex(1)
    section.at_once.setCurrentIndex(2)
    assert ("set_limit", 5 * MEGABYTE) in queue.asked
    assert ("set_unmetered_only", True) in queue.asked
    assert ("set_at_once", 3) in queue.asked
    store = driven.services.settings_store
    driven.until(lambda: store.load().downloads_at_once == 3)
    kept = store.load()
    assert (kept.download_limit_bytes_per_s, kept.download_unmetered_only) == (5_000_000, True)


def test_a_limit_that_was_written_by_hand_stays(open_window: Open) -> None:
    driven = open_window(settings=Settings(download_limit_bytes_per_s=1_500_000))
    section = settings_of(driven)
    assert section.limit.currentText() == "1.5 MB/s"
    section.at_once.setCurrentIndex(1)
    assert driven.desk.session.settings.download_limit_bytes_per_s == 1_500_000


def test_there_is_one_model_for_the_whole_window(driven: Driven) -> None:
    assert isinstance(driven.desk.house.downloads, DownloadsModel)
    driven.desk.session.change(language="de")
    driven.until(lambda: driven.window.rail.button(MODELS).text() == "Modelle")
    assert driven.window.downloads_mark.isHidden()
