"""What others do to the models is noticed, and a folder that hangs holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.common.paths import Paths
from desktop.common.settings import SettingsStore
from desktop.library import library as library_module
from desktop.library.library import Library
from desktop.library.scan import ScanChange, ScanReport
from desktop.services.library_watch import FolderLooks, LibraryChange, LibraryWatch, look_once
from desktop.services.model_places import ModelPlaces
from tests.gguf_files import LlamaShape

SHAPE = LlamaShape()


@pytest.fixture
def places(tmp_path: Path) -> ModelPlaces:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "home")})
    paths.ensure()
    return ModelPlaces(paths, SettingsStore(paths.settings_file))


@pytest.fixture
def library(tmp_path: Path, places: ModelPlaces, tiny_model: Path) -> Iterator[Library]:
    library = Library.open(tmp_path / "l.db", tiny_model, folders=places.folders)
    yield library
    library.close()


def _watch(library: Library, places: ModelPlaces) -> tuple[LibraryWatch, list[LibraryChange]]:
    watch, heard = LibraryWatch(library, places), list[LibraryChange]()
    watch.subscribe(heard.append)
    return watch, heard


def test_what_comes_goes_and_comes_back(
    library: Library, places: ModelPlaces, tmp_path: Path
) -> None:
    watch, heard = _watch(library, places)
    assert not watch.round()
    path = SHAPE.write(places.main() / "m.gguf")
    change = watch.round()
    assert [(one.outcome, one.name) for one in change.changes] == [("added", "Test-Q4_K_M")]
    assert not watch.round()
    path.rename(tmp_path / "away.gguf")
    assert watch.round().gone == ("Test-Q4_K_M",)
    (tmp_path / "away.gguf").rename(path)
    assert watch.round().back == ("Test-Q4_K_M",)
    assert [bool(one) for one in heard] == [True] * 3


def test_a_model_outside_of_all_folders_is_watched_too(
    library: Library, places: ModelPlaces, tmp_path: Path
) -> None:
    watch, _ = _watch(library, places)
    path = SHAPE.write(tmp_path / "elsewhere.gguf")
    name = library.add(path).name
    watch.round()
    path.unlink()
    assert watch.round().gone == (name,)


def test_a_folder_that_has_not_changed_is_not_looked_through(
    library: Library, places: ModelPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    look_through = Library.look_through

    def count(self: Library, folder: Path, **more: object) -> ScanReport:
        looked.append(folder)
        return look_through(self, folder, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(library_module.Library, "look_through", count)
    now = [0.0]
    (places.main() / "sub").mkdir()
    looks = FolderLooks(library, places, clock=lambda: now[0])
    looks.look()
    looks.look()
    assert looked == [places.main()]
    SHAPE.write(places.main() / "sub" / "m.gguf")
    looks.look()
    assert len(looked) == 2
    now[0] += 61
    looks.look()
    assert len(looked) == 3  # some file systems note no time
    looks.look(full=True)
    assert len(looked) == 4


def test_a_file_that_is_still_being_copied_is_looked_at_again(
    library: Library, places: ModelPlaces, tmp_path: Path
) -> None:
    whole = SHAPE.write(tmp_path / "whole.gguf").read_bytes()
    now, told = [100.0], list[str]()
    looks = FolderLooks(
        library,
        places,
        lambda change: told.extend(one.outcome for one in change.changes),
        clock=lambda: now[0],
    )
    path = places.main() / "m.gguf"
    with path.open("wb") as copy:
        copy.write(whole[:1000])
        copy.flush()
        looks.look()
        assert told == []
        copy.write(whole[1000:])
    now[0] += 3
    looks.look()  # its folder has the same time as before
    assert told == ["added"]


def test_a_folder_that_hangs_holds_up_no_other(
    library: Library, places: ModelPlaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = tmp_path / "asleep"
    asleep.mkdir()
    places.add(asleep)
    SHAPE.write(places.main() / "m.gguf")
    SHAPE.with_(vocab=301).write(asleep / "late.gguf")
    wake = threading.Event()
    is_present = library_module.Library.look_through

    def hang(self: Library, folder: Path, **more: object) -> ScanReport:
        if folder == asleep:
            assert wake.wait(30)
        return is_present(self, folder, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(library_module.Library, "look_through", hang)
    told: list[str] = []
    arrived = threading.Event()

    def hear(change: LibraryChange) -> None:
        told.extend(one.path.name for one in change.changes)
        if "late.gguf" in told:
            arrived.set()

    looks = FolderLooks(library, places, hear)
    assert looks.look(0.5) == (asleep,)
    assert told == ["m.gguf"]
    assert looks.look(0.1) == (asleep,)
    wake.set()
    assert arrived.wait(20)


def test_a_folder_that_nobody_wants_any_more(
    library: Library, places: ModelPlaces, tmp_path: Path
) -> None:
    more = tmp_path / "more"
    more.mkdir()
    SHAPE.write(more / "m.gguf")
    SHAPE.with_(vocab=301).write(places.main() / "own.gguf")
    places.add(more)
    watch, _ = _watch(library, places)
    watch.round()
    assert len(library.list()) == 3
    places.remove(more)
    watch.round()
    assert [model.path.name for model in library.list()[1:]] == ["own.gguf"]
    assert (more / "m.gguf").exists()
    places.add(more)
    watch.round()
    assert len(library.list()) == 3


def test_it_runs_by_itself_until_it_is_closed(library: Library, places: ModelPlaces) -> None:
    watch = LibraryWatch(library, places, every_s=0.01)
    found = threading.Event()

    def hear(change: LibraryChange) -> None:
        if any(one.outcome == "added" for one in change.changes):
            found.set()

    leave = watch.subscribe(hear)
    watch.start()
    watch.start()
    SHAPE.write(places.main() / "m.gguf")
    watch.look_now()
    assert found.wait(20)
    leave()
    leave()
    watch.close()
    watch.close()
    assert [model.name for model in library.list()] == ["guide", "Test-Q4_K_M"]


def test_a_full_disk_does_not_end_the_watch(library: Library, places: ModelPlaces) -> None:
    watch = LibraryWatch(library, places, every_s=0.01)
    library.close()  # every question fails from now on
    watch.start()
    watch.close()
    look_once(library, places, 5.0)


def test_what_a_large_folder_still_brings_is_told_as_it_comes(
    library: Library, places: ModelPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of new models take longer than the watch's patience: the rest came a minute later,
    because the pause was thirty times what the round had taken."""
    first, second = "Test-Q4_K_M", "Test-Q4_K_M-2"
    heard = threading.Event()
    real = Library.look_through

    def slow(self: Library, folder: Path, **more: Any) -> ScanReport:
        tell = more.pop("on_change")

        def one_by_one(change: ScanChange) -> None:
            if change.name == second:
                assert heard.wait(30)
            tell(change)

        return real(self, folder, on_change=one_by_one, **more)

    monkeypatch.setattr(Library, "look_through", slow)
    monkeypatch.setattr(FolderLooks.look, "__defaults__", (0.5,))  # thirty times: 15 s
    for number, name in enumerate(("a.gguf", "b.gguf")):
        SHAPE.with_(vocab=300 + number).write(places.main() / name)
    watch = LibraryWatch(library, places, every_s=0.01)
    all_heard = threading.Event()

    def hear(change: LibraryChange) -> None:
        names = {one.name for one in change.changes}
        if first in names:
            heard.set()
        if second in names:
            all_heard.set()

    watch.subscribe(hear)
    watch.start()
    assert all_heard.wait(10)
    watch.close()
