"""What a cancelled download leaves behind: only what is its own is deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.locks import claim
from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.part_file import journal_path, unfinished_path
from desktop.hub.transfer.places import keep_origin
from desktop.services.downloads_leftovers import delete_leftovers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "models"
    made.mkdir()
    return made


def half(place: Path) -> Path:
    """As a transfer that was stopped leaves it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished_path(place).write_bytes(b"half")
    journal_path(place).write_text("journal")
    return place


def whole(place: Path) -> Path:
    """As a transfer that is done leaves it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"whole")
    keep_origin(place, Identity("a/b", place.name, "c", 5, ""), "0" * 64, is_verified=True)
    return place


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_halves_and_their_empty_folders(folder: Path) -> None:
    place = half(folder / "maker" / "Model" / "sub" / "m.gguf")
    delete_leftovers([str(place)], folder, ())
    assert list(folder.iterdir()) == []
    delete_leftovers([str(place)], folder, ())  # nothing is there any more


def test_parts_without_a_first_one(folder: Path) -> None:
    home = folder / "maker" / "Model"
    second = whole(home / "m-00002-of-00003.gguf")
    third = half(home / "m-00003-of-00003.gguf")
    first = home / "m-00001-of-00003.gguf"
    delete_leftovers([str(second), str(third), str(first)], folder, ())
    assert left(folder) == []


def test_of_a_whole_model_nothing_but_halves(folder: Path) -> None:
    home = folder / "maker" / "Model"
    second, first = whole(home / "m-00002-of-00002.gguf"), whole(home / "m-00001-of-00002.gguf")
    half(first)
    delete_leftovers([str(second), str(first)], folder, [first])
    assert [name for name in left(folder) if not name.startswith(".")] == [first.name, second.name]


def test_a_projector_that_another_model_needs(folder: Path) -> None:
    home = folder / "maker" / "Model"
    projector, other = whole(home / "mmproj-F16.gguf"), whole(home / "other.gguf")
    place = half(home / "m.gguf")
    delete_leftovers([str(projector), str(place)], folder, [other])
    assert projector.exists()
    other.unlink()
    half(place)
    delete_leftovers([str(projector), str(place)], folder, ())
    assert not projector.exists()


def test_what_somebody_else_put_there(folder: Path) -> None:
    """A part without a word of where it came from was not fetched by us."""
    home = folder / "maker" / "Model"
    home.mkdir(parents=True)
    strange = home / "m-00002-of-00002.gguf"
    strange.write_bytes(b"mine")
    delete_leftovers([str(strange), str(home / "m-00001-of-00002.gguf")], folder, ())
    assert strange.read_bytes() == b"mine"


def test_another_process_fetches_it(folder: Path) -> None:
    place = half(folder / "m.gguf")
    unfinished = unfinished_path(place)
    lock = claim(unfinished.with_name(unfinished.name + ".lock"))
    assert lock is not None
    delete_leftovers([str(place)], folder, ())
    assert unfinished.exists()
    lock.close()


@pytest.mark.parametrize("inside", ["../victim.gguf", "a/../../victim.gguf"])
def test_nothing_outside_the_folder(folder: Path, inside: str) -> None:
    """The list may have been written by somebody else."""
    victim = half(folder.parent / "victim.gguf")
    delete_leftovers([str(folder / inside)], folder, ())
    delete_leftovers([str(victim)], folder, ())
    delete_leftovers([str(victim)], Path(), ())
    assert unfinished_path(victim).exists()
