"""Letting models go: what becomes of their files is said, and asked where it cannot be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.library.origin import Origin
from desktop.services.models import ModelsService
from desktop.services.removal import ModelRemover
from desktop.services.wiring import Services
from desktop.ui.parts.confirm import Confirm
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import Open, bring, mine_of, shown


class Trash:
    """Takes files, and remembers them; `there` False: this drive has none."""

    def __init__(self) -> None:
        self.there = True
        self.taken: list[Path] = []

    def take(self, files: Sequence[Path]) -> None:
        for file in files:
            self.taken.append(file)
            file.unlink()


@pytest.fixture
def trash() -> Trash:
    return Trash()


@pytest.fixture
def removing(open_window: Open, trash: Trash) -> Driven:
    def change(services: Services) -> Services:
        remover = ModelRemover(
            services.library, trash=trash.take, has_trash=lambda _path: trash.there
        )
        service = ModelsService(services.library, services.places.main, remover=remover)
        return replace(services, models_service=service)

    return open_window(change=change)


def click(driven: Driven, name: str, words: str) -> None:
    """Choose an entry of a row's menu."""
    mine = mine_of(driven)
    (action,) = [
        a for a in mine.doings.menu(shown(driven, name), mine).actions() if a.text() == words
    ]
    action.trigger()


def gone(driven: Driven, name: str) -> Callable[[], bool]:
    shelf = driven.desk.house.shelf
    return lambda: all(model.name != name for model in shelf.models)


def test_our_own_copy_goes_into_the_trash(removing: Driven, trash: Trash, model_file: Path) -> None:
    model = bring(removing, model_file, copy=True)
    click(removing, model.name, "Remove, with its file")
    removing.until(gone(removing, model.name))
    removing.until(lambda: "goes into the trash" in removing.window.toast.text)
    assert model.path.exists()  # while it may be undone
    removing.desk.house.shelf.finish()
    removing.until(lambda: trash.taken == [model.path])
    assert model_file.exists()


def test_undo_keeps_the_file(removing: Driven, trash: Trash, model_file: Path) -> None:
    model = bring(removing, model_file, copy=True)
    click(removing, model.name, "Remove, with its file")
    removing.until(lambda: "trash" in removing.window.toast.text)
    assert removing.window.toast.undo()
    assert not gone(removing, model.name)()
    removing.desk.house.shelf.finish()
    assert trash.taken == []
    assert model.path.exists()


def test_without_a_trash_it_is_asked_first(
    removing: Driven, trash: Trash, model_file: Path
) -> None:
    trash.there = False
    model = bring(removing, model_file, copy=True)
    click(removing, model.name, "Remove, with its file")
    removing.until(lambda: removing.window.findChildren(Confirm))
    (ask,) = removing.window.findChildren(Confirm)
    assert not gone(removing, model.name)()
    ask.no.click()
    removing.until(lambda: not removing.window.findChildren(Confirm))
    click(removing, model.name, "Remove, with its file")
    removing.until(lambda: removing.window.findChildren(Confirm))
    (ask,) = removing.window.findChildren(Confirm)
    ask.yes.click()
    removing.until(gone(removing, model.name))
    removing.desk.house.shelf.finish()
    removing.until(lambda: not model.path.exists())
    assert trash.taken == []


def test_a_file_that_was_only_shown_to_us_goes_on_request(
    removing: Driven, trash: Trash, model_file: Path
) -> None:
    model = bring(removing, model_file)
    click(removing, model.name, "Remove, with its file")
    removing.until(gone(removing, model.name))
    removing.desk.house.shelf.finish()
    removing.until(lambda: trash.taken == [model_file])


def test_another_programs_file_cannot_be_deleted_here(removing: Driven, model_file: Path) -> None:
    model = removing.services.library.add(model_file, origin=Origin("ollama", "tiny:1b"))
    removing.desk.house.shelf.reload()
    removing.until(lambda: not gone(removing, model.name)())
    mine = mine_of(removing)
    menu = mine.doings.menu(shown(removing, model.name), mine)
    texts = [action.text() for action in menu.actions()]
    assert "Remove from the list" in texts
    assert "Remove, with its file" not in texts


def test_what_the_trash_refuses_comes_back_and_is_told(
    removing: Driven, trash: Trash, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop.common.errors import StorageError

    def refuse(files: Sequence[Path]) -> None:
        raise StorageError("no_trash", path=str(files[0]), detail="full")

    service = removing.desk.session.services
    assert service is not None
    monkeypatch.setattr(service.models_service._remover, "_trash", refuse)
    model = bring(removing, model_file, copy=True)
    click(removing, model.name, "Remove, with its file")
    removing.until(gone(removing, model.name))
    removing.desk.house.shelf.leaving.finish()
    removing.until(lambda: removing.window.banners.texts)
    assert not gone(removing, model.name)()
    assert model.path.exists()
