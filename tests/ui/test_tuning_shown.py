"""Tuning at the first opening: said in words, and left when somebody has waited enough."""

from __future__ import annotations

import threading

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.services.open_progress import OpenProgress
from tests.ui.conftest import Driven

FIRST = OpenProgress("tuning", 0.1, trial=1, trials=6)
SECOND = OpenProgress("tuning", 0.3, trial=2, trials=6)


def _opens(driven: Driven, *progress: OpenProgress) -> None:
    """Begin to write; the opening stands at the last of `progress`."""
    driven.opener.gate = threading.Event()
    driven.opener.progress = progress
    QTest.keyClicks(driven.window.chats.composer.edit, "W")
    last = progress[-1]
    driven.until(lambda: driven.desk.house.model.state.trial == last.trial)


def test_the_first_trial_is_told_as_trying_out(driven: Driven) -> None:
    driven.window.resize(1180, 780)
    _opens(driven, FIRST)
    bar = driven.window.chats.top_bar
    assert "Trying it out safely" in bar.words.text()
    assert not bar.start_now.isVisible()
    assert bar.cancel.isVisible()
    assert bar.meter.isVisible()


def test_further_trials_are_counted_and_can_be_left(driven: Driven) -> None:
    _opens(driven, FIRST, SECOND)
    bar = driven.window.chats.top_bar
    assert bar.words.text() == "Speed test 2 of 6 …"
    assert bar.start_now.isVisible()
    QTest.mouseClick(bar.start_now, Qt.MouseButton.LeftButton)
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")
    assert driven.opener.hurried
    assert not bar.start_now.isVisible()


def test_a_narrow_window_still_says_what_is_going_on(driven: Driven) -> None:
    """Beside "Start now" there was a meter and not one word."""
    driven.window.resize(760, 560)
    _opens(driven, FIRST, SECOND)
    bar = driven.window.chats.top_bar
    QApplication.processEvents()
    said = bar.words.fontMetrics().horizontalAdvance(bar.words.text())
    assert bar.words.width() >= said
    assert bar.start_now.isVisible()
    assert bar.cancel_small.isVisible()
    right = bar.cancel_small.geometry().right()
    assert right <= bar.width()
    QTest.mouseClick(bar.cancel_small, Qt.MouseButton.LeftButton)
    driven.until(lambda: driven.desk.house.model.state.phase == "asleep")
    assert not bar.cancel_small.isVisible()


def test_start_now_is_for_this_opening_alone(driven: Driven) -> None:
    _opens(driven, SECOND)
    model = driven.desk.house.model
    model.start_now()
    driven.until(lambda: model.state.phase == "ready")
    driven.opener.hurried = False
    model.choose("other")
    driven.until(lambda: model.state.trial == 2)
    assert driven.opener.gate is not None
    driven.opener.gate.set()
    driven.until(lambda: model.state.phase == "ready" and model.state.name == "other")
    assert not driven.opener.hurried


def test_an_opening_that_is_tuned_can_be_cancelled(driven: Driven) -> None:
    _opens(driven, SECOND)
    QTest.mouseClick(driven.window.chats.top_bar.cancel, Qt.MouseButton.LeftButton)
    driven.until(lambda: driven.desk.house.model.state.phase == "asleep")
    assert driven.opener.engines == []
