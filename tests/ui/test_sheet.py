"""Dialogs: as high as they need, never larger than their window, by keyboard too."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from desktop.ui.focus_ring import FocusRing
from desktop.ui.look import Look
from desktop.ui.parts.confirm import Confirm
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Text
from desktop.ui.parts.tick import Radio, Tick
from tests.ui.conftest import Driven


def opened(driven: Driven, lines: int) -> Sheet:
    look: Look = driven.desk.house.look
    sheet = Sheet(look, "A title", driven.window)
    for number in range(lines):
        sheet.content.addWidget(Text(f"line {number}"))
    sheet.open()
    sheet.fit()
    return sheet


def test_it_is_as_high_as_its_content_and_grows_with_it(driven: Driven) -> None:
    sheet = opened(driven, 3)
    driven.until(lambda: sheet.height() == sheet.sizeHint().height())
    before = sheet.height()
    warning = Text("Something to know. " * 20, wrap=True)
    sheet.notes.addWidget(warning)
    sheet.fit()
    driven.until(lambda: sheet.height() >= before + warning.height() > before)
    sheet.close()


def test_what_is_too_high_scrolls(driven: Driven) -> None:
    driven.window.resize(640, 480)
    sheet = opened(driven, 100)
    driven.until(lambda: sheet.height() == sheet.sizeHint().height())
    assert sheet.height() <= driven.window.height()
    assert sheet.width() <= driven.window.width()
    driven.until(lambda: sheet._area.verticalScrollBar().maximum() > 0)
    sheet.close()


def test_escape_closes_and_nothing_stays(driven: Driven) -> None:
    sheet = opened(driven, 1)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    driven.until(lambda: not isValid(sheet))
    assert driven.window.findChildren(Sheet) == []


def test_the_ring_follows_the_keyboard_in_a_dialog(driven: Driven) -> None:
    done: list[str] = []
    ask = Confirm(
        driven.desk.house.look,
        "Sure?",
        "It is gone.",
        "Yes",
        lambda: done.append("y"),
        driven.window,
    )
    ask.open()
    with driven.bot.waitActive(ask):
        pass
    (ring,) = ask.findChildren(FocusRing)
    driven.until(ask.no.hasFocus)  # what harms nothing is at hand
    QTest.keyClick(ask, Qt.Key.Key_Tab)
    driven.until(ask.yes.hasFocus)
    assert ring.target is ask.yes
    QTest.keyClick(ask.yes, Qt.Key.Key_Space)
    driven.until(lambda: done == ["y"])
    driven.until(lambda: not isValid(ask))


def test_boxes_and_circles_by_mouse_and_keyboard(driven: Driven) -> None:
    look = driven.desk.house.look
    sheet = Sheet(look, "Choose", driven.window)
    tick, radio = Tick(look, "A box"), Radio(look, "A circle")
    parts: list[QWidget] = [tick, radio]
    for part in parts:
        sheet.content.addWidget(part)
    sheet.open()
    sheet.fit()
    driven.until(lambda: tick.height() >= look.sizes.target)
    QTest.mouseClick(tick, Qt.MouseButton.LeftButton)
    assert tick.isChecked()
    empty = radio.grab().toImage()
    radio.setFocus()
    QTest.keyClick(radio, Qt.Key.Key_Space)
    assert radio.isChecked()
    assert radio.grab().toImage() != empty
    sheet.close()
