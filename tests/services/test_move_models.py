"""Moving models: whole somewhere at every moment, whatever stops it."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, ModelFileError, StorageError
from desktop.engine.cancel import CancelToken
from desktop.library import copying, moving
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.moving import Move, MoveJournal
from desktop.library.origin import Origin
from desktop.services.move_models import ModelMover, MoveProgress
from tests.fit.projectors import write_siglip
from tests.gguf_files import LlamaShape, write_split
from tests.ordinary_user import read_only

ROOT = Path(__file__).resolve().parents[2]
SHAPE = LlamaShape()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


@pytest.fixture
def library(tmp_path: Path, own: Path, target: Path, tiny_model: Path) -> Iterator[Library]:
    library = _open(tmp_path, own, target, tiny_model)
    yield library
    library.close()


@pytest.fixture
def mover(library: Library, tmp_path: Path) -> ModelMover:
    return ModelMover(library, tmp_path / "move.json")


@pytest.fixture
def other_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renaming between folders fails, as it does between drives."""
    rename = Path.rename

    def refuse(self: Path, to: Path) -> Path:
        if Path(to).parent != self.parent:
            raise OSError(errno.EXDEV, "another drive")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", refuse)


def _open(tmp_path: Path, own: Path, target: Path, guide: Path) -> Library:
    return Library.open(tmp_path / "data" / "l.db", guide, folders=lambda: (own, target))


def _split(library: Library, own: Path) -> LibraryModel:
    (own / "org").mkdir()
    tensors = SHAPE.tensors()
    first = write_split(own / "org" / "m.gguf", SHAPE.metadata(), [tensors[:5], tensors[5:]])
    return library.add(first, source="copy")


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.usefixtures("other_drive")
def test_to_another_drive(library: Library, mover: ModelMover, own: Path, target: Path) -> None:
    model = _split(library, own)
    before = _files(own)
    heard: list[MoveProgress] = []
    (moved,) = mover.move([model.name], target, heard.append)
    assert (moved.error, moved.kept_original) == (None, False)
    assert moved.model is not None
    assert (moved.model.name, moved.model.folder) == (model.name, target)
    assert _files(target) == before
    assert _files(own) == {}
    assert library.get(model.name).problem == ""
    assert heard[-1].fraction == 1.0
    assert [progress.done_bytes for progress in heard] == sorted(p.done_bytes for p in heard)
    assert mover.move([model.name], target) == ()  # there already


def test_within_a_drive_with_all_that_belongs_to_it(
    library: Library, mover: ModelMover, own: Path, target: Path
) -> None:
    (own / "org").mkdir()
    eyes = write_siglip(own / "org" / "mmproj.gguf", layers=1, language_width=SHAPE.embedding)
    path = SHAPE.write(own / "org" / "m.gguf")
    note = {"repo": "o/r", "path": "m.gguf", "commit": "c", "sha256": "a" * 64}
    more = {"is_verified": True, "size_bytes": path.stat().st_size, "mtime_ns": 1}
    (own / "org" / ".m.gguf.origin.json").write_text(json.dumps(note | more))
    model = library.add(path, source="copy")
    assert (model.projector, model.abilities) == (eyes, ("vision",))
    inode = path.stat().st_ino
    (moved,) = mover.move([model.name], target)
    assert moved.model is not None
    assert moved.model.path.stat().st_ino == inode
    assert moved.model.projector == target / "org" / "mmproj.gguf"
    assert sorted(_files(target)) == ["org/.m.gguf.origin.json", "org/m.gguf", "org/mmproj.gguf"]
    assert _files(own) == {}


@pytest.mark.usefixtures("other_drive")
def test_what_belongs_to_others_is_copied(
    library: Library, mover: ModelMover, own: Path, target: Path, tmp_path: Path
) -> None:
    elsewhere = SHAPE.write(tmp_path / "mine.gguf")
    theirs = SHAPE.with_(vocab=301).write(own / "blob.gguf")
    names = [
        library.add(elsewhere).name,
        library.add(theirs, origin=Origin("ollama", "llama3:8b")).name,
    ]
    results = mover.move(names, target)
    assert [one.kept_original for one in results] == [True, True]
    assert elsewhere.exists()
    assert theirs.exists()
    assert [library.get(name).source for name in names] == ["copy", "copy"]
    assert library.duplicates(names[0]) == (elsewhere,)


def test_another_file_of_that_name_is_not_overwritten(
    library: Library, mover: ModelMover, own: Path, target: Path
) -> None:
    target.mkdir()
    (target / "m.gguf").write_bytes(b"another model")
    model = library.add(SHAPE.write(own / "m.gguf"), source="copy")
    (moved,) = mover.move([model.name], target)
    assert moved.model is not None
    assert moved.model.path == target / "m-2" / "m.gguf"
    assert (target / "m.gguf").read_bytes() == b"another model"


@pytest.mark.usefixtures("other_drive")
@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_cancelled_it_was_never_begun(
    library: Library, mover: ModelMover, own: Path, target: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, stop_after: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(copying, "_CHUNK_BYTES", 100_000)
    model = _split(library, own)
    before = _files(own)
    token = CancelToken()
    asked = 0
    raise_if_cancelled = CancelToken.raise_if_cancelled

    def count(self: CancelToken) -> None:
        nonlocal asked
        asked += 1
        if asked > stop_after:
            self.cancel()
        raise_if_cancelled(self)

    monkeypatch.setattr(CancelToken, "raise_if_cancelled", count)
    with pytest.raises(CancelledError):
        mover.move([model.name], target, cancel=token)
    assert _files(own) == before
    assert _files(target) == {}
    assert library.get(model.name).path == model.path
    assert not (tmp_path / "move.json").exists()


@pytest.mark.usefixtures("other_drive")
def test_a_disk_that_fills_up_in_the_middle(
    library: Library, mover: ModelMover, own: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _split(library, own)
    second = library.add(SHAPE.with_(vocab=301).write(own / "b.gguf"), source="copy")
    before = _files(own)
    copy = moving._copy_and_compare
    calls = 0

    def fill(source: Path, into: Path, on_bytes: copying.OnBytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            into.write_bytes(b"as far as it went")
            raise StorageError("disk_full", path=str(into))
        copy(source, into, on_bytes)

    monkeypatch.setattr(moving, "_copy_and_compare", fill)
    failed, moved = mover.move([first.name, second.name], target)
    assert failed.error is not None
    assert (failed.error.kind, moved.error) == ("disk_full", None)
    assert library.get(first.name).problem == ""
    assert {name: before[name] for name in _files(own)} == _files(own)
    assert list(_files(target)) == ["b.gguf"]


@pytest.mark.usefixtures("other_drive")
def test_a_drive_that_writes_something_else_is_found_out(
    library: Library, mover: ModelMover, own: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = library.add(SHAPE.write(own / "m.gguf"), source="copy")
    monkeypatch.setattr(moving, "sha256_of", lambda *_args, **_more: "0" * 64)
    (result,) = mover.move([model.name], target)
    assert result.error is not None
    assert result.error.kind == "copy_differs"
    assert (own / "m.gguf").exists()
    assert _files(target) == {}


def test_refused_before_the_first_byte(
    library: Library, own: Path, target: Path, tmp_path: Path
) -> None:
    model = library.add(SHAPE.write(tmp_path / "m.gguf"))
    mover = ModelMover(library, tmp_path / "move.json", free=lambda _folder: 1000)
    with pytest.raises(StorageError) as caught:
        mover.move([model.name], target)
    assert caught.value.kind == "not_enough_space"
    mover = ModelMover(library, tmp_path / "move.json")
    target.mkdir()
    with read_only(target):
        (result,) = mover.move([model.name], target)
    assert result.error is not None
    assert result.error.kind == "read_only"
    (tmp_path / "m.gguf").unlink()
    with pytest.raises(ModelFileError) as gone:
        mover.move([model.name], target)
    assert gone.value.kind == "vanished"
    assert mover.move(["guide"], target) == ()


def test_one_at_a_time(library: Library, own: Path, target: Path, tmp_path: Path) -> None:
    one, two = (ModelMover(library, tmp_path / "move.json") for _ in range(2))
    model = library.add(SHAPE.write(own / "m.gguf"), source="copy")
    kinds: list[str] = []

    def meanwhile(_progress: MoveProgress) -> None:
        try:
            two.move([model.name], target)
        except StorageError as error:
            kinds.append(error.kind)

    one.move([model.name], target, meanwhile)
    assert set(kinds) == {"move_busy"}


_MOVER = """
import errno, os, signal, sys
from pathlib import Path
from desktop.library import copying, library as module, moving
from desktop.library.library import Library
from desktop.services.move_models import ModelMover
data, own, target, guide, name, point = sys.argv[1:]
library = Library.open(Path(data) / "l.db", Path(guide), folders=lambda: (Path(own), Path(target)))
copying._CHUNK_BYTES = 60_000
rename = Path.rename
steps = 0
def step(*_):
    global steps
    steps += 1
    if steps == int(point):
        os.kill(os.getpid(), signal.SIGKILL)
def refuse(self, to):
    if Path(to).parent != self.parent:
        raise OSError(errno.EXDEV, "another drive")
    return rename(self, to)
def counted(function):
    def call(*args, **more):
        step()
        found = function(*args, **more)
        step()
        return found
    return call
if os.environ["ACROSS"] == "1":
    Path.rename = refuse
else:
    Path.rename = counted(rename)
moving.rename_over = counted(moving.rename_over)
moving.MoveJournal.write = counted(moving.MoveJournal.write)
moving.MoveJournal.clear = counted(moving.MoveJournal.clear)
Library.relocate = counted(Library.relocate)
Path.unlink = counted(Path.unlink)
moving._copy_and_compare.__globals__["sha256_of"] = counted(moving.sha256_of)
mover = ModelMover(library, Path(data).parent / "move.json")
mover.move([name], Path(target), lambda progress: step())
print("done", steps)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("across", ["1", "0"])
def test_killed_at_every_step_nothing_is_lost(
    tmp_path: Path, own: Path, target: Path, tiny_model: Path, across: str
) -> None:
    point = 0
    while True:
        point += 1
        for folder in (own, target):
            for file in sorted(folder.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
        for file in [*(tmp_path / "data").glob("*"), *tmp_path.glob("move.json*")]:
            file.unlink()
        library = _open(tmp_path, own, target, tiny_model)
        name = _split(library, own).name
        before = _files(own)
        library.close()
        data = tmp_path / "data"
        done = subprocess.run(
            [sys.executable, "-c", _MOVER, str(data), str(own), str(target), str(tiny_model), name,
             str(point)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
            env={"PATH": "/usr/bin:/bin", "ACROSS": across},
        )  # fmt: skip
        library = _open(tmp_path, own, target, tiny_model)
        mover = ModelMover(library, tmp_path / "move.json")
        assert mover.recover()
        model = library.get(name)
        assert model.problem == "", (point, done.stderr)
        whole = own if own in model.path.parents else target
        other = target if whole is own else own
        assert _files(whole) == before, point
        assert _files(other) == {}, point
        assert not (tmp_path / "move.json").exists()
        library.close()
        if done.returncode != -signal.SIGKILL:
            assert done.stdout.startswith("done"), done.stderr
            assert whole is target
            break
    assert point > 10


@pytest.mark.usefixtures("other_drive")
def test_old_files_that_are_in_use_go_later(
    library: Library, mover: ModelMover, own: Path, target: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    model = library.add(SHAPE.write(own / "m.gguf"), source="copy")
    unlink = Path.unlink

    def in_use(self: Path, missing_ok: bool = False) -> None:
        if self.suffix == ".gguf":
            raise PermissionError(errno.EACCES, "in use")
        unlink(self, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", in_use)
        (moved,) = mover.move([model.name], target)
    assert (moved.kept_original, moved.error) == (True, None)
    assert library.get(model.name).path == target / "m.gguf"
    assert (own / "m.gguf").exists()
    assert mover.recover()
    assert not (own / "m.gguf").exists()
    assert not (tmp_path / "move.json").exists()


def test_a_drive_that_is_gone_is_waited_for(
    library: Library, mover: ModelMover, own: Path, target: Path, tmp_path: Path
) -> None:
    model = library.add(SHAPE.write(own / "m.gguf"), source="copy")
    target.mkdir()
    move = Move(model.name, ((str(own / "m.gguf"), str(target / "m.gguf")),), "placing")
    (target / "m.gguf.moving").write_bytes((own / "m.gguf").read_bytes())
    MoveJournal(tmp_path / "move.json").write(move)
    target.rename(tmp_path / "pulled")
    assert not mover.recover()
    assert library.get(model.name).path == own / "m.gguf"
    (tmp_path / "pulled").rename(target)
    assert mover.recover()
    assert library.get(model.name).path == target / "m.gguf"
    assert not (own / "m.gguf").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x", "pairs": [], "state": "copying"}'])
def test_a_journal_that_nobody_can_read_harms_nothing(
    mover: ModelMover, library: Library, own: Path, target: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "move.json").write_text(text)
    assert mover.recover()
    model = library.add(SHAPE.write(own / "m.gguf"), source="copy")
    assert mover.move([model.name], target)[0].error is None
