"""The folders of models: chosen, added, left; models move between them without loss."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog

from desktop.ui.mine.move_sheet import MoveSheet
from desktop.ui.parts.confirm import Confirm
from desktop.ui.rail import SETTINGS
from desktop.ui.settings.folders import FolderSettings
from desktop.ui.settings.page import SettingsPage
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import bring, mine_of, sheet_of, shown


def folders_of(driven: Driven) -> FolderSettings:
    driven.window.show_place(SETTINGS)
    page = driven.window.page(SETTINGS)
    assert isinstance(page, SettingsPage)
    driven.until(lambda: driven.desk.house.shelf.keeping.folders)
    return page.folders


def test_add_and_leave_a_folder(driven: Driven, model_file: Path) -> None:
    section = folders_of(driven)
    keeping, session = driven.desk.house.shelf.keeping, driven.desk.session
    keeping.add(model_file.parent)
    driven.until(lambda: section.rows.count() == 2)
    assert session.settings.more_folders == (str(model_file.parent),)
    session.change(theme="dark")  # what the session writes must not undo it
    driven.until(lambda: driven.services.settings_store.load().theme == "dark")
    assert driven.services.settings_store.load().more_folders == (str(model_file.parent),)
    shelf = driven.desk.house.shelf
    driven.until(lambda: any(m.path == model_file for m in shelf.models))  # found by the watch
    keeping.remove(model_file.parent)
    driven.until(lambda: section.rows.count() == 1)
    assert model_file.exists()


def test_a_new_place_and_the_models_follow(
    driven: Driven, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bring(driven, model_file, copy=True).name
    before = hashlib.sha256(model_file.read_bytes()).hexdigest()
    target = tmp_path / "large drive"
    target.mkdir()
    section = folders_of(driven)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(target))
    section.choose.click()
    driven.until(lambda: driven.window.findChildren(Confirm))
    assert driven.services.places.main() == target
    (ask,) = driven.window.findChildren(Confirm)
    ask.yes.click()
    driven.until(lambda: driven.services.library.get(name).path.parent == target)
    driven.until(lambda: "moved" in driven.window.toast.text)
    moved = driven.services.library.get(name).path
    assert hashlib.sha256(moved.read_bytes()).hexdigest() == before
    assert list(driven.services.paths.models_dir.rglob("*.gguf")) == []


def test_move_one_model_by_its_menu(driven: Driven, model_file: Path, tmp_path: Path) -> None:
    name = bring(driven, model_file, copy=True).name
    target = tmp_path / "stick"
    target.mkdir()
    driven.until(lambda: driven.desk.house.shelf.keeping.folders)
    mine_of(driven).doings.move(shown(driven, name))
    sheet = sheet_of(driven)
    assert isinstance(sheet, MoveSheet)
    assert not sheet.move_button.isEnabled()
    assert shown(driven, name).model.folder not in sheet.choices  # where it lies already
    sheet.offer(target)
    assert sheet.move_button.isEnabled()
    sheet.move_button.click()
    driven.until(lambda: driven.services.library.get(name).path.parent == target)
    assert str(target) in driven.desk.session.settings.more_folders


def test_a_folder_that_is_gone_is_said(driven: Driven, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    section = folders_of(driven)
    keeping = driven.desk.house.shelf.keeping
    keeping.add(stick)
    driven.until(lambda: len(keeping.folders) == 2)
    stick.rmdir()
    keeping.ask()
    driven.until(lambda: not keeping.folders[1].present)
    words = section._words.state(keeping.folders[1], "en")
    assert words.startswith("Not connected")


def test_a_place_where_nothing_can_be_written_is_refused(driven: Driven, tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text("no folder")
    before = driven.services.places.main()
    folders_of(driven).take_main(file)
    driven.until(lambda: driven.window.banners.texts)
    assert driven.services.places.main() == before
