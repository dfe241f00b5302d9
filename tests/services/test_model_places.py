"""The folders of the models: chosen, added, gone, and never the window's trouble."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from desktop.common.errors import StorageError, UsageError
from desktop.common.paths import Paths
from desktop.common.settings import Settings, SettingsStore
from desktop.services.model_places import ModelPlaces
from tests.ordinary_user import read_only


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "home")})
    paths.ensure()
    return paths


@pytest.fixture
def store(paths: Paths) -> SettingsStore:
    return SettingsStore(paths.settings_file)


@pytest.fixture
def places(paths: Paths, store: SettingsStore) -> ModelPlaces:
    return ModelPlaces(paths, store, free=lambda _folder: 5_000)


def test_at_first_there_is_the_apps_own_folder(places: ModelPlaces, paths: Paths) -> None:
    assert places.main() == paths.models_dir
    (main,) = places.all()
    assert (main.path, main.role, main.present, main.writable) == (
        paths.models_dir, "main", True, True,
    )  # fmt: skip
    assert main.free_bytes == 5_000
    paths.models_dir.rmdir()
    assert places.all()[0].present  # it is made when something is put into it


def test_another_place_is_chosen_and_the_old_ones_stay_known(
    places: ModelPlaces, paths: Paths, store: SettingsStore, tmp_path: Path
) -> None:
    (paths.models_dir / "old.gguf").write_bytes(b"x")
    first, second = tmp_path / "Größe" / "a", tmp_path / "b"
    assert places.choose_main(first).role == "main"
    assert places.main() == first
    assert [folder.path for folder in places.all()] == [first, paths.models_dir]
    places.choose_main(second)
    assert places.folders() == (second, paths.models_dir, first)
    assert places.is_ours(second)
    assert places.is_ours(paths.models_dir)
    assert not places.is_ours(first)
    places.choose_main(first)
    assert places.folders() == (first, paths.models_dir, second)
    places.choose_main(paths.models_dir)
    assert store.load().models_folder == ""
    (paths.models_dir / "old.gguf").unlink()
    assert [one.path for one in places.all()] == [paths.models_dir, second, first]


def test_folders_come_and_go(places: ModelPlaces, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    assert places.add(more).role == "more"
    places.add(more)
    assert places.folders()[1:] == (more,)
    more.rename(tmp_path / "pulled")
    gone = places.all()[1]
    assert (gone.present, gone.writable, gone.role) == (False, False, "more")
    (tmp_path / "pulled").rename(more)
    assert places.all()[1].present
    with read_only(more):
        shared = places.all()[1]
        assert (shared.role, shared.writable) == ("shared", False)
    assert list(more.iterdir()) == []
    places.remove(more)
    assert len(places.folders()) == 1
    assert more.is_dir()


def test_a_folder_that_does_not_answer_is_told_as_gone(
    paths: Paths, store: SettingsStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep, awake = tmp_path / "asleep", tmp_path / "awake"
    for folder in (asleep, awake):
        folder.mkdir()
    wake = threading.Event()

    def look(path: Path) -> bool:
        if path == asleep:
            assert wake.wait(30)
        return True

    places = ModelPlaces(paths, store)
    for folder in (asleep, awake):
        places.add(folder)
    monkeypatch.setattr("desktop.services.model_places.is_present", look)
    for _ in range(2):
        found = {folder.path: folder.present for folder in places.all(0.2)}
        assert found == {paths.models_dir: True, asleep: False, awake: True}
    assert sum(thread.name == "model-places" for thread in threading.enumerate()) == 1
    wake.set()
    assert all(folder.present for folder in places.all(20.0))


def test_what_cannot_be_is_refused(
    places: ModelPlaces, store: SettingsStore, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        places.add(tmp_path / "none")
    assert caught.value.kind == "not_a_folder"
    with pytest.raises(UsageError) as main:
        places.remove(places.main())
    assert main.value.kind == "main_folder_stays"
    locked = tmp_path / "locked"
    locked.mkdir()
    with read_only(locked), pytest.raises(StorageError) as refused:
        places.choose_main(locked)
    assert refused.value.kind == "read_only"
    with read_only(locked), pytest.raises(StorageError):
        places.choose_main(locked / "below")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError):
        places.choose_main(tmp_path / "file")
    assert store.load() == Settings()


def test_new_models_do_not_go_to_the_wrong_drive(
    places: ModelPlaces, paths: Paths, tmp_path: Path
) -> None:
    paths.models_dir.rmdir()
    assert places.for_new() == paths.models_dir
    assert paths.models_dir.is_dir()
    stick = tmp_path / "stick"
    places.choose_main(stick / "models")
    assert places.for_new() == stick / "models"
    (stick / "models").rmdir()
    assert places.for_new().is_dir()
    stick.rename(tmp_path / "pulled")
    with pytest.raises(StorageError) as caught:
        places.for_new()
    assert caught.value.kind == "models_drive_gone"
    assert not stick.exists()


def test_other_settings_are_kept(places: ModelPlaces, store: SettingsStore, tmp_path: Path) -> None:
    store.save(Settings(theme="dark", last_model="x"))
    places.choose_main(tmp_path / "m")
    kept = store.load()
    assert (kept.theme, kept.last_model, kept.models_folder) == ("dark", "x", str(tmp_path / "m"))
