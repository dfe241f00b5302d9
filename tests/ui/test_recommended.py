"""The section "Recommended for this computer" and the details of models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from desktop.common.errors import CancelledError, NetworkError, StorageError
from desktop.common.messages import Messages
from desktop.common.settings import Settings
from desktop.engine.cancel import CancelToken
from desktop.fit.planner import plan
from desktop.fit.types import Wish
from desktop.hardware.machine import Machine, Memory
from desktop.library.catalog import shipped_catalog
from desktop.services.catalog_updates import Refreshed
from desktop.ui.mine.details import ModelDetails
from desktop.ui.models import advice
from desktop.ui.models.page import ModelsPage
from desktop.ui.models.recommended import Recommended
from desktop.ui.parts.button import Button
from desktop.ui.rail import MODELS
from tests.fit.machines import laptop
from tests.ui.conftest import Driven
from tests.ui.stand_ins import MACHINE
from tests.ui.stand_ins import report as stand_in_report


def page_of(driven: Driven) -> ModelsPage:
    driven.window.show_place(MODELS)
    page = driven.window.page(MODELS)
    assert isinstance(page, ModelsPage)
    return page


def known(driven: Driven) -> Recommended:
    """The section once it knows what to recommend."""
    section = page_of(driven).recommended
    driven.desk.house.shelf.judge_for(MACHINE)
    driven.until(lambda: section.advice.phase == "known" and section.cards)
    return section


def words(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_cards_say_why_and_under_which_licence(driven: Driven) -> None:
    section = known(driven)
    assert len(section.cards) == 3
    best = section.cards[0]
    said = words(best)
    assert best.item.model.name in said
    assert best.reason() in said
    assert "Best" in said
    assert any("office use" in text for text in said)
    assert any("tokens/s" in text for text in said)
    assert best.accessibleName() == best.item.model.name
    assert best.item.model.name in best.copy.accessibleName()


def test_nothing_is_asked_of_the_network(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    card = known(driven).cards[0]
    click(card.copy)
    assert QGuiApplication.clipboard().text() == f"https://huggingface.co/{card.item.file.repo}"
    driven.until(lambda: driven.window.toast.text == "The address is copied.")
    assert opened == []
    assert driven.services.downloads.all() == ()


def test_more_suggestions_on_request(driven: Driven) -> None:
    section = known(driven)
    assert section.more.isVisibleTo(section)
    click(section.more)
    assert len(section.cards) == len(section.advice.found) > 3
    assert not section.more.isVisibleTo(section)


def test_details_open_below_and_close_again(driven: Driven) -> None:
    section = known(driven)
    first, second = section.cards[:2]
    click(first.fold)
    assert section.details is not None
    names = [name for name, _ in section.details.lines]
    assert {"Main memory", "Context", "Licence", "Released", "Name for commands"} <= set(names)
    assert first.fold.text() == "Less"
    click(second.fold)
    assert (first.fold.text(), second.fold.text()) == ("Details", "Less")
    click(second.fold)
    assert [card.fold.text() for card in section.cards[:2]] == ["Details", "Details"]
    assert section.opened is None


def test_another_task_shows_other_models(driven: Driven) -> None:
    section = known(driven)
    section.task.pick("embedding")
    driven.until(lambda: section.advice.phase == "known")
    assert all("embedding" in card.item.model.tasks for card in section.cards)
    assert section.task.text() == "Task: Finding texts"


def test_german_is_preferred_in_a_german_window(
    open_window: Callable[..., Driven],
) -> None:
    section = known(open_window(settings=Settings(language="de")))
    assert section.advice.language == "de"
    assert section.cards[0].item.model.german
    assert "Am besten" in words(section.cards[0])


def test_a_machine_for_nothing_gets_a_kind_word(driven: Driven) -> None:
    section = known(driven)
    driven.desk.house.shelf.judge_for(Machine(Memory(2**30, 2**20)))
    driven.until(lambda: section.advice.phase == "known" and not section.cards)
    assert "built-in guide" in section.state.text()
    assert section.state.isVisibleTo(section)
    cards = page_of(driven).recommended.findChildren(QWidget)
    assert not any(
        c.isVisible() and c.text() == "All versions" for c in cards if isinstance(c, Button)
    )


def test_before_the_machine_is_known_it_says_that_it_looks(driven: Driven) -> None:
    section = page_of(driven).recommended
    if section.advice.phase in ("waiting", "looking"):
        assert "Looking" in section.state.text()


def test_a_missing_catalogue_is_a_sentence(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StorageError("resource_missing", name="catalog/catalog.json")

    monkeypatch.setattr(advice, "recommend", broken)
    section = page_of(driven).recommended
    driven.desk.house.shelf.judge_for(MACHINE)
    driven.until(lambda: section.advice.phase == "failed")
    assert section.state.text()
    assert section.cards == []


def test_only_the_last_question_is_answered(driven: Driven) -> None:
    section = known(driven)
    for task in ("code", "vision", "chat", "embedding"):
        section.task.pick(task)
    driven.until(lambda: section.advice.phase == "known")
    assert {card.item.label for card in section.cards} >= {"best"}
    assert all("embedding" in card.item.model.tasks for card in section.cards)


@pytest.mark.parametrize("width", [640, 760, 1180])
def test_it_fits_into_every_window(driven: Driven, width: int) -> None:
    driven.window.resize(width, 700)
    section = known(driven)
    page = page_of(driven)
    driven.until(lambda: section.width() <= page.home.viewport().width())
    for card in section.cards:
        assert card.minimumSizeHint().width() <= card.width()
        assert card.mapTo(page, card.rect().topRight()).x() < page.home.viewport().width()


def test_by_keyboard_the_cards_come_before_what_stands_below(driven: Driven) -> None:
    """They are made last, and stood behind all rows of "My models"."""
    section = known(driven)
    section.renew.setFocus()
    QApplication.processEvents()
    for card in section.cards:
        for button in (card.fetch, card.fold, card.copy):
            focused = QApplication.focusWidget()
            assert focused is not None
            QTest.keyClick(focused, Qt.Key.Key_Tab)
            assert QApplication.focusWidget() is button


def test_looking_for_news_only_by_a_click(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    section = known(driven)
    asked: list[object] = []
    gate = threading.Event()

    def refresh(*, on_progress: Callable[[int, int], None], cancel: object) -> Refreshed:
        asked.append(cancel)
        on_progress(1, 3)
        gate.wait(5)
        return Refreshed(3, ())

    updates = driven.services.network.catalog
    monkeypatch.setattr(updates, "refresh", refresh)
    monkeypatch.setattr(updates, "fetch_headers", lambda *_, **__: 0)
    assert asked == []
    click(section.renew)
    driven.until(lambda: "1 of 3" in section.renew.text())
    gate.set()
    driven.until(lambda: driven.window.toast.text == "The suggestions are up to date.")
    assert len(asked) == 1
    assert section.renew.text() == "Check for new models"


def test_looking_for_news_offline_is_a_sentence(
    open_window: Callable[..., Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    driven = open_window()
    section = known(driven)

    def offline(**_: object) -> None:
        raise NetworkError("offline_setting")

    monkeypatch.setattr(driven.services.network.catalog, "refresh", offline)
    click(section.renew)
    driven.until(lambda: driven.window.banners.texts)
    assert "offline" in driven.window.banners.texts[0]
    assert not section.advice.refreshing


def test_looking_for_news_can_be_stopped(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    section = known(driven)

    def refresh(*, on_progress: Callable[[int, int], None], cancel: CancelToken) -> Refreshed:
        on_progress(1, 3)
        while not cancel.cancelled:
            threading.Event().wait(0.01)
        raise CancelledError

    monkeypatch.setattr(driven.services.network.catalog, "refresh", refresh)
    click(section.renew)
    driven.until(lambda: "stop" in section.renew.text())
    click(section.renew)
    driven.until(lambda: not section.advice.refreshing)
    assert driven.window.banners.texts == []


@pytest.mark.parametrize("language", ["de", "en"])
def test_details_say_what_would_do_instead(driven: Driven, language: str) -> None:
    """A 70B model on a laptop: each device, the rule of thumb with its error, what else."""
    large = shipped_catalog().get("llama-3.3-70b")
    assert large is not None
    header = large.header(large.files[0])
    assert header is not None
    report = plan(laptop(64, 56), header, Wish())
    assert report.alternatives
    messages = Messages("de" if language == "de" else "en")
    details = ModelDetails(driven.desk.house.look, messages, report, [])
    names = [name for name, _ in details.lines]
    assert names.count("Instead") == len(report.alternatives)
    for _, value in details.lines:
        assert value
        assert "{" not in value
        assert "fit." not in value
    details.deleteLater()


def test_the_rule_of_thumb_stands_with_its_error(driven: Driven) -> None:
    def said(rule: float) -> str:
        report = replace(made, rule_of_thumb_bytes=int(made.total_bytes * rule))
        details = ModelDetails(driven.desk.house.look, Messages("en"), report, [])
        details.deleteLater()
        return dict(details.lines)["Rule of thumb"]

    made = stand_in_report()
    assert "14 % too little" in said(0.86)
    assert "20 % too much" in said(1.2)
    assert "about right" in said(1.001)
