"""Letting models go: what happens to which file, said before and done so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from desktop.common.drives import DriveKind
from desktop.common.errors import StorageError
from desktop.library.library import Library
from desktop.library.origin import Origin, OriginKind
from desktop.library.recycle_bin import BinRules, takes
from desktop.library.trash import can_trash, to_trash
from desktop.services.removal import ModelRemover
from tests.fit.projectors import write_siglip
from tests.gguf_files import LlamaShape, write_split

SHAPE = LlamaShape()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "org").mkdir(parents=True)
    return folder


@pytest.fixture
def library(tmp_path: Path, own: Path, tiny_model: Path) -> Iterator[Library]:
    library = Library.open(tmp_path / "l.db", tiny_model, folders=lambda: (own,))
    yield library
    library.close()


class Bin:
    """A trash that can be looked into."""

    def __init__(self, *, full: bool = False) -> None:
        self.files: list[Path] = []
        self._full = full

    def take(self, files: Sequence[Path]) -> None:
        if self._full:
            raise StorageError("no_trash", path=str(files[0]))
        for file in files:
            self.files.append(file)
            file.unlink()


def test_all_that_is_ours_goes_to_the_trash(library: Library, own: Path) -> None:
    tensors = SHAPE.tensors()
    first = write_split(own / "org" / "m.gguf", SHAPE.metadata(), [tensors[:5], tensors[5:]])
    eyes = write_siglip(own / "org" / "mmproj.gguf", layers=1, language_width=SHAPE.embedding)
    (own / "org" / f".{first.name}.origin.json").write_text("{}")
    name = library.add(first, source="copy").name
    trash = Bin()
    remover = ModelRemover(library, trash=trash.take, has_trash=lambda _path: True)
    files = {*library.parts(name), eyes}
    planned = remover.plan(name)
    assert (planned.destination, set(planned.files)) == ("trash", files)
    assert planned.frees_bytes == sum(file.stat().st_size for file in files)
    assert remover.remove(name) == planned
    assert set(trash.files) == files
    assert list(own.iterdir()) == []  # its empty folder, too
    assert len(library.list()) == 1


def test_a_projector_that_another_needs_stays(library: Library, own: Path) -> None:
    eyes = write_siglip(own / "org" / "mmproj.gguf", layers=1, language_width=SHAPE.embedding)
    one = library.add(SHAPE.write(own / "org" / "a.gguf"), source="copy").name
    library.add(SHAPE.with_(vocab=301).write(own / "org" / "b.gguf"), source="copy")
    trash = Bin()
    ModelRemover(library, trash=trash.take, has_trash=lambda _path: True).remove(one)
    assert [file.name for file in trash.files] == ["a.gguf"]
    assert eyes.exists()


def test_what_is_not_ours_stays_unless_asked(library: Library, tmp_path: Path) -> None:
    path = SHAPE.write(tmp_path / "mine.gguf")
    name = library.add(path).name
    trash = Bin()
    remover = ModelRemover(library, trash=trash.take, has_trash=lambda _path: False)
    assert (remover.plan(name).destination, remover.plan(name).belongs_to) == ("stays", "user")
    planned = remover.plan(name, delete=True)
    assert (planned.destination, planned.files) == ("gone", (path,))
    assert remover.plan(name, delete=True, for_good=True).destination == "gone"
    remover.remove(name)
    assert path.exists()
    name = library.add(path).name
    remover.remove(name, delete=True)
    assert not path.exists()
    assert trash.files == []


@pytest.mark.parametrize("kind", ["ollama", "lmstudio", "huggingface", "jan", "gpt4all"])
def test_other_programs_keep_their_files_whatever_is_asked(
    library: Library, tmp_path: Path, kind: OriginKind
) -> None:
    path = SHAPE.write(tmp_path / "blob")
    name = library.add(path, origin=Origin(kind, "there")).name
    removal = ModelRemover(library).remove(name, delete=True, for_good=True)
    assert (removal.destination, removal.belongs_to) == ("stays", kind)
    assert path.exists()
    assert len(library.list()) == 1


def test_a_shared_folder_keeps_its_files(
    library: Library, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.library.presence.may_write", lambda _folder: False)
    path = SHAPE.write(own / "m.gguf")
    name = library.add(path, source="copy").name
    removal = ModelRemover(library).remove(name, delete=True)
    assert (removal.destination, removal.belongs_to) == ("stays", "shared")
    assert path.exists()


def test_a_trash_that_refuses_after_all_changes_nothing(library: Library, own: Path) -> None:
    path = SHAPE.write(own / "m.gguf")
    name = library.add(path, source="copy").name
    remover = ModelRemover(library, trash=Bin(full=True).take, has_trash=lambda _path: True)
    with pytest.raises(StorageError) as caught:
        remover.remove(name)
    assert caught.value.kind == "no_trash"
    assert path.exists()
    assert library.get(name).problem == ""
    remover.remove(name, for_good=True)
    assert not path.exists()


def test_a_file_that_is_gone_is_only_forgotten(library: Library, own: Path) -> None:
    path = SHAPE.write(own / "m.gguf")
    name = library.add(path, source="copy").name
    path.unlink()
    removal = ModelRemover(library).remove(name)
    assert (removal.destination, removal.frees_bytes) == ("stays", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="counted as one there, too, but made elsewhere")
def test_a_hard_link_frees_nothing(library: Library, own: Path, tmp_path: Path) -> None:
    path = SHAPE.write(own / "m.gguf")
    os.link(path, tmp_path / "another name")
    name = library.add(path, source="copy").name
    assert ModelRemover(library, has_trash=lambda _path: False).plan(name).frees_bytes == 0


@pytest.mark.parametrize(
    ("platform", "kind", "expected"),
    [
        ("win32", "local", True),
        ("win32", "removable", False),
        ("win32", "network", False),
        ("win32", "unknown", False),
        ("darwin", "removable", True),
        ("darwin", "network", False),
    ],
)
def test_which_drives_have_a_trash(
    tmp_path: Path, platform: str, kind: DriveKind, *, expected: bool
) -> None:
    asked = can_trash(
        tmp_path, platform=platform, kind_of=lambda _path: kind, takes=lambda _path, _size: True
    )
    assert asked is expected


@pytest.mark.parametrize(
    ("rules", "size_gb", "expected"),
    [
        (BinRules(), 40, True),
        (BinRules(), 60, False),
        (BinRules(capacity_bytes=5 * 10**9), 4, True),
        (BinRules(capacity_bytes=5 * 10**9), 6, False),
        (BinRules(capacity_bytes=5 * 10**9, is_off=True), 1, False),
    ],
)
def test_what_windows_bin_keeps(rules: BinRules, size_gb: int, *, expected: bool) -> None:
    assert takes(rules, size_gb * 10**9, 1000 * 10**9) is expected


def test_a_file_too_large_for_windows_bin_is_deleted_for_good(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(b"x" * 100)
    sizes: list[int] = []

    def take(_path: Path, size: int) -> bool:
        sizes.append(size)
        return False

    assert not can_trash(file, platform="win32", kind_of=lambda _path: "local", takes=take)
    assert sizes == [100]


@pytest.mark.skipif(sys.platform != "linux", reason="the trash of the tests is a freedesktop one")
def test_the_real_trash(tmp_path: Path, trash_of_the_tests: Path) -> None:
    file = tmp_path / "weg damit.gguf"
    file.write_bytes(b"x")
    if not can_trash(file):
        pytest.skip("no trash on this drive")
    to_trash([file, tmp_path / "never there"])
    assert not file.exists()
    assert (trash_of_the_tests / "files" / "weg damit.gguf").read_bytes() == b"x"


def test_a_trash_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(b"x")

    def fail(_file: Path) -> None:
        raise OSError("no trash here")

    monkeypatch.setattr("send2trash.send2trash", fail)
    with pytest.raises(StorageError) as caught:
        to_trash([file])
    assert caught.value.kind == "no_trash"
    assert file.exists()
