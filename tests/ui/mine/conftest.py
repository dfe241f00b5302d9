"""What the tests of "My models" share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.fit.types import FitReport, Wish
from desktop.hardware.machine import Machine
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.services.models import ModelsService
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.section import MyModels
from desktop.ui.models.page import ModelsPage
from desktop.ui.parts.sheet import Sheet
from desktop.ui.rail import MODELS
from tests.tiny_models import write_tiny_model
from tests.ui.conftest import Driven
from tests.ui.stand_ins import GB, report


def mine_of(driven: Driven) -> MyModels:
    """The section, with its place shown."""
    driven.window.show_place(MODELS)
    page = driven.window.page(MODELS)
    assert isinstance(page, ModelsPage)
    return page.mine


def sheet_of(driven: Driven) -> Sheet:
    """The dialog that stands over the window."""
    (sheet,) = [w for w in driven.window.findChildren(Sheet) if w.isVisible()]
    return sheet


def made(name: str, gigabytes: float = 5.0, **values: object) -> LibraryModel:
    """A model as the library lists it."""
    model = LibraryModel(
        name=name,
        path=Path("/models") / f"{name}.gguf",
        file_bytes=int(gigabytes * GB),
        architecture="llama",
        quantization="Q4_K_M",
        parameters=8_200_000_000,
        added_at=0.0,
        last_used_at=None,
        source="import",
        mtime_ns=0,
    )
    return replace(model, **values)  # type: ignore[arg-type]


Models = list[LibraryModel]


class ListedModels(ModelsService):
    """Lists what it is told to, each with a verdict."""

    def __init__(self, library: Library, models: Models) -> None:
        super().__init__(library, lambda: Path("/models"))
        self.models = models

    def list(self) -> Models:
        return [*super().list(), *self.models]

    def fit_of(self, model: LibraryModel, _machine: Machine, _wish: Wish) -> FitReport | None:
        return report(model.name)


Open = Callable[..., Driven]


@pytest.fixture
def with_models(open_window: Open) -> Callable[[list[LibraryModel]], Driven]:
    """Open a window on a library that lists these models."""

    def make(models: list[LibraryModel]) -> Driven:
        return open_window(
            change=lambda s: replace(s, models_service=ListedModels(s.library, models))
        )

    return make


@pytest.fixture(autouse=True)
def _no_sheet_left(qapp: QApplication) -> Iterator[None]:
    """A dialog that a test leaves open would stand over the next window."""
    yield
    for widget in qapp.topLevelWidgets():
        if isinstance(widget, Sheet):
            widget.close()


def bring(driven: Driven, path: Path, *, copy: bool = False) -> LibraryModel:
    """Import a real file, and return its entry."""
    shelf = driven.desk.house.shelf
    before = {model.name for model in shelf.models}
    shelf.bring_in([path], copy=copy)
    driven.until(lambda: len(shelf.models) > len(before) and not shelf.importing)
    return next(model for model in shelf.models if model.name not in before)


def shown(driven: Driven, name: str) -> Entry:
    """The row of a model."""
    found = mine_of(driven).entry_of(name)
    assert found is not None
    return found


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A real tiny model of full precision, large enough to be made smaller."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return write_tiny_model(
        folder / "Tiny-F32.gguf", width=256, layers=4, metadata={"general.name": "Tiny"}
    )
