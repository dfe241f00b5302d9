"""The place "Models" and the chooser: import, judge, choose, remove with a way back."""

from __future__ import annotations

import shutil
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from desktop.common.settings import Settings
from desktop.fit.types import Plan
from desktop.services.open_progress import StepDown
from desktop.ui.models.page import ModelsPage
from desktop.ui.rail import CHATS, MODELS
from tests.ui.conftest import Driven
from tests.ui.stand_ins import PLAN


@pytest.fixture
def model_file(tmp_path: Path, tiny_model: Path) -> Path:
    """A model that the library does not know yet."""
    path = tmp_path / "my-model.gguf"
    data = bytearray(tiny_model.read_bytes())
    data[-1] ^= 1  # not the same file as the guide's stand-in
    path.write_bytes(data)
    return path


def page_of(driven: Driven) -> ModelsPage:
    page = driven.window.page(MODELS)
    assert isinstance(page, ModelsPage)
    return page


def imported(driven: Driven, path: Path) -> str:
    """Import a file and return its name in the library."""
    driven.desk.house.shelf.bring_in([path])
    driven.until(lambda: len(driven.desk.house.shelf.models) == 2)
    return driven.desk.house.shelf.models[1].name


def drop(driven: Driven, *paths: Path) -> QDropEvent:
    """Drop files on the middle of the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    at, action = QPoint(300, 300), Qt.DropAction.CopyAction
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with warnings.catch_warnings():  # Qt 6.12 would have a QPointF, which 6.11 does not take
        warnings.simplefilter("ignore", DeprecationWarning)
        entering = QDragEnterEvent(at, action, data, left, none)
    driven.window.dragEnterEvent(entering)
    event = QDropEvent(at.toPointF(), action, data, left, none)
    driven.window.dropEvent(event)
    return event


def test_only_the_guide_and_how_to_get_more(driven: Driven) -> None:
    page = page_of(driven)
    assert [row.model.name for row in page.mine.table.rows] == ["guide"]
    assert page.mine.hint.isVisible()


def test_dropped_file_is_imported_and_judged(driven: Driven, model_file: Path) -> None:
    assert drop(driven, model_file).isAccepted()
    assert driven.window.place == MODELS
    driven.until(lambda: len(page_of(driven).mine.table.rows) == 2)
    name = driven.desk.house.shelf.models[1].name
    driven.until(lambda: name in driven.window.toast.text)
    driven.until(lambda: driven.desk.house.shelf.reports.get(name) is not None)
    assert not page_of(driven).mine.hint.isVisible()


def test_dropped_text_file_is_left_alone(driven: Driven, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("hello")
    drop(driven, note)
    assert driven.window.place == CHATS
    assert not driven.desk.house.shelf.importing


def test_import_by_dialog(
    driven: Driven, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_, **__: ([str(model_file)], ""))
    add = page_of(driven).mine.add.menu()
    assert add is not None
    add.actions()[0].trigger()
    driven.until(lambda: len(page_of(driven).mine.table.rows) == 2)


def test_bad_file_is_a_sentence_and_not_a_model(driven: Driven, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"this is no model at all")
    driven.desk.house.shelf.bring_in([bad])
    driven.until(lambda: driven.window.banners.texts)
    (told,) = driven.window.banners.texts
    assert "bad.gguf" in told
    assert "Traceback" not in told
    assert len(driven.desk.house.shelf.models) == 1


def test_many_bad_files_are_told_in_short(driven: Driven, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"bad{number}.gguf").write_bytes(b"")
    driven.desk.house.shelf.bring_in([tmp_path])
    driven.until(lambda: driven.window.banners.texts)
    assert "3 more files could not be taken in." in driven.window.banners.texts[0]


def test_folder_without_models_is_told(driven: Driven, tmp_path: Path) -> None:
    driven.desk.house.shelf.bring_in([tmp_path])
    driven.until(lambda: driven.window.banners.texts)


def test_toast_offers_to_chat_with_the_new_model(driven: Driven, model_file: Path) -> None:
    name = imported(driven, model_file)
    driven.until(lambda: driven.window.toast.isVisible())
    driven.window.show_place(MODELS)
    QTest.mouseClick(driven.window.toast.action, Qt.MouseButton.LeftButton)
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")
    assert driven.opener.names == [name]
    assert driven.desk.session.settings.last_model == name
    assert driven.window.place == CHATS


def test_chat_button_opens_the_model_and_goes_to_the_chats(
    driven: Driven, model_file: Path
) -> None:
    name = imported(driven, model_file)
    mine = page_of(driven).mine
    entry = mine.entry_of(name)
    assert entry is not None
    mine.doings.chat(entry)
    assert driven.window.place == CHATS
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")
    assert driven.opener.names == [name]
    driven.until(lambda: name in driven.window.chats.pill.accessibleName())


def test_model_in_use_is_marked(driven: Driven) -> None:
    mine = page_of(driven).mine
    assert not mine.table.rows[0].in_use
    driven.desk.house.model.wake()
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")
    driven.until(lambda: mine.table.rows[0].in_use)
    assert "in use" in mine.table.rows[0].spoken


def test_speed_of_another_model_is_not_shown(driven: Driven, model_file: Path) -> None:
    name = imported(driven, model_file)
    QTest.keyClicks(driven.window.chats.composer.edit, "Hello")
    QTest.keyClick(driven.window.chats.composer.edit, Qt.Key.Key_Return)
    driven.asked(1)
    driven.until(lambda: len(driven.shown()) == 2)
    driven.answer("Hi")
    assert driven.desk.house.conversation.last_speed is not None
    driven.desk.house.model.choose(name)
    assert driven.desk.house.conversation.last_speed is None


def test_answers_are_signed_with_the_librarys_name(driven: Driven, model_file: Path) -> None:
    name = imported(driven, model_file)
    driven.desk.house.model.choose(name)
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")
    object.__setattr__(driven.engine.info, "name", "What the file calls itself")
    QTest.keyClicks(driven.window.chats.composer.edit, "Hello")
    QTest.keyClick(driven.window.chats.composer.edit, Qt.Key.Key_Return)
    driven.asked(1)
    driven.until(lambda: len(driven.shown()) == 2)
    driven.answer("Hi")
    assert driven.window.chats.transcript.turns[1].detail == name
    driven.desk.house.conversation.regenerate(driven.window.chats.transcript.turns[1].id)
    driven.asked(2)
    driven.answer("Hi again")
    driven.until(lambda: driven.shown() == ["Hello", "Hi again"])
    assert driven.window.chats.transcript.turns[1].detail == name


def test_switching_closes_the_model_before(driven: Driven, model_file: Path) -> None:
    name = imported(driven, model_file)
    model = driven.desk.house.model
    model.wake()
    driven.until(lambda: model.state.phase == "ready")
    model.choose(name)
    driven.until(lambda: len(driven.opener.engines) == 2)
    assert driven.opener.engines[0].closed


def test_opening_shows_progress_and_can_be_cancelled(driven: Driven) -> None:
    driven.opener.gate = threading.Event()
    model, bar = driven.desk.house.model, driven.window.chats.top_bar
    model.wake()
    driven.until(lambda: model.state.stage == "loading")
    driven.until(lambda: bar.words.text() == "Loading: 45 %")
    assert bar.meter.isVisible()
    bar.cancel.click()
    driven.until(lambda: model.state.phase == "asleep")
    assert not bar.meter.isVisible()
    assert driven.window.banners.texts == []


def test_steps_down_are_said(driven: Driven) -> None:
    values = {name: getattr(PLAN, name) for name in Plan.__dataclass_fields__}
    smaller = Plan(**{**values, "context": 4096})
    driven.opener.steps = (StepDown(PLAN, smaller, "out_of_memory"),)
    driven.desk.house.model.wake()
    driven.until(lambda: driven.window.banners.texts)
    assert "a chat remembers 10 pages" in driven.window.banners.texts[0]


def test_remove_and_undo(driven: Driven, model_file: Path) -> None:
    name = imported(driven, model_file)
    driven.until(lambda: driven.window.toast.isVisible())
    mine = page_of(driven).mine
    menu = mine.doings.menu(mine.table.rows[0], mine)
    (remove,) = [a for a in menu.actions() if a.text() == "Remove from the list"]
    remove.trigger()
    driven.until(lambda: [m.name for m in driven.desk.house.shelf.models] == ["guide"])
    assert driven.window.toast.undo()
    assert [m.name for m in driven.desk.house.shelf.models] == ["guide", name]
    assert driven.services.library.get(name).name == name


def test_removed_model_is_gone_after_the_window_is_closed(driven: Driven, model_file: Path) -> None:
    name = imported(driven, model_file)
    driven.desk.house.model.choose(name)
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")
    driven.desk.house.shelf.remove(name)
    assert driven.desk.house.model.state.is_guide
    driven.desk.house.shelf.finish()
    driven.until(lambda: [m.name for m in driven.services.library.list()] == ["guide"])
    assert model_file.exists()


def test_vanished_file_says_so_and_cannot_be_chosen(driven: Driven, model_file: Path) -> None:
    imported(driven, model_file)
    model_file.unlink()
    driven.desk.house.shelf.reload()
    driven.until(lambda: driven.desk.house.shelf.models[1].problem == "vanished")
    row = page_of(driven).mine.table.rows[0]
    assert not row.can_chat
    assert "not found" in row.problem
    menu = driven.window.chats.pill.menu_of_models()
    assert [a.isEnabled() for a in menu.actions()[:2]] == [True, False]


def test_chosen_model_that_is_gone_gives_way_to_the_guide(
    open_window: Callable[..., Driven],
) -> None:
    driven = open_window(settings=Settings(last_model="No longer here"))
    driven.until(lambda: driven.desk.house.model.state.is_guide)
    assert driven.window.banners.texts == []


def test_second_import_waits_its_turn(driven: Driven, tmp_path: Path, model_file: Path) -> None:
    other = tmp_path / "other.gguf"
    shutil.copyfile(model_file, other)
    shelf = driven.desk.house.shelf
    shelf.bring_in([model_file])
    shelf.bring_in([other])
    driven.until(lambda: "already" in driven.window.toast.text or not shelf.importing)
    driven.until(lambda: not shelf.importing)


def test_menu_of_the_pill_marks_the_model_in_use(driven: Driven, model_file: Path) -> None:
    name = imported(driven, model_file)
    menu = driven.window.chats.pill.menu_of_models()
    texts = [action.text() for action in menu.actions()]
    assert texts[0] == "Hausgeist guide"
    assert texts[1].startswith(name.replace("&", "&&"))
    menu.actions()[1].trigger()
    driven.until(lambda: driven.opener.names == [name])


def test_a_removed_models_file_is_let_go(driven: Driven, model_file: Path) -> None:
    """It may still be loaded from before, and some systems do not delete what is open."""
    name = imported(driven, model_file)
    driven.desk.house.shelf.remove(name)
    driven.until(lambda: driven.opener.let_gone == [name])
