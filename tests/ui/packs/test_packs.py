"""Packs in the window: made from a row's menu, dropped, looked into, refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.common.settings import Settings
from desktop.library.library import Library
from desktop.library.packs.minisign import new_key, write_keys
from desktop.services.packs import Packs, PackWish
from desktop.ui.models.page import ModelsPage
from desktop.ui.notice import Toast
from desktop.ui.packs.pack_dialog import PackDialog
from desktop.ui.packs.unpack_dialog import UnpackDialog
from desktop.ui.parts.sheet import Sheet
from desktop.ui.rail import MODELS
from tests.tiny_models import write_tiny_model
from tests.ui.conftest import Driven

NAME = "Office-F32"


@pytest.fixture(autouse=True)
def _no_sheet_left(qapp: QApplication) -> Iterator[None]:
    yield
    for widget in qapp.topLevelWidgets():
        if isinstance(widget, Sheet):
            widget.close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "Stick"
    folder.mkdir()
    return folder


@pytest.fixture
def pack(stick: Path, tmp_path: Path, tiny_model: Path) -> Path:
    """A pack with one model that this computer does not have."""
    path = named(tmp_path / "office.gguf", "Office")
    library = Library.in_memory(tiny_model)
    packs = Packs(library, lambda: tmp_path, tuple)
    packs.pack(PackWish((str(path),), stick / "office.hgpack", title="From the office"))
    library.close()
    path.unlink()
    return stick / "office.hgpack"


def named(path: Path, name: str) -> Path:
    seed = len(name)  # another content than others have
    return write_tiny_model(path, seed=seed, metadata={"general.name": name})


def imported(driven: Driven, tmp_path: Path) -> str:
    path = named(tmp_path / "mine.gguf", "Mine")
    model = driven.services.library.add(path)
    driven.desk.house.shelf.reload()
    driven.until(lambda: any(m.name == model.name for m in driven.desk.house.shelf.models))
    return model.name


def dialog_of(driven: Driven, kind: type[Sheet]) -> Sheet:
    (found,) = [w for w in driven.window.findChildren(kind) if w.isVisible()]
    return found


def test_a_model_is_packed_behind_everything_else(
    driven: Driven, stick: Path, tmp_path: Path
) -> None:
    name = imported(driven, tmp_path)
    shelf = driven.desk.house.shelf
    models = tuple(model for model in shelf.models if model.name == name)
    dialog = PackDialog(driven.desk.look, driven.desk.session, shelf, models, driven.window)
    dialog.open()
    driven.until(dialog.go.isEnabled)
    dialog.take_target(stick / "mine")
    driven.until(lambda: dialog.go.isEnabled() and "free" in dialog.state.text())
    assert dialog.wish.target == stick / "mine.hgpack"
    dialog.go.click()
    driven.until(lambda: (stick / "mine.hgpack").exists() and not shelf.works.all)
    view = driven.services.packs.look(stick / "mine.hgpack")
    assert [model.name for model in view.manifest.models] == [name]


def test_more_models_go_into_the_same_pack(driven: Driven, stick: Path, tmp_path: Path) -> None:
    first = imported(driven, tmp_path)
    second = driven.services.library.add(named(tmp_path / "second.gguf", "Second one")).name
    shelf = driven.desk.house.shelf
    shelf.reload()
    driven.until(lambda: len(shelf.models) == 3)
    models = tuple(model for model in shelf.models if model.name == first)
    dialog = PackDialog(driven.desk.look, driven.desk.session, shelf, models, driven.window)
    dialog.open()
    dialog.take_target(stick / "two.hgpack")
    driven.until(dialog.go.isEnabled)
    alone = dialog.state.text()
    dialog.more.click()
    assert list(dialog.others) == [second]
    dialog.others[second].click()
    driven.until(lambda: dialog.go.isEnabled() and dialog.state.text() != alone)
    dialog.go.click()
    driven.until(lambda: (stick / "two.hgpack").exists())
    view = driven.services.packs.look(stick / "two.hgpack")
    assert [model.name for model in view.manifest.models] == [first, second]


def test_stopped_it_leaves_nothing(
    driven: Driven, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = imported(driven, tmp_path)
    shelf = driven.desk.house.shelf
    wish = PackWish((name,), stick / "mine.hgpack")
    shelf.packing.pack(wish)
    for work in shelf.works.all:
        work.cancel()
    driven.until(lambda: not shelf.works.all)
    driven.until(lambda: not list(stick.iterdir()))
    assert driven.desk.session.services is not None


def test_unpacking_that_was_stopped_goes_on_or_is_forgotten(
    pack: Path, open_window: Callable[..., Driven]
) -> None:
    driven = open_window()
    told: list[Toast] = []
    driven.desk.session.told.connect(told.append)
    packs, shelf = driven.services.packs, driven.desk.house.shelf
    view = packs.look(pack)
    shelf.packing.unpack(view, (NAME,))
    for work in shelf.works.all:
        work.cancel()
    driven.until(lambda: told)
    action = told[0].action
    assert action is not None
    action.run()
    driven.until(lambda: len(told) == 2)
    assert not (driven.services.paths.models_dir / ".unpacking").exists()
    assert NAME not in [model.name for model in driven.services.library.list()]


def test_the_menu_of_a_model_packs_it(driven: Driven, tmp_path: Path) -> None:
    name = imported(driven, tmp_path)
    driven.window.show_place(MODELS)
    page = driven.window.page(MODELS)
    assert isinstance(page, ModelsPage)
    driven.until(lambda: page.mine.entry_of(name))
    entry = page.mine.entry_of(name)
    assert entry is not None
    menu = page.mine.doings.menu(entry, driven.window)
    (action,) = [a for a in menu.actions() if a.text().startswith("Pack for another")]
    action.trigger()
    dialog = dialog_of(driven, PackDialog)
    assert isinstance(dialog, PackDialog)
    assert dialog.wish.models == (name,)
    menu.deleteLater()


def test_the_guide_alone_makes_no_pack(driven: Driven) -> None:
    shelf = driven.desk.house.shelf
    guide = tuple(model for model in shelf.models if model.source == "built_in")
    dialog = PackDialog(driven.desk.look, driven.desk.session, shelf, guide, driven.window)
    dialog.open()
    driven.until(lambda: "No model was named" in dialog.state.text())
    assert not dialog.go.isEnabled()


def test_signed_with_a_password(driven: Driven, stick: Path, tmp_path: Path) -> None:
    key = new_key()
    write_keys(key, tmp_path / "key", "geheim")
    name = imported(driven, tmp_path)
    shelf = driven.desk.house.shelf
    models = tuple(model for model in shelf.models if model.name == name)
    dialog = PackDialog(driven.desk.look, driven.desk.session, shelf, models, driven.window)
    dialog.open()
    dialog.take_target(stick / "a.hgpack")
    dialog.take_key(tmp_path / "key")
    driven.until(dialog.go.isEnabled)
    assert dialog.password.isVisible()
    dialog.go.click()
    assert "password" in dialog.state.text()
    dialog.password.setText("geheim")
    dialog.go.click()
    driven.until(lambda: (stick / "a.hgpack").exists())
    assert driven.services.packs.look(stick / "a.hgpack").signed_by == key.public.number


def test_a_dropped_pack_is_shown_before_it_comes_in(
    pack: Path, open_window: Callable[..., Driven]
) -> None:
    driven = open_window()
    driven.window.take_files([pack])
    dialog = dialog_of(driven, UnpackDialog)
    assert isinstance(dialog, UnpackDialog)
    driven.until(dialog.take.isEnabled)
    assert dialog.state.text() == "From the office"
    assert "Not signed" in dialog.signature.text()
    assert dialog.chosen == (NAME,)
    assert "1" in dialog.take.text()
    driven.until(lambda: dialog.tags[NAME].isVisible())
    assert dialog.tags[NAME].text() in dialog.boxes[NAME].accessibleName()
    assert [m.name for m in driven.services.library.list()] == ["guide"]
    dialog.boxes[NAME].setChecked(False)
    assert not dialog.take.isEnabled()
    dialog.boxes[NAME].setChecked(True)
    dialog.take.click()
    shelf = driven.desk.house.shelf
    driven.until(lambda: NAME in [model.name for model in shelf.models])
    assert driven.services.library.get(NAME).path.is_relative_to(driven.services.paths.models_dir)

    driven.until(lambda: not driven.window.findChildren(UnpackDialog))
    driven.window.take_files([pack])
    again = dialog_of(driven, UnpackDialog)
    assert isinstance(again, UnpackDialog)
    driven.until(lambda: NAME in again.boxes)
    assert not again.boxes[NAME].isEnabled()
    assert again.tags[NAME].text() == "is here already"
    assert not again.take.isEnabled()


def test_a_pack_given_at_the_start_is_shown(pack: Path, open_window: Callable[..., Driven]) -> None:
    driven = open_window(files=(pack,))
    driven.until(lambda: any(d.isVisible() for d in driven.window.findChildren(UnpackDialog)))


def test_what_is_no_pack_says_so_and_ends(driven: Driven, stick: Path) -> None:
    (stick / "a.hgpack").write_bytes(b"nothing")
    driven.window.take_files([stick / "a.hgpack"])
    dialog = dialog_of(driven, UnpackDialog)
    assert isinstance(dialog, UnpackDialog)
    driven.until(lambda: "is not a pack" in dialog.state.text())
    assert not dialog.take.isVisible()
    assert dialog.leave.text() == "Close"


def test_pinned_keys_refuse_what_is_not_signed(
    pack: Path, open_window: Callable[..., Driven]
) -> None:
    pinned = Settings(trusted_keys=(new_key().public.text,))
    driven = open_window(settings=pinned)
    driven.window.take_files([pack])
    dialog = dialog_of(driven, UnpackDialog)
    assert isinstance(dialog, UnpackDialog)
    driven.until(lambda: "is not signed" in dialog.state.text())
    assert NAME in dialog.boxes
    assert not dialog.boxes[NAME].isEnabled()
    assert not dialog.take.isVisible()


def test_too_little_room_is_said_before(pack: Path, open_window: Callable[..., Driven]) -> None:
    driven = open_window()
    shelf = driven.desk.house.shelf
    dialog = UnpackDialog(driven.desk.look, driven.desk.session, shelf, pack, driven.window)
    dialog.open()
    driven.until(dialog.take.isEnabled)
    view = dialog._view
    assert view is not None
    dialog._view = replace(view, free_bytes=1000)
    dialog._chosen_changed()
    assert not dialog.take.isEnabled()
    assert "only" in dialog.place.text()
