"""The second copy of the index: written along, short, and enough when the first is lost."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from desktop.library import notebook as module
from desktop.library.library import NOTEBOOK_FILE, Library
from desktop.library.model import LibraryModel
from desktop.library.notebook import Notebook
from desktop.library.origin import Origin
from desktop.library.schema import COLUMNS, SEEN_COLUMNS
from tests.gguf_files import LlamaShape


def _lose(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def _facts(models: list[LibraryModel]) -> list[tuple[object, ...]]:
    return [(one.name, one.path, one.content, one.origin, one.last_used_at) for one in models]


def test_a_lost_index_loses_nothing(tmp_path: Path, guide: Path, drive: Path) -> None:
    path = tmp_path / "data" / "library.db"
    library = Library.open(path, guide)
    shape = LlamaShape()
    for number in range(4):
        library.add(shape.with_(vocab=300 + number).write(drive / f"{number}.gguf"))
    library.rename("Test-Q4_K_M", "Größter Schatz")
    library.touch("Test-Q4_K_M-2")
    library.remove("Test-Q4_K_M-3", delete_file=False)
    origin = Origin("ollama", "llama3.2:3b", sha256="b" * 64)
    library.add(drive / "3.gguf", origin=origin)
    library.know_hashes("Test-Q4_K_M-2", ("c" * 64,))
    before = library.list()
    library.close()
    _lose(path)
    library = Library.open(path, guide)
    assert _facts(library.list()) == _facts(before)
    assert library.hashes("Test-Q4_K_M-2") == ("c" * 64,)
    library.close()
    again = Library.open(path, guide)  # and it is written down once, not at every opening
    assert _facts(again.list()) == _facts(before)
    again.close()


@pytest.mark.parametrize("column", COLUMNS.split(", "))
def test_a_row_without_sense_costs_nothing(
    tmp_path: Path, guide: Path, drive: Path, column: str
) -> None:
    """A fault of the disk may leave a database that is one, and values that nobody wrote."""
    path = tmp_path / "library.db"
    library = Library.open(path, guide)
    for number in range(3):
        library.add(LlamaShape().with_(vocab=300 + number).write(drive / f"{number}.gguf"))
    library.touch("Test-Q4_K_M-2")
    before = library.list()
    library.close()
    with sqlite3.connect(path) as database:
        database.execute(f"UPDATE models SET {column} = x'ff00ff' WHERE name = 'Test-Q4_K_M-2'")
        for seen in SEEN_COLUMNS.split(", "):
            values = {**dict.fromkeys(SEEN_COLUMNS.split(", "), seen), seen: b"\xff\x00"}
            places = ", ".join("?" * len(values))
            database.execute(f"INSERT INTO seen VALUES ({places})", tuple(values.values()))
    database.close()
    library = Library.open(path, guide)
    assert _facts(library.list()) == _facts(before)
    library.look_through(drive, is_ours=False)
    assert _facts(library.list()) == _facts(before)
    library.close()


def test_an_index_that_was_emptied_stays_empty(tmp_path: Path, guide: Path, drive: Path) -> None:
    path = tmp_path / "library.db"
    library = Library.open(path, guide)
    library.add(LlamaShape().write(drive / "m.gguf"))
    library.remove("Test-Q4_K_M", delete_file=False)
    library.close()
    _lose(path)
    library = Library.open(path, guide)
    assert [model.name for model in library.list()] == ["guide"]
    library.close()


def test_rubbish_in_it_is_passed_over(tmp_path: Path, guide: Path, drive: Path) -> None:
    path = tmp_path / "library.db"
    library = Library.open(path, guide)
    library.add(LlamaShape().write(drive / "m.gguf"))
    before = library.list()
    library.close()
    _lose(path)
    notebook = tmp_path / NOTEBOOK_FILE
    good = json.loads(notebook.read_text().splitlines()[0])
    wrong = [
        b"",
        b"[1, 2]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"gone": 7}',
        json.dumps(good | {"path": 5}).encode(),
        json.dumps(good | {"file_bytes": True}).encode(),
        json.dumps({key: value for key, value in good.items() if key != "stamp"}).encode(),
    ]
    cut = json.dumps(good).encode()[:-20]
    notebook.write_bytes(b"\n".join([*wrong, notebook.read_bytes(), cut]))
    library = Library.open(path, guide)
    assert _facts(library.list()) == _facts(before)
    library.close()


def test_it_does_not_grow_for_ever(
    tmp_path: Path, guide: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MORE_LINES", 10)
    path = tmp_path / "library.db"
    library = Library.open(path, guide)
    name = library.add(LlamaShape().write(drive / "m.gguf")).name
    for _ in range(100):
        library.touch(name)
    library.close()
    assert len((tmp_path / NOTEBOOK_FILE).read_text().splitlines()) < 40
    assert len(Notebook(tmp_path / NOTEBOOK_FILE).entries()) == 1


def test_a_disk_that_takes_no_more_costs_only_the_second_copy(
    tmp_path: Path, guide: Path, drive: Path
) -> None:
    path = tmp_path / "library.db"
    (tmp_path / NOTEBOOK_FILE).mkdir()  # nothing can be written there
    library = Library.open(path, guide)
    name = library.add(LlamaShape().write(drive / "m.gguf")).name
    assert library.get(name).problem == ""
    library.close()
