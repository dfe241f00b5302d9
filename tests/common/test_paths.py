from __future__ import annotations

import dataclasses
from pathlib import Path

import platformdirs
import pytest

from desktop.common.errors import StorageError
from desktop.common.paths import Paths
from tests.ordinary_user import read_only


def test_the_variable_moves_everything(tmp_path: Path) -> None:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "mein Häuschen")})
    for field in dataclasses.fields(paths):
        assert getattr(paths, field.name).is_relative_to(tmp_path / "mein Häuschen")
    assert not (tmp_path / "mein Häuschen").exists()  # looking makes nothing


def test_a_relative_home_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Paths.from_environment({"HAUSGEIST_HOME": "here"}).home == tmp_path / "here"


def test_without_the_variable_the_systems_folders_are_taken() -> None:
    for env in ({}, {"HAUSGEIST_HOME": "  "}):
        paths = Paths.from_environment(env)
        assert paths.data_dir == Path(platformdirs.user_data_dir("hausgeist", appauthor=False))
        assert paths.cache_dir == Path(platformdirs.user_cache_dir("hausgeist", appauthor=False))


def test_an_account_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: "~/.local/share/hausgeist")
    with pytest.raises(StorageError) as caught:
        Paths.from_environment({})
    assert caught.value.kind == "no_home"


def test_a_home_of_an_unknown_user_is_told() -> None:
    with pytest.raises(StorageError) as caught:
        Paths.from_environment({"HAUSGEIST_HOME": "~no-such-user-here/x"})
    assert caught.value.kind == "no_home"


def test_ensure_makes_the_folders_and_leaves_no_trace_of_its_try(tmp_path: Path) -> None:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "home")})
    paths.ensure()
    paths.ensure()
    assert paths.models_dir.is_dir()
    assert paths.log_file.parent.is_dir()
    assert [entry.name for entry in paths.data_dir.iterdir()] == ["logs"]


def test_a_read_only_home_is_told(tmp_path: Path) -> None:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "home")})
    with read_only(tmp_path), pytest.raises(StorageError) as caught:
        paths.ensure()
    assert caught.value.kind == "read_only_home"


def test_a_home_that_became_read_only_is_told(tmp_path: Path) -> None:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "home")})
    paths.ensure()
    with read_only(paths.data_dir), pytest.raises(StorageError) as caught:
        paths.ensure()
    assert caught.value.kind == "read_only_home"


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(tmp_path / "home")})
    with pytest.raises(StorageError) as caught:
        paths.ensure()
    assert caught.value.kind == "storage"
