from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.library.library import Library
from tests.gguf_files import LlamaShape


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    """A file in the place of the model that ships inside."""
    folder = tmp_path / "resources"
    folder.mkdir()
    return LlamaShape().write(folder / "guide.gguf", general__name="The Guide")


@pytest.fixture
def library(tmp_path: Path, guide: Path) -> Iterator[Library]:
    library = Library.open(tmp_path / "data" / "library.db", guide)
    yield library
    library.close()


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A folder that can be unplugged by renaming it."""
    drive = tmp_path / "Größer Stick"
    drive.mkdir()
    return drive
