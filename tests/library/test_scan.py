"""Looking through folders: what is found, what is left alone, what is not opened twice."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import StorageError
from desktop.library import intake
from desktop.library.index import Index
from desktop.library.index_entry import Entry
from desktop.library.library import Library
from desktop.library.scan import MAX_DEPTH, ScanReport, Walk, models_in
from tests.fit.projectors import write_siglip
from tests.gguf_files import LlamaShape, write_gguf, write_split
from tests.ordinary_user import ordinary_user

SHAPE = LlamaShape()


def _write(path: Path, name: str = "Small Model") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return SHAPE.write(path, general__name=name)


def _found(folder: Path) -> list[str]:
    return [str(one.path.relative_to(folder)) for one in models_in(folder, Walk())]


def _look(library: Library, folder: Path, *, is_ours: bool = True) -> ScanReport:
    return library.look_through(folder, is_ours=is_ours)


def _outcomes(report: ScanReport) -> list[str]:
    return [change.outcome for change in report.changes]


def _names(library: Library) -> list[str]:
    return [model.name for model in library.list()][1:]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "models"
    made.mkdir()
    return made


def test_models_of_all_folders_are_found_and_nothing_else(folder: Path) -> None:
    _write(folder / "b.gguf")
    _write(folder / "org" / "repo" / "a.GGUF")
    _write(folder / ".cache" / "hidden.gguf")
    _write(folder / ".hidden.gguf")
    _write(folder / "mmproj-x.gguf")
    (folder / "notes.txt").write_text("no model")
    (folder / "folder.gguf").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.gguf")
    (folder / "nowhere.gguf").symlink_to(folder / "not there")
    tensors = SHAPE.tensors()
    write_split(folder / "big.gguf", SHAPE.metadata(), [tensors[:5], tensors[5:]])
    assert _found(folder) == ["b.gguf", "big-00001-of-00002.gguf", "org/repo/a.GGUF"]
    found = next(models_in(folder, Walk()))
    assert [path for path, _ in found.projectors] == [folder / "mmproj-x.gguf"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_loops_of_links_end(folder: Path, tmp_path: Path) -> None:
    _write(folder / "a" / "m.gguf")
    (folder / "a" / "up").symlink_to(folder)
    (folder / "a" / "self").symlink_to(folder / "a")
    (folder / "dead").symlink_to(folder / "dead")
    other = tmp_path / "other drive"
    _write(other / "linked.gguf")
    (folder / "there").symlink_to(other)
    (other / "back").symlink_to(folder)
    walk = Walk()
    found = [one.path.name for one in models_in(folder, walk)]
    assert sorted(found) == ["linked.gguf", "m.gguf"]
    assert len(walk.folders) == 3


def test_folders_without_end_are_not_followed(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * (MAX_DEPTH + 3))
    _write(deep / "m.gguf")
    _write(folder.joinpath(*["d"] * MAX_DEPTH) / "last.gguf")
    assert [Path(one).name for one in _found(folder)] == ["last.gguf"]


def test_a_folder_that_may_not_be_read_does_not_stop_the_others(folder: Path) -> None:
    _write(folder / "locked" / "a.gguf")
    _write(folder / "open" / "b.gguf")
    (folder / "locked").chmod(0)
    walk = Walk()
    try:
        with ordinary_user():
            found = [one.path.name for one in models_in(folder, walk)]
    finally:
        (folder / "locked").chmod(0o755)
    assert found == ["b.gguf"]
    assert walk.unreadable == [folder / "locked"]


def test_a_folder_of_its_own_inside_another_is_left_to_itself(
    library: Library, folder: Path
) -> None:
    _write(folder / "main" / "ours.gguf", "Ours")
    _write(folder / "theirs.gguf", "Theirs")
    both = (folder, folder / "main")
    library.look_through(folder, is_ours=False, leave_out=both)
    library.look_through(folder / "main", is_ours=True, leave_out=both)
    sources = {model.path.stem: model.source for model in library.list()[1:]}
    assert sources == {"ours": "copy", "theirs": "import"}


def test_it_stops_when_nobody_waits_any_more(folder: Path) -> None:
    for number in range(2000):
        (folder / f"{number}.gguf").touch()
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1

    walk = Walk()
    list(models_in(folder, walk, stop))
    assert walk.files < 2000


def test_what_lies_there_is_taken_in_once(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(folder / "a.gguf", "A")
    _write(folder / "org" / "repo" / "b.gguf", "B")
    (folder / "broken.gguf").write_bytes(b"GGUF\x03")
    write_gguf(folder / "lora.gguf", {"general.architecture": "llama", "general.type": "adapter"})
    first = _look(library, folder)
    assert sorted(_outcomes(first)) == ["added", "added", "unusable"]
    assert (first.models, first.complete) == (4, True)
    assert _names(library) == ["A-Q4_K_M", "B-Q4_K_M"]
    assert {model.source for model in library.list()[1:]} == {"copy"}
    opened: list[Path] = []
    monkeypatch.setattr(intake, "read_header", lambda path: opened.append(path))
    second = _look(library, folder)
    assert (second.changes, opened) == ((), [])


def test_a_projector_that_comes_later_is_found(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(folder / "m.gguf")
    write_siglip(folder / "mmproj-of-another.gguf", layers=1, language_width=512)
    assert _outcomes(_look(library, folder)) == ["added"]
    renewed: list[str] = []

    def count(entry: Entry) -> Entry:
        renewed.append(entry.name)
        return entry

    monkeypatch.setattr(intake, "renewed", count)
    assert _outcomes(_look(library, folder)) == []
    assert renewed == []  # the other one is not tried at every look
    monkeypatch.undo()
    eyes = write_siglip(folder / "mmproj.gguf", layers=1, language_width=SHAPE.embedding)
    assert _outcomes(_look(library, folder)) == ["changed"]
    (model,) = library.list()[1:]
    assert (model.projector, model.abilities) == (eyes, ("vision",))
    assert _outcomes(_look(library, folder)) == []


def test_a_file_that_was_broken_is_tried_again_when_it_was_written(
    library: Library, folder: Path
) -> None:
    whole = _write(folder.parent / "whole.gguf").read_bytes()
    (folder / "m.gguf").write_bytes(whole[:-100_000])
    assert _outcomes(_look(library, folder)) == ["unusable"]
    (folder / "m.gguf").write_bytes(whole)
    assert _outcomes(_look(library, folder)) == ["added"]


def test_a_file_that_was_written_anew_is_read_anew(library: Library, folder: Path) -> None:
    path = _write(folder / "m.gguf", "First")
    _look(library, folder)
    SHAPE.with_(context=4096).write(path, general__name="Second")
    assert _outcomes(_look(library, folder)) == ["changed"]
    (model,) = library.list()[1:]
    assert (model.name, model.context_tokens) == ("First-Q4_K_M", 4096)
    path.write_bytes(path.read_bytes()[:5000])  # half a copy: its entry says so, a scan keeps still
    assert _outcomes(_look(library, folder)) == []
    assert library.list()[1].problem == "truncated_gguf"


def test_a_file_that_somebody_moved_keeps_its_name_and_its_past(
    library: Library, folder: Path
) -> None:
    path = _write(folder / "m.gguf")
    _look(library, folder)
    library.rename("Small-Model-Q4_K_M", "Liebling")
    library.touch("Liebling")
    library.know_hashes("Liebling", ("a" * 64,))
    (folder / "sub").mkdir()
    path.rename(folder / "sub" / "renamed.gguf")
    assert library.get("Liebling").problem == "vanished"
    assert _outcomes(_look(library, folder)) == ["moved"]
    (model,) = library.list()[1:]
    assert (model.name, model.path) == ("Liebling", folder / "sub" / "renamed.gguf")
    assert model.last_used_at is not None
    assert library.hashes("Liebling") == ("a" * 64,)


def test_the_same_model_twice_is_one_entry_with_a_copy(library: Library, folder: Path) -> None:
    path = _write(folder / "a.gguf")
    twin = folder / "z.gguf"
    twin.write_bytes(path.read_bytes())
    report = _look(library, folder)
    assert _outcomes(report) == ["added"]
    (model,) = library.list()[1:]
    assert library.duplicates(model.name) == (twin,)
    assert _look(library, folder).changes == ()
    path.unlink()
    assert _outcomes(_look(library, folder)) == ["moved"]
    assert library.list()[1].path == twin
    assert library.duplicates(model.name) == ()


def test_a_model_that_was_let_go_stays_away_until_it_is_asked_for(
    library: Library, folder: Path
) -> None:
    path = _write(folder / "a.gguf")
    _look(library, folder)
    library.remove("Small-Model-Q4_K_M", delete_file=False)
    assert _look(library, folder).changes == ()
    assert _names(library) == []
    assert library.add(path).name == "Small-Model-Q4_K_M"


def test_a_lost_index_comes_back_from_the_files(tmp_path: Path, guide: Path, folder: Path) -> None:
    (folder / "org").mkdir()
    path = _write(folder / "org" / "m.gguf")
    note = (
        '{"repo": "org/repo", "path": "m.gguf", "commit": "c", "sha256": "' + "A" * 64 + '",'
        ' "is_verified": true, "size_bytes": 1, "mtime_ns": 2}'
    )
    (folder / "org" / ".m.gguf.origin.json").write_text(note)
    library = Library.open(tmp_path / "l.db", guide, folders=lambda: (folder,))
    _look(library, folder)
    before = library.list()
    library.close()
    for file in tmp_path.glob("l*.*"):
        file.unlink()
    for file in tmp_path.glob("library.jsonl*"):
        file.unlink()
    library = Library.open(tmp_path / "l.db", guide, folders=lambda: (folder,))
    assert _names(library) == []
    _look(library, folder)
    (model,) = library.list()[1:]
    assert (model.path, model.content) == (path, before[1].content)
    assert model.origin is not None
    assert (model.origin.kind, model.origin.where) == ("hub", "org/repo")
    assert library.hashes(model.name) == ("a" * 64,)
    assert (model.folder, model.is_shared) == (folder, False)
    library.close()


def test_a_disk_that_fills_up_during_a_look_loses_nothing(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        SHAPE.with_(vocab=300 + number).write(folder / f"{number}.gguf", general__name=f"M{number}")
    insert = Index.insert
    room = [2]

    def fill(self: Index, *arguments: Any) -> Entry:
        if not room[0]:
            raise StorageError("disk_full", path="library.db")
        room[0] -= 1
        return insert(self, *arguments)

    monkeypatch.setattr(Index, "insert", fill)
    with pytest.raises(StorageError) as caught:
        _look(library, folder)
    assert caught.value.kind == "disk_full"
    assert _names(library) == ["M0-Q4_K_M", "M1-Q4_K_M"]
    room[0] = 10
    assert _outcomes(_look(library, folder)) == ["added", "added"]


def test_nothing_is_written_into_the_folder(library: Library, folder: Path) -> None:
    _write(folder / "a.gguf")
    folder.chmod(0o555)
    try:
        with ordinary_user():
            assert _outcomes(_look(library, folder, is_ours=False)) == ["added"]
    finally:
        folder.chmod(0o755)
    assert library.list()[1].source == "import"


def test_a_name_that_claims_a_million_parts(library: Library, folder: Path) -> None:
    _write(folder / "m-00001-of-99999.gguf")
    assert _outcomes(_look(library, folder)) in (["added"], ["unusable"])
    assert _look(library, folder).changes == ()
