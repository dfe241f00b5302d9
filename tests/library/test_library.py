from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from desktop.common.database_opening import open_database
from desktop.common.errors import HausgeistError, ModelFileError, StorageError, UsageError
from desktop.library import schema
from desktop.library.files import content_of, stamp_of
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from tests.gguf_files import LlamaShape, write_split
from tests.ordinary_user import ordinary_user, read_only

SHAPE = LlamaShape()


def _names(library: Library) -> list[str]:
    return [model.name for model in library.list()]


def _write(path: Path, name: str = "Small Model") -> Path:
    return SHAPE.write(path, general__name=name)


def _write_split(path: Path, name: str = "Split Model") -> Path:
    tensors = SHAPE.tensors()
    return write_split(
        path, SHAPE.metadata(general__name=name), [tensors[:5], tensors[5:9], tensors[9:]]
    )


def _kind(caught: pytest.ExceptionInfo[HausgeistError]) -> str:
    return caught.value.kind


def test_the_guide_is_always_first_and_cannot_be_removed(library: Library, drive: Path) -> None:
    library.add(_write(drive / "a.gguf", "AAA"))
    first = library.list()[0]
    assert (first.name, first.source, first.problem) == ("guide", "built_in", "")
    assert (first.architecture, first.quantization) == ("llama", "Q4_K_M")
    assert first.file_bytes > 0
    assert library.get("Guide") == first
    for call in (
        lambda: library.remove("guide", delete_file=True),
        lambda: library.rename("GUIDE", "x"),
        lambda: library.rename("AAA-Q4_K_M", "guide"),
    ):
        with pytest.raises(UsageError):
            call()
    library.touch("guide")
    library.mark_probed("guide", "1")
    assert library.list()[0] == first
    assert first.path.exists()


def test_a_guide_that_is_not_there_is_still_listed(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "l.db", tmp_path / "none.gguf")
    assert [(m.name, m.problem) for m in library.list()] == [("guide", "vanished")]
    _write(tmp_path / "none.gguf")
    assert library.get("guide").problem == ""
    (tmp_path / "none.gguf").write_bytes(b"GGUF, but no more")
    assert library.get("guide").problem not in ("", "vanished")
    library.close()


def test_a_model_is_taken_by_reference_and_nothing_is_copied(
    library: Library, drive: Path, tmp_path: Path
) -> None:
    path = _write(drive / "some file.gguf", "Qwen3 4B: Instruct/2507")
    model = library.add(path)
    assert model.name == "Qwen3-4B-Instruct-2507-Q4_K_M"
    assert model.path == path
    assert model.source == "import"
    assert model.file_bytes == path.stat().st_size
    assert model.mtime_ns == path.stat().st_mtime_ns
    assert model.parameters > 0
    assert model.last_used_at is None
    assert library.get(model.name.lower()) == model
    assert library.find(path) == model
    assert library.find(tmp_path / "other.gguf") is None
    assert library.find(Path("a\0b")) is None
    assert sorted(p.name for p in tmp_path.rglob("*.gguf")) == ["guide.gguf", "some file.gguf"]


def test_everything_is_there_after_closing(tmp_path: Path, guide: Path, drive: Path) -> None:
    library = Library.open(tmp_path / "l.db", guide)
    model = library.add(_write(drive / "a.gguf"))
    library.touch(model.name)
    library.mark_probed(model.name, "0.3.36")
    library.close()
    again = Library.open(tmp_path / "l.db", guide)
    assert again.problem is None
    kept = again.get(model.name)
    assert kept.probed_engine == "0.3.36"
    assert kept.last_used_at is not None
    assert kept.path == model.path
    again.close()


def test_the_same_file_twice_is_one_entry(library: Library, drive: Path) -> None:
    path = _write(drive / "a.gguf")
    first = library.add(path)
    link, hard = drive / "link.gguf", drive / "hard.gguf"
    link.symlink_to(path)
    hard.hardlink_to(path)
    copy = drive / "copy.gguf"
    copy.write_bytes(path.read_bytes())
    for again in (path, link, hard, copy, drive / ".." / drive.name / "a.gguf"):
        assert library.add(again) == first
    assert library.find(link) == first
    assert len(library.list()) == 2


def test_the_guide_itself_can_be_pointed_at(library: Library, guide: Path) -> None:
    assert library.add(guide).name == "guide"
    found = library.find(guide)
    assert found is not None
    assert found.name == "guide"
    assert len(library.list()) == 1


def test_other_models_of_the_same_name_get_a_number(library: Library, drive: Path) -> None:
    names = [
        library.add(
            SHAPE.with_(vocab=300 + number).write(drive / f"{number}.gguf", general__name="Twin")
        ).name
        for number in range(3)
    ]
    assert names == ["Twin-Q4_K_M", "Twin-Q4_K_M-2", "Twin-Q4_K_M-3"]


def test_a_model_called_guide_is_not_the_guide(library: Library, drive: Path) -> None:
    path = SHAPE.with_(type="Q4_K").write(drive / "a.gguf", general__name="guide Q4_K_M")
    renamed = library.rename(library.add(path).name, "Mine")
    with pytest.raises(UsageError) as caught:
        library.rename(renamed.name, "Guide")
    assert _kind(caught) == "name_taken"


def test_renaming(library: Library, drive: Path) -> None:
    one = library.add(_write(drive / "1.gguf", "One"))
    library.add(_write(drive / "2.gguf", "Two"))
    assert library.rename(one.name, " Mein: Größtes ").name == "Mein-Größtes"
    assert library.rename("mein-grÖßtes".replace("Ö", "ö"), "MEIN-Größtes").name == "MEIN-Größtes"
    with pytest.raises(UsageError) as caught:
        library.rename("MEIN-Größtes", "two-q4_k_m")
    assert _kind(caught) == "name_taken"
    with pytest.raises(UsageError) as caught:
        library.rename("MEIN-Größtes", " / ")
    assert _kind(caught) == "bad_name"
    assert _names(library) == ["guide", "MEIN-Größtes", "Two-Q4_K_M"]


def test_a_name_that_is_not_there_is_told(library: Library) -> None:
    for call in (
        lambda: library.get("x"),
        lambda: library.remove("x", delete_file=False),
        lambda: library.touch("x"),
        lambda: library.mark_probed("x", "1"),
        lambda: library.rename("x", "y"),
    ):
        with pytest.raises(ModelFileError) as caught:
            call()
        assert _kind(caught) == "unknown_model"
        assert caught.value.params["model"] == "x"


def test_removing_keeps_the_file_unless_asked(library: Library, drive: Path) -> None:
    path = _write(drive / "a.gguf")
    library.remove(library.add(path).name, delete_file=False)
    assert _names(library) == ["guide"]
    assert path.exists()
    library.remove(library.add(path).name, delete_file=True)
    assert not path.exists()
    assert _names(library) == ["guide"]


def test_a_split_model_is_one_entry(library: Library, drive: Path) -> None:
    first = _write_split(drive / "big.gguf")
    parts = sorted(drive.iterdir())
    model = library.add(first)
    assert model.name == "Split-Model-Q4_K_M"
    assert model.file_bytes == sum(part.stat().st_size for part in parts)
    assert library.find(parts[1]) == model
    parts[2].rename(drive / "away")
    assert library.get(model.name).problem == "vanished"
    (drive / "away").rename(parts[2])
    assert library.get(model.name) == model
    library.remove(model.name, delete_file=True)
    assert list(drive.iterdir()) == []


def test_a_split_model_without_all_parts_is_refused(library: Library, drive: Path) -> None:
    first = _write_split(drive / "big.gguf")
    sorted(drive.iterdir())[1].unlink()
    with pytest.raises(ModelFileError) as caught:
        library.add(first)
    assert _kind(caught) == "split_part_missing"
    assert _names(library) == ["guide"]


def test_an_unplugged_drive_comes_back_by_itself(library: Library, drive: Path) -> None:
    model = library.add(_write(drive / "a.gguf"))
    library.mark_probed(model.name, "1")
    model = library.get(model.name)
    drive.rename(drive.with_name("unplugged"))
    gone = library.get(model.name)
    assert gone.problem == "vanished"
    assert gone.file_bytes == model.file_bytes
    assert [m.problem for m in library.list()] == ["", "vanished"]
    library.mark_probed(model.name, "2")  # says nothing about a file that is not there
    drive.with_name("unplugged").rename(drive)
    assert library.get(model.name) == model


def test_a_moved_file_keeps_its_entry(library: Library, drive: Path, tmp_path: Path) -> None:
    old = library.add(_write(drive / "a.gguf"))
    library.touch(old.name)
    library.mark_probed(old.name, "1")
    before = library.get(old.name)
    new_path = tmp_path / "elsewhere.gguf"
    old.path.rename(new_path)
    moved = library.add(new_path)
    assert (moved.name, moved.path) == (before.name, new_path)
    assert (moved.added_at, moved.last_used_at) == (before.added_at, before.last_used_at)
    assert moved.probed_engine == "1"
    assert len(library.list()) == 2


def test_a_file_that_was_written_anew_is_read_anew(library: Library, drive: Path) -> None:
    model = library.add(_write(drive / "a.gguf"))
    library.mark_probed(model.name, "1")
    SHAPE.with_(layers=3).write(drive / "a.gguf")
    os.utime(drive / "a.gguf", ns=(1, 1))
    changed = library.get(model.name)
    assert changed.name == model.name
    assert changed.parameters > model.parameters
    assert changed.file_bytes > model.file_bytes
    assert changed.probed_engine == ""
    assert library.get(model.name) == changed


def test_a_restored_file_keeps_its_mark(library: Library, drive: Path) -> None:
    model = library.add(_write(drive / "a.gguf"))
    library.mark_probed(model.name, "1")
    os.utime(drive / "a.gguf", ns=(5, 5))
    assert library.get(model.name).probed_engine == "1"
    assert library.get(model.name).mtime_ns == 5


def test_a_file_that_was_cut_short_is_listed_with_the_reason(library: Library, drive: Path) -> None:
    path = _write(drive / "a.gguf")
    model = library.add(path)
    library.mark_probed(model.name, "1")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    broken = library.get(model.name)
    assert broken.problem == "truncated_gguf"
    assert broken.probed_engine == ""
    path.write_bytes(whole)
    assert library.get(model.name).problem == ""


def test_a_file_that_may_not_be_reached_is_listed_with_the_reason(
    library: Library, drive: Path
) -> None:
    model = library.add(_write(drive / "a.gguf"))
    drive.chmod(0)
    with ordinary_user():
        assert library.get(model.name).problem == "no_permission"
    drive.chmod(0o755)
    assert library.get(model.name).problem == ""


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 a zip", b"GGUF\x03\0\0\0"])
def test_what_is_no_model_is_refused(library: Library, drive: Path, content: bytes) -> None:
    (drive / "a.gguf").write_bytes(content)
    with pytest.raises(ModelFileError):
        library.add(drive / "a.gguf")
    with pytest.raises(ModelFileError):
        library.add(drive)
    assert _names(library) == ["guide"]


def test_deleting_in_a_read_only_folder_is_told_and_the_entry_stays(
    library: Library, drive: Path
) -> None:
    model = library.add(_write(drive / "a.gguf"))
    with read_only(drive), pytest.raises(StorageError) as caught:
        library.remove(model.name, delete_file=True)
    assert _kind(caught) == "read_only"
    assert library.get(model.name) == model


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="names are Unicode")
def test_a_file_name_that_is_no_text(library: Library, drive: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(drive) + b"/M\xfcll.gguf"))
    model = library.add(_write(path, ""))
    assert model.path == path
    assert "\udcfc" not in model.name
    assert library.get(model.name) == model
    assert library.find(path) == model
    library.touch(model.name)
    library.remove(model.name, delete_file=True)
    assert not path.exists()
    with pytest.raises(ModelFileError):
        library.get("M\udcfcll")  # as an argument at a terminal may arrive


def test_in_memory_everything_works(guide: Path, drive: Path) -> None:
    library = Library.in_memory(guide)
    model = library.add(_write(drive / "a.gguf"))
    assert _names(library) == ["guide", model.name]
    library.close()


def test_in_memory_knows_the_models_of_an_index_that_cannot_be_written(
    tmp_path: Path, guide: Path, drive: Path
) -> None:
    path = tmp_path / "data" / "library.db"
    library = Library.open(path, guide)
    model = library.add(_write(drive / "a.gguf"))
    library.close()
    with read_only(path.parent):
        copy = Library.in_memory(guide, path)
    assert copy.get(model.name) == model
    copy.remove(model.name, delete_file=False)
    copy.close()
    again = Library.open(path, guide)
    assert again.get(model.name) == model
    again.close()


def _shown(models: list[LibraryModel]) -> list[tuple[str, Path]]:
    return [(model.name, model.path) for model in models]


def test_a_damaged_index_is_kept_aside_and_loses_no_model(
    tmp_path: Path, guide: Path, drive: Path
) -> None:
    path = tmp_path / "library.db"
    library = Library.open(path, guide)
    for number in range(5):
        library.add(_write(drive / f"{number}.gguf", f"M{number}"))
    before = _shown(library.list())
    library.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-4096])  # the last page is gone: an index of the table, as it happens
    again = Library.open(path, guide)
    assert again.problem is not None
    assert again.problem.kind == "library_damaged"
    assert again.problem.params["rescued"] == 5
    assert _shown(again.list()) == before
    again.close()
    path.write_bytes(b"garbage" * 1000)
    restored = Library.open(path, guide)  # from the notebook beside it
    assert restored.problem is not None
    assert (restored.problem.kind, restored.problem.params["rescued"]) == ("library_damaged", 5)
    assert _shown(restored.list()) == before
    assert sorted(p.name for p in tmp_path.glob("library.db.damaged-*")) == [
        "library.db.damaged-1",
        "library.db.damaged-2",
    ]
    assert all(model.exists() for _, model in before)
    restored.close()


def test_an_index_of_the_first_version_keeps_all_and_learns_the_rest(
    tmp_path: Path, guide: Path, drive: Path
) -> None:
    path = tmp_path / "old.db"
    first = dataclasses.replace(schema.SCHEMA, migrations=schema.SCHEMA.migrations[:1])
    file = SHAPE.write(drive / "m.gguf", general__license="mit")
    stamp = stamp_of([file])
    old = open_database(path, first)
    with old.transaction() as db:
        db.execute(
            "INSERT INTO models VALUES ('Mein', ?, 'm.gguf', ?, 'llama', 'Q4_K_M', 5, 1.0, 2.0,"
            " 'copy', ?, ?, ?, '0.3.36')",
            (str(file), stamp.file_bytes, stamp.mtime_ns, stamp.text, content_of([file])),
        )
    old.close()
    library = Library.open(path, guide)
    assert library.problem is None
    (model,) = library.list()[1:]
    assert (model.name, model.added_at, model.last_used_at) == ("Mein", 1.0, 2.0)
    assert (model.source, model.probed_engine) == ("copy", "0.3.36")
    assert (model.context_tokens, model.licence) == (2048, "mit")
    assert library.list()[1] == model
    library.close()
    path.write_bytes(path.read_bytes()[:3000])  # and a damaged one of the first version, too
    again = Library.open(path, guide)
    assert [one.name for one in again.list()] == ["guide", "Mein"]
    again.close()
