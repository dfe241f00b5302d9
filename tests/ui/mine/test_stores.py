"""Models of other programs: offered, chosen, taken in; nothing is copied."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from desktop.common.errors import ModelFileError
from desktop.library.origin import Origin
from desktop.library.stores.model import StoreModel
from desktop.services.import_stores import FoundStore, StoreImporter
from desktop.services.wiring import Services
from desktop.ui.mine.stores_sheet import StoresSheet
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import Open, mine_of, sheet_of


class TwoStores(StoreImporter):
    """Ollama with two good models and one that lies, LM Studio with none that is new."""

    models: tuple[StoreModel, ...] = ()

    def found(self, *_args: object, **_options: object) -> tuple[FoundStore, ...]:
        here = {model.path for model in self._library.list()}
        known = frozenset(m for m in self.models if m.paths and m.paths[0] in here)
        lying = StoreModel("ollama", "liar:7b", (), problem=ModelFileError("vanished", path="/x"))
        return (
            FoundStore("ollama", Path("/home/me/.ollama"), (*self.models, lying), known),
            FoundStore("lmstudio", Path("/home/me/.lmstudio"), ()),
        )


@pytest.fixture
def driven_with_stores(open_window: Open, model_file: Path, tmp_path: Path) -> Driven:
    blobs = []
    for number in range(2):
        blob = tmp_path / f"sha256-{number}"  # as Ollama names its files: no ending
        shutil.copyfile(model_file, blob)
        data = bytearray(blob.read_bytes())
        data[-1 - number] ^= 1 + number
        blob.write_bytes(data)
        name = f"tiny:{number}b"
        blobs.append(
            StoreModel("ollama", name, (blob,), origin=Origin("ollama", name), quantization="F32")
        )

    def change(services: Services) -> Services:
        importer = TwoStores(services.library, services.places.main, {})
        importer.models = tuple(blobs)
        return replace(services, store_importer=importer)

    return open_window(change=change)


def test_offered_chosen_and_taken_in(driven_with_stores: Driven) -> None:
    driven = driven_with_stores
    mine = mine_of(driven)
    driven.until(lambda: mine.note.isVisible())
    assert "2" in mine.note.words.text()
    assert "Ollama" in mine.note.words.text()
    mine.note.show_them.click()
    sheet = sheet_of(driven)
    assert isinstance(sheet, StoresSheet)
    driven.until(lambda: len(sheet.boxes) == 2)
    said = " ".join(label.text() for label in sheet.findChildren(QLabel))
    assert "liar:7b" in said
    sheet.boxes[0][0].setChecked(False)
    assert [model.name for model in sheet.chosen] == ["tiny:1b"]
    sheet.take.click()
    shelf = driven.desk.house.shelf
    driven.until(lambda: len(shelf.models) == 2)
    (taken,) = [m for m in shelf.models if m.source != "built_in"]
    assert taken.path.name == "sha256-1"
    driven.until(lambda: "%n" not in mine.note.words.text() and "1" in mine.note.words.text())
    driven.until(lambda: len(shelf.others.new[0].new) == 1)


def test_not_now_holds_until_there_is_something_new(
    driven_with_stores: Driven, model_file: Path
) -> None:
    driven = driven_with_stores
    mine, others = mine_of(driven), driven.desk.house.shelf.others
    driven.until(lambda: mine.note.isVisible())
    mine.note.not_now.click()
    assert not mine.note.isVisible()
    others.look()
    driven.until(lambda: not others._looking)
    assert not others.worth_a_word
    importer = driven.services.store_importer
    assert isinstance(importer, TwoStores)
    importer.models = (*importer.models, StoreModel("ollama", "new:1b", (model_file,)))
    others.look()
    driven.until(lambda: mine.note.isVisible())


def test_nothing_there_is_said(driven: Driven) -> None:
    class Empty(StoreImporter):
        def found(self, *_args: object, **_options: object) -> tuple[FoundStore, ...]:
            return ()

    session = driven.desk.session
    importer = Empty(driven.services.library, driven.services.places.main, {})
    session.services = replace(driven.services, store_importer=importer)
    mine = mine_of(driven)
    mine.show_stores()
    sheet = sheet_of(driven)
    assert isinstance(sheet, StoresSheet)
    driven.until(lambda: "No models of other programs" in sheet.state.text())
    assert not sheet.take.isEnabled()
    assert not mine.note.isVisible()
