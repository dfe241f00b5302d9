from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, StorageError
from desktop.library import copying
from desktop.library.copying import SPARE_BYTES, copy_model
from desktop.library.library import Library
from tests.gguf_files import LlamaShape, write_split
from tests.ordinary_user import read_only

SHAPE = LlamaShape()


@pytest.fixture
def split(drive: Path) -> tuple[Path, ...]:
    tensors = SHAPE.tensors()
    write_split(drive / "big.gguf", SHAPE.metadata(), [tensors[:5], tensors[5:]])
    return tuple(sorted(drive.iterdir()))


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_CHUNK_BYTES", 50_000)


def test_all_parts_arrive_and_progress_climbs_to_one(
    split: tuple[Path, ...], tmp_path: Path
) -> None:
    heard: list[float] = []
    copied = [file.path for file in copy_model(split, tmp_path / "models", progress=heard.append)]
    assert [path.name for path in copied] == [path.name for path in split]
    assert [p.read_bytes() for p in copied] == [p.read_bytes() for p in split]
    assert heard == sorted(heard)
    assert len(heard) > 4
    assert heard[-1] == 1.0
    assert _files(tmp_path / "models") == [path.name for path in split]


def test_a_copy_may_have_a_name_of_its_own(tmp_path: Path) -> None:
    """As that of another program's file, which is called by its hash; twins get a folder."""
    blob = SHAPE.write(tmp_path / "sha256-abc")
    folder = tmp_path / "models"
    for _ in range(2):
        (copied,) = copy_model([blob], folder, names=["nice.gguf"])
        assert copied.path.read_bytes() == blob.read_bytes()
    assert _files(folder) == ["nice-2", "nice-2/nice.gguf", "nice.gguf"]


def _cancel(fraction: float) -> None:
    if fraction > 0.6:
        raise CancelledError


def _fill(fraction: float) -> None:
    if fraction > 0.6:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("progress", "kind"), [(_cancel, "cancelled"), (_fill, "disk_full")])
@pytest.mark.parametrize("taken", [False, True])
def test_a_stop_in_the_middle_leaves_nothing(
    split: tuple[Path, ...],
    tmp_path: Path,
    progress: Callable[[float], None],
    kind: str,
    taken: bool,
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    if taken:
        (models / split[1].name).write_bytes(b"another model")
    before = _files(models)
    with pytest.raises((CancelledError, StorageError)) as caught:
        copy_model(split, models, progress=progress)
    assert getattr(caught.value, "kind", "") == kind
    assert _files(models) == before


def test_a_rename_that_fails_takes_back_what_was_placed(
    split: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fail_at_first_part(path: Path, target: Path) -> Path:
        if "00001-of" in path.name:
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_at_first_part)
    with pytest.raises(StorageError) as caught:
        copy_model(split, tmp_path / "models")
    assert caught.value.kind == "storage"
    assert _files(tmp_path / "models") == []


def test_too_little_room_is_told_before_the_first_byte(
    split: tuple[Path, ...], tmp_path: Path
) -> None:
    total = sum(path.stat().st_size for path in split)
    with pytest.raises(StorageError) as caught:
        copy_model(split, tmp_path / "models", free=lambda _: total + SPARE_BYTES - 1)
    assert caught.value.kind == "not_enough_space"
    assert caught.value.params["needed_bytes"] == total + SPARE_BYTES
    assert _files(tmp_path / "models") == []
    copy_model(split, tmp_path / "models", free=lambda _: total + SPARE_BYTES)


def test_another_model_of_that_file_name_is_not_overwritten(
    split: tuple[Path, ...], tmp_path: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / split[0].name).write_bytes(b"another model")
    copied = [file.path for file in copy_model(split, models)]
    assert (models / split[0].name).read_bytes() == b"another model"
    assert {path.parent for path in copied} == {models / f"{split[0].stem}-2"}
    assert copied[0].read_bytes() == split[0].read_bytes()


def test_a_read_only_target_is_told(split: tuple[Path, ...], tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    with read_only(models), pytest.raises(StorageError) as caught:
        copy_model(split, models)
    assert caught.value.kind == "read_only"
    assert _files(models) == []


def test_a_source_that_vanishes_is_told(drive: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        copy_model([drive / "gone.gguf"], tmp_path / "models")


_COPIER = """
import sys
from pathlib import Path
from desktop.library import copying
copying._CHUNK_BYTES = 50_000
def wait(fraction):
    print(fraction, flush=True)
    sys.stdin.readline()
copying.copy_model([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]), progress=wait)
"""


def test_what_a_killed_copy_left_is_removed_by_the_next(
    split: tuple[Path, ...], tmp_path: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / split[0].name).write_bytes(b"another model")  # so it copies into a folder of its own
    arguments = [sys.executable, "-c", _COPIER, str(models), *map(str, split)]
    with subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        copying.remove_abandoned(models)
        assert len(list(models.rglob("*.part"))) == 1  # of a living process
        child.kill()
        child.wait()
        assert len(list(models.rglob("*.part"))) == 1
    (models / "download.part").write_bytes(b"somebody else's")
    copied = [file.path for file in copy_model(split, models)]
    assert _files(models) == sorted(
        [
            split[0].name,
            "download.part",
            copied[0].parent.name,
            *(str(path.relative_to(models)) for path in copied),
        ]
    )


def test_the_library_owns_its_copy(library: Library, drive: Path, tmp_path: Path) -> None:
    source = SHAPE.write(drive / "a.gguf", general__name="Copied")
    heard: list[float] = []
    model = library.add(source, copy_to=tmp_path / "models", progress=heard.append)
    assert model.path == tmp_path / "models" / "a.gguf"
    assert model.source == "copy"
    assert heard[-1] == 1.0
    assert source.exists()
    assert library.add(source, copy_to=tmp_path / "models") == model  # not copied again
    assert _files(tmp_path / "models") == ["a.gguf"]
    drive.rename(drive.with_name("unplugged"))
    assert library.get(model.name).problem == ""


def test_an_imported_model_can_be_copied_later_and_keeps_its_name(
    library: Library, drive: Path, tmp_path: Path
) -> None:
    source = SHAPE.write(drive / "a.gguf", general__name="Later")
    library.rename(library.add(source).name, "mine")
    copied = library.add(source, copy_to=tmp_path / "models")
    assert (copied.name, copied.source) == ("mine", "copy")
    assert copied.path.parent == tmp_path / "models"
    assert len(library.list()) == 2


def test_a_cancelled_import_leaves_no_entry(library: Library, drive: Path, tmp_path: Path) -> None:
    source = SHAPE.write(drive / "a.gguf")
    with pytest.raises(CancelledError):
        library.add(source, copy_to=tmp_path / "models", progress=_cancel)
    assert len(library.list()) == 1
    assert _files(tmp_path / "models") == []
