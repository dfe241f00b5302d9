from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.atomic import replace, write_atomic
from desktop.common.errors import StorageError
from tests.ordinary_user import read_only


def test_writes_and_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "neu" / "größe.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_read_only_folder_is_told_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with read_only(tmp_path), pytest.raises(StorageError) as caught:
        write_atomic(path, b"new")
    assert caught.value.kind == "read_only"
    assert path.read_bytes() == b"old"


def test_a_failure_at_the_last_step_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.mkdir()  # a folder cannot be replaced by a file
    (path / "inside").touch()
    with pytest.raises(StorageError):
        write_atomic(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_windows_is_asked_again_while_a_scanner_holds_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Path.replace
    refusals = [PermissionError(13, "in use"), PermissionError(13, "in use")]

    def sometimes(path: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return really(path, target)

    monkeypatch.setattr(Path, "replace", sometimes)
    (tmp_path / "new").write_bytes(b"new")
    replace(tmp_path / "new", tmp_path / "file", pauses_s=(0.0, 0.0))
    assert (tmp_path / "file").read_bytes() == b"new"
    refusals.append(PermissionError(13, "in use"))
    with pytest.raises(PermissionError):
        replace(tmp_path / "file", tmp_path / "other", pauses_s=())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_is_told_by_its_name(tmp_path: Path) -> None:
    from desktop.common.storage import storage_error

    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as full:  # noqa: PT011
        full.write(b"x")
    assert storage_error(caught.value, tmp_path).kind == "disk_full"
