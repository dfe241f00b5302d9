"""The window as a whole: keys, places, language, theme, what is told, and its end."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget

from desktop.common.errors import StorageError
from desktop.common.settings import Settings
from desktop.hardware.machine import Gpu, Machine, Memory, Note
from desktop.services.wiring import Services
from desktop.ui.geometry import clamped
from desktop.ui.machine.page import MachinePage
from desktop.ui.rail import CHATS, MACHINE, MODELS, SETTINGS
from desktop.ui.settings.page import SettingsPage
from tests.ui.conftest import Driven
from tests.ui.stand_ins import MACHINE as DEMO_MACHINE
from tests.ui.stand_ins import machine_service

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.mark.parametrize(
    ("key", "place"),
    [(Qt.Key.Key_1, CHATS), (Qt.Key.Key_2, MODELS), (Qt.Key.Key_3, MACHINE)],
)
def test_ctrl_and_a_number_goes_to_a_place(driven: Driven, key: Qt.Key, place: str) -> None:
    driven.window.show_place(SETTINGS)
    QTest.keyClick(driven.window, key, CTRL)
    assert driven.window.place == place
    assert driven.window.rail.button(place).isChecked()


def test_ctrl_n_and_ctrl_l_lead_to_the_composer(driven: Driven) -> None:
    driven.window.show_place(MODELS)
    QTest.keyClick(driven.window, Qt.Key.Key_N, CTRL)
    assert driven.window.place == CHATS
    assert driven.window.chats.composer.edit.hasFocus()
    driven.window.chats.focus_search()
    QTest.keyClick(driven.window, Qt.Key.Key_L, CTRL)
    assert driven.window.chats.composer.edit.hasFocus()


def test_whole_talk_with_the_keyboard_alone(driven: Driven) -> None:
    window = driven.window
    QTest.keyClicks(window.chats.composer.edit, "Hello")
    QTest.keyClick(window.chats.composer.edit, Qt.Key.Key_Return)
    driven.asked(1)
    driven.answer("Hi!")
    # Before the first chat stands in it, the list is not there to be reached.
    driven.bot.waitUntil(window.chats.sidebar.list.isVisible)
    seen: set[QWidget] = set()
    for _ in range(60):  # the transcript takes several for itself: its messages and actions
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    chats = window.chats
    assert {chats.sidebar.search, chats.sidebar.list, chats.pill, chats.composer.edit} <= seen
    assert window.rail.button(CHATS) in seen
    window.rail.button(CHATS).setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(window.rail.button(CHATS), Qt.Key.Key_Down)
    assert window.place == MODELS


def test_focus_ring_is_for_the_keyboard_only(driven: Driven) -> None:
    window = driven.window
    QTest.keyClick(window.chats.composer.edit, Qt.Key.Key_Tab)
    assert window.ring.isVisible()
    assert window.ring.target is QApplication.focusWidget()
    focused = QApplication.focusWidget()
    assert isinstance(focused, QWidget)
    QTest.mouseClick(focused, Qt.MouseButton.LeftButton)
    assert not window.ring.isVisible()
    window.chats.sidebar.search.setFocus()
    assert not window.ring.isVisible()


def test_focus_ring_does_not_show_when_a_place_is_left(driven: Driven) -> None:
    assert driven.window.chats.composer.edit.hasFocus()
    driven.window.show_place(MODELS)
    assert not driven.window.ring.isVisible()


@pytest.mark.parametrize("place", [CHATS, MODELS, MACHINE, SETTINGS])
def test_every_control_has_a_name_and_is_large_enough(driven: Driven, place: str) -> None:
    driven.window.show_place(place)
    driven.until(lambda: driven.desk.house.watch.machine is not None)
    least = driven.desk.look.sizes.target
    for kind in (QAbstractButton, QComboBox, QLineEdit):
        for control in driven.window.page(place).findChildren(kind):
            inside = isinstance(control.parent(), QLineEdit)  # the field's own icon
            shown = control.isVisibleTo(driven.window) and not inside
            if shown and control.window() is driven.window:
                name = control.accessibleName() or getattr(control, "text", str)()
                assert name, control
                assert control.height() >= least or control.property("role") == "link", name


def test_language_changes_at_once_and_everything_stays(driven: Driven) -> None:
    QTest.keyClicks(driven.window.chats.composer.edit, "Hello")
    QTest.keyClick(driven.window.chats.composer.edit, Qt.Key.Key_Return)
    driven.asked(1)
    driven.engine.say("Half ")
    QTest.keyClicks(driven.window.chats.composer.edit, "draft")
    driven.desk.session.change(language="de")
    driven.until(lambda: driven.window.rail.button(MODELS).text() == "Modelle")
    assert driven.window.chats.composer.edit.placeholderText() == "Nachricht an Hausgeist …"
    driven.until(lambda: driven.window.chats.composer.text() == "draft")
    driven.until(lambda: driven.shown()[:1] == ["Hello"])
    driven.engine.say("done")
    driven.engine.finish()
    driven.until(lambda: driven.shown() == ["Hello", "Half done"])
    driven.desk.session.change(language="en")
    driven.until(lambda: driven.window.rail.button(MODELS).text() == "Models")


def test_theme_changes_at_once(driven: Driven) -> None:
    driven.desk.session.change(theme="dark")
    assert driven.desk.look.theme.name == "dark"
    assert driven.window.palette().window().color() == driven.desk.look.color("background")
    shown = driven.window.chats.welcome.grab().toImage()
    driven.desk.session.change(theme="light")
    assert driven.window.chats.welcome.grab().toImage() != shown
    assert driven.window.palette().window().color() == driven.desk.look.color("background")
    driven.until(lambda: driven.services.settings_store.load().theme == "light")


def test_system_dark_mode_is_followed(driven: Driven, qapp: QApplication) -> None:
    assert driven.desk.session.settings.theme == "auto"
    # Without a desktop Qt has no system to ask; this is what it tells where it has one.
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    names = [driven.desk.look.theme.name]
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert [*names, driven.desk.look.theme.name] == ["dark", "light"]


def test_settings_page_writes_what_is_chosen(driven: Driven) -> None:
    page = driven.window.page(SETTINGS)
    assert isinstance(page, SettingsPage)
    page.theme.setCurrentIndex(page.theme.findData("dark"))
    page.context.setCurrentIndex(page.context.findData(8192))
    driven.until(lambda: driven.services.settings_store.load().context_tokens == 8192)
    driven.until(lambda: driven.services.settings_store.load().theme == "dark")
    driven.desk.house.model.wake()
    driven.until(lambda: driven.opener.wishes)
    assert driven.opener.wishes[0].context == 8192


def test_machine_place_shows_cards_and_notes(open_window: Callable[..., Driven]) -> None:
    gpu = Gpu("GeForce RTX 4070", "nvidia", "cuda", 12 * 2**30, 11 * 2**30, device="CUDA0")
    machine = replace(DEMO_MACHINE, gpus=(gpu,), notes=(Note.of("npu_unused", name="NPU"),))

    def change(services: Services) -> Services:
        return replace(services, machine_service=machine_service(services.paths, machine))

    driven = open_window(change=change)
    page = driven.window.page(MACHINE)
    assert isinstance(page, MachinePage)
    driven.until(lambda: "GeForce RTX 4070" in page.texts())
    texts = page.texts()
    assert "16 GB" in texts
    assert "8 cores" in texts
    assert any("NPU" in text for text in texts)
    page.refresh_button.click()
    driven.until(lambda: not driven.desk.house.watch.looking)


def test_bare_machine_is_enough_for_the_page(open_window: Callable[..., Driven]) -> None:
    def change(services: Services) -> Services:
        bare = Machine(Memory(4 * 2**30))
        return replace(services, machine_service=machine_service(services.paths, bare))

    driven = open_window(change=change)
    page = driven.window.page(MACHINE)
    assert isinstance(page, MachinePage)
    driven.until(lambda: "4 GB" in page.texts())


def test_problems_of_the_start_are_told(open_window: Callable[..., Driven]) -> None:
    problem = StorageError("chats_damaged", path="a.db", kept_as="a.db.damaged-1", rescued=3)
    driven = open_window(change=lambda services: replace(services, problems=(problem,)))
    driven.until(lambda: driven.window.banners.texts)
    assert "a.db.damaged-1" in driven.window.banners.texts[0]
    driven.window.banners.dismiss("problem.chats_damaged")
    assert driven.window.banners.texts == []


def test_services_that_cannot_be_built_are_a_sentence(
    open_window: Callable[..., Driven], driven: Driven
) -> None:
    driven.desk._not_wired(StorageError("resource_missing", name="models/guide.gguf"))
    assert len(driven.window.banners.texts) == 1


def test_what_nobody_foresaw_is_logged_and_told_without_a_traceback(
    driven: Driven, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        try:
            raise RuntimeError("boom")
        except RuntimeError:
            sys.excepthook(*sys.exc_info())
        driven.until(lambda: driven.window.banners.texts)
    assert "boom" in caplog.text
    assert "Traceback" not in driven.window.banners.texts[0]
    assert "boom" not in driven.window.banners.texts[0]


def test_failing_work_of_a_thread_is_told(driven: Driven, caplog: pytest.LogCaptureFixture) -> None:
    def work() -> None:
        raise ValueError("broken")

    with caplog.at_level(logging.ERROR):
        driven.desk.bridge.run("any", work, lambda _: None, driven.desk.session.tell_error)
        driven.until(lambda: driven.window.banners.texts)
    assert "broken" in caplog.text


def test_window_comes_back_where_it_was(open_window: Callable[..., Driven]) -> None:
    driven = open_window()
    driven.window.setGeometry(40, 30, 700, 500)
    driven.window.close()
    driven.desk.close()
    kept = driven.services.settings_store.load().window_geometry
    assert kept == "40 30 700 500 normal"
    again = open_window()
    assert again.window.geometry() == QRect(40, 30, 700, 500)


@pytest.mark.parametrize(
    "kept", ["", "nonsense", "1 2 3", "0 0 -5 10 normal", "9999999999 0 1 1 x"]
)
def test_unusable_geometry_is_left_alone(open_window: Callable[..., Driven], kept: str) -> None:
    driven = open_window(settings=Settings(window_geometry=kept))
    assert driven.window.width() >= driven.desk.look.sizes.window_min_width


def test_geometry_of_a_screen_that_is_gone_is_brought_back() -> None:
    screen = QRect(0, 0, 1920, 1080)
    assert clamped(QRect(3000, 200, 1200, 800), [screen]) == QRect(720, 200, 1200, 800)
    assert clamped(QRect(-500, -500, 5000, 5000), [screen]) == screen
    second = QRect(1920, 0, 1280, 1024)
    assert clamped(QRect(2000, 100, 800, 600), [screen, second]) == QRect(2000, 100, 800, 600)
    assert clamped(QRect(0, 0, 10, 10), []) == QRect(0, 0, 10, 10)


def wait_for(gate: threading.Event, number: int) -> int:
    assert gate.wait(5)
    return number


def test_lanes_keep_the_order_of_the_work(driven: Driven) -> None:
    done: list[int] = []
    gate = threading.Event()
    for number in range(5):
        driven.desk.bridge.run(
            "order",
            partial(wait_for, gate, number),
            done.append,
            driven.desk.session.tell_error,
        )
    gate.set()
    driven.until(lambda: done == [0, 1, 2, 3, 4])


def test_greeting_stands_above_the_composer_in_a_wide_window(driven: Driven) -> None:
    driven.window.resize(1900, 1000)
    chats = driven.window.chats

    def middle(widget: QWidget) -> int:
        return widget.mapTo(driven.window, widget.rect().center()).x()

    driven.until(lambda: abs(middle(chats.welcome.machine_card) - middle(chats.composer)) <= 1)
