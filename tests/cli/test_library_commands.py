"""list, verify, remove: what scripts and people get to know of their models."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import threading
from pathlib import Path

import pytest

from desktop.common.settings import Settings, SettingsStore
from desktop.library.library import Library
from desktop.library.scan import ScanReport
from desktop.library.trash import to_trash
from desktop.services import removal
from tests.cli.running import Cli
from tests.tiny_models import write_tiny_model


def _import(cli: Cli, path: Path, *options: str) -> str:
    (model,) = cli("import", str(path), *options, "--json").json["imported"]
    return str(model["name"])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_copy_that_rots_is_found_out(cli: Cli, tmp_path: Path) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=3)
    name = _import(cli, file, "--copy")
    done = cli("verify", name, "--json")
    assert done.code == 0
    expected = _sha256(file)
    seconds = done.json.pop("seconds")
    assert 0 <= seconds < 30
    assert done.json["ok"] is True
    assert (done.json["sha256"], done.json["expected"]) == (expected, expected)
    assert done.json["bytes"] == file.stat().st_size
    assert "whole" in cli("verify", name).out
    assert cli("list", "--json").json[1]["verified_at"] is not None
    copy = Path(cli("list", "--json").json[1]["path"])
    raw = bytearray(copy.read_bytes())
    raw[-100] ^= 1
    copy.write_bytes(raw)
    done = cli("verify", name, "--json")
    assert done.code == 1
    assert (done.json["ok"], done.json["expected"]) == (False, expected)
    assert done.json["error"]["kind"] == "hash_wrong_since_import"
    said = cli("verify", name)
    assert said.code == 1
    assert str(copy) in said.err
    listed = cli("list", "--json").json[1]
    assert (listed["verified_at"], listed["is_damaged"]) == (None, True)
    assert "damaged" in cli("list").out
    assert _import(cli, copy) == name  # it is meant to be so
    assert cli("verify", name, "--json").json["ok"] is True


def test_a_file_that_was_fetched_is_compared_with_what_the_hub_said(
    cli: Cli, tmp_path: Path, hausgeist_home: Path
) -> None:
    folder = hausgeist_home / "models" / "org" / "repo"
    folder.mkdir(parents=True)
    file = write_tiny_model(folder / "m-Q8_0.gguf", seed=4)
    note = {
        "repo": "org/repo",
        "path": "m-Q8_0.gguf",
        "commit": "c" * 40,
        "sha256": _sha256(file),
        "is_verified": True,
        "size_bytes": file.stat().st_size,
        "mtime_ns": file.stat().st_mtime_ns,
    }
    (folder / ".m-Q8_0.gguf.origin.json").write_text(json.dumps(note))
    (listed,) = cli("list", "--json").json[1:]
    assert listed["origin"]["kind"] == "hub"
    assert listed["origin"]["where"] == "org/repo"
    assert listed["sha256"] == _sha256(file)
    assert listed["source"] == "copy"
    done = cli("verify", listed["name"], "--json")
    assert (done.code, done.json["ok"], done.json["basis"]) == (0, True, "origin")
    with file.open("r+b") as changed:
        changed.seek(-7, 2)
        changed.write(b"x")
    done = cli("verify", str(file), "--json")
    assert (done.code, done.json["error"]["kind"]) == (1, "hash_wrong")


def test_a_file_nobody_knows_is_said_to_be_unknown(cli: Cli, tmp_path: Path) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=5)
    done = cli("verify", str(file), "--json")
    assert (done.code, done.json["ok"], done.json["expected"]) == (0, None, None)
    assert done.json["sha256"] == _sha256(file)
    assert "nothing to compare" in cli("verify", str(file)).out
    assert cli("verify", "nobody", "--json").json["error"]["kind"] == "unknown_model"
    gone = cli("verify", str(tmp_path / "none.gguf"), "--json")
    assert (gone.code, gone.json["error"]["kind"]) == (1, "not_found")


def test_own_files_go_to_the_trash(cli: Cli, tmp_path: Path, trash_of_the_tests: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("the trash of the test's own is a freedesktop one")
    name = _import(cli, write_tiny_model(tmp_path / "trashed.gguf", seed=6), "--copy")
    copy = Path(cli("list", "--json").json[1]["path"])
    size = copy.stat().st_size
    done = cli("remove", name, "--json")
    assert done.code == 0
    assert (done.json["deleted"], done.json["freed_bytes"]) == (True, size)
    assert not copy.exists()
    if done.json["trashed"]:
        assert list((trash_of_the_tests / "files").glob("trashed*"))


def test_without_a_trash_it_is_said_before(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        removal.ModelRemover.__init__,
        "__kwdefaults__",
        {
            "trash": to_trash,
            "has_trash": lambda _path: False,
        },
    )
    file = write_tiny_model(tmp_path / "m.gguf", seed=7)
    name = _import(cli, file)
    kept = cli("remove", name, "--keep")
    assert (kept.code, file.exists()) == (0, True)
    name = _import(cli, file)
    done = cli("remove", name, "--delete")
    assert done.code == 0
    assert "deleted for good" in done.err
    assert not file.exists()
    assert cli("remove", "x", "--keep", "--delete", "--json").code == 2


def test_a_model_that_was_let_go_does_not_come_back_by_itself(
    cli: Cli, hausgeist_home: Path
) -> None:
    (hausgeist_home / "models").mkdir(parents=True, exist_ok=True)
    write_tiny_model(hausgeist_home / "models" / "found.gguf", seed=8)
    (listed,) = cli("list", "--json").json[1:]
    cli("remove", listed["name"], "--keep")
    assert len(cli("list", "--json").json) == 1
    assert _import(cli, Path(listed["path"])) == listed["name"]
    assert len(cli("list", "--json").json) == 2


def test_the_list_in_another_order(cli: Cli, tmp_path: Path) -> None:
    small = _import(cli, write_tiny_model(tmp_path / "z.gguf", seed=9))
    done = cli("list", "--sort", "size", "--json")
    sizes = [model["file_bytes"] for model in done.json]
    assert sizes == sorted(sizes, reverse=True)
    copy = tmp_path / "twin.gguf"
    copy.write_bytes((tmp_path / "z.gguf").read_bytes())
    _import(cli, copy)
    listed = {model["name"]: model for model in cli("list", "--json").json}
    assert listed[small]["duplicates"] == [str(copy)]
    said = cli("list")
    assert str(copy) in said.out
    assert "2 models" in said.out
    assert cli("list", "--sort", "colour").code == 2


def test_folders_of_the_settings_are_listed(cli: Cli, tmp_path: Path, hausgeist_home: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    write_tiny_model(share / "office.gguf", seed=10)
    settings = hausgeist_home / "data" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    SettingsStore(settings).save(Settings(more_folders=(str(share), str(tmp_path / "gone"))))
    (listed,) = cli("list", "--json").json[1:]
    assert (listed["folder"], listed["source"]) == (str(share), "import")
    share.rename(tmp_path / "unplugged")
    (listed,) = cli("list", "--json").json[1:]
    assert (listed["problem"], listed["verdict"]) == ("drive_gone", None)
    assert cli("verify", listed["name"], "--json").json["error"]["kind"] == "drive_gone"
    (tmp_path / "unplugged").rename(share)
    assert cli("list", "--json").json[1]["problem"] is None


def test_any_command_finds_its_model_when_all_data_is_lost(cli: Cli, hausgeist_home: Path) -> None:
    folder = hausgeist_home / "models" / "org"
    folder.mkdir(parents=True)
    write_tiny_model(folder / "m.gguf", seed=11)
    (listed,) = cli("list", "--json").json[1:]
    shutil.rmtree(hausgeist_home / "data")
    done = cli("fit", listed["name"], "--json")
    assert (done.code, done.json["model"]["layers"]) == (0, 2)


def test_a_folder_that_takes_too_long_is_named(
    cli: Cli, hausgeist_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setattr("desktop.cli.list_models.LOOK_S", 0.05)
    monkeypatch.setattr("desktop.services.core.LOOK_WITHIN_S", 0.05)

    def look(_library: Library, folder: Path, **_more: object) -> ScanReport:
        assert done.wait(30)
        return ScanReport(folder, 0, 0, (), {}, (), complete=False)

    monkeypatch.setattr(Library, "look_through", look)
    said = cli("list", "--json")
    done.set()
    assert [model["name"] for model in said.json] == ["guide"]
    assert str(hausgeist_home / "models") in said.err
