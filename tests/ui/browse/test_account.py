"""The access token: where it lies is said, and a wrong one is a sentence."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from desktop.services.account import AccountState
from desktop.ui.rail import SETTINGS
from desktop.ui.settings.account import AccountForm
from desktop.ui.settings.page import SettingsPage
from tests.ui.browse.conftest import Models


def form_of(models: Models) -> AccountForm:
    models.driven.window.show_place(SETTINGS)
    page = models.driven.window.page(SETTINGS)
    assert isinstance(page, SettingsPage)
    form = page.account
    models.until(lambda: models.driven.desk.house.account.state is not None)
    return form


def test_signing_in_and_out(models: Models) -> None:
    form = form_of(models)
    assert "will be kept in this system's keyring" in form.place.text()
    assert form.field.echoMode() == QLineEdit.EchoMode.Password
    assert not form.enter.isEnabled()
    form.field.setText(" hf_good ")
    form.enter.click()
    models.until(lambda: "somebody" in form.words.text())
    assert models.account.tokens == ["hf_good"]
    assert form.field.text() == ""
    assert not form.field.isVisible()
    form.leave.click()
    models.until(lambda: form.field.isVisible())


def test_the_keyboard_stays_in_the_form(models: Models) -> None:
    """It used to begin at the window's first button when what it stood on went away."""
    form = form_of(models)
    form.field.setFocus()
    form.field.setText("hf_good")
    QTest.keyClick(form.field, Qt.Key.Key_Return)
    models.until(lambda: form.leave.isVisible())
    assert form.leave.hasFocus()
    QTest.keyClick(form.leave, Qt.Key.Key_Space)
    models.until(lambda: form.field.isVisible())
    assert form.field.hasFocus()
    form.field.setText("hf_good")
    form.enter.setFocus()
    QTest.keyClick(form.enter, Qt.Key.Key_Space)
    models.until(lambda: form.leave.isVisible())
    assert form.leave.hasFocus()


def test_a_file_is_called_a_file(models: Models) -> None:
    models.account.now = AccountState(place="none", keeps_in="file")
    form = form_of(models)
    assert "no keyring" in form.place.text()


def test_a_token_of_the_environment_is_not_for_the_window_to_change(models: Models) -> None:
    models.account.now = replace(AccountState(), place="environment")
    form = form_of(models)
    assert "HF_TOKEN" in form.place.text()
    assert not form.field.isVisible()
    assert not form.leave.isVisible()


def test_a_wrong_token_stays_in_the_field(models: Models) -> None:
    form = form_of(models)
    form.field.setText("hf_wrong")
    form.enter.click()
    models.until(lambda: form.problem.isVisible())
    assert form.field.text() == "hf_wrong"
    assert "Traceback" not in form.problem.text()
