from __future__ import annotations

import errno
from pathlib import Path

import pytest

from desktop.common.storage import free_bytes, free_name, storage_error


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EROFS, "read_only"),
        (errno.EACCES, "read_only"),
        (errno.EPERM, "read_only"),
        (errno.EIO, "storage"),
        (errno.ENOTDIR, "storage"),
    ],
)
def test_the_systems_numbers_become_kinds(number: int, kind: str) -> None:
    error = storage_error(OSError(number, "words"), Path("/somewhere"))
    assert error.kind == kind
    assert error.params["path"] == str(Path("/somewhere"))
    assert "words" in error.detail


def test_windows_says_full_in_its_own_way() -> None:
    error = OSError(errno.EINVAL, "There is not enough space on the disk")
    error.winerror = 112  # type: ignore[attr-defined,unused-ignore]
    assert storage_error(error, Path("D:")).kind == "disk_full"


def test_free_bytes_of_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0


def test_free_name_counts_on(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    first = free_name(path, "damaged")
    assert first.name == "chats.db.damaged-1"
    first.touch()
    assert free_name(path, "damaged").name == "chats.db.damaged-2"
