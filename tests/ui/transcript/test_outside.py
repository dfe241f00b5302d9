"""A link is followed only after its address was shown and agreed to."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui.transcript.outside import ask_and_open


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: found.append(url.toString()))
    return found


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


def press(box: QMessageBox | None, role: QMessageBox.ButtonRole) -> None:
    assert box is not None
    next(button for button in box.buttons() if box.buttonRole(button) == role).click()


pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def test_it_is_opened_when_agreed_to(parent: QWidget, opened: list[str]) -> None:
    box = ask_and_open(parent, "https://a.example/x?y=1")
    assert box is not None
    assert box.informativeText() == "https://a.example/x?y=1"
    assert opened == []
    press(box, QMessageBox.ButtonRole.AcceptRole)
    assert opened == ["https://a.example/x?y=1"]


def test_nothing_is_opened_otherwise(parent: QWidget, opened: list[str]) -> None:
    press(ask_and_open(parent, "https://a.example/"), QMessageBox.ButtonRole.RejectRole)
    assert opened == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:x()", "notes.md", "", "://"])
def test_other_kinds_of_address_are_not_followed(parent: QWidget, address: str) -> None:
    assert ask_and_open(parent, address) is None


def test_a_password_in_an_address_is_not_shown(parent: QWidget) -> None:
    box = ask_and_open(parent, "https://ann:secret@a.example/")
    assert box is not None
    assert "secret" not in box.informativeText()
    box.close()
