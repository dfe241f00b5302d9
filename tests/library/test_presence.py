"""Whether files are there, asked of drives that vanish, refuse and hang."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from desktop.library.files import Stamp, stamp_of
from desktop.library.folders import drive_root, holder_of, is_writable, may_write
from desktop.library.library import Library
from desktop.library.presence import Answer, Presence
from tests.gguf_files import LlamaShape
from tests.ordinary_user import read_only


def test_a_drive_that_hangs_holds_nobody_up_for_long(tmp_path: Path) -> None:
    awake, asleep = tmp_path / "awake", tmp_path / "asleep"
    for folder in (awake, asleep):
        folder.mkdir()
        (folder / "m.gguf").write_bytes(b"x")
    wake = threading.Event()
    asked: list[Path] = []

    def stamp(parts: Sequence[Path]) -> Stamp:
        asked.append(parts[0])
        if asleep in parts[0].parents:
            assert wake.wait(30)
        return stamp_of(parts)

    presence = Presence(lambda: (tmp_path / "own", awake, asleep), patience_s=0.2, stamp=stamp)
    models = [(awake / "m.gguf",), (asleep / "m.gguf",), (asleep / "other.gguf",)]
    started = time.monotonic()
    first = presence.ask(models)
    second = presence.ask(models)
    assert time.monotonic() - started < 10
    for answers in (first, second):
        assert [answer.problem for answer in answers] == ["", "drive_gone", "drive_gone"]
        assert [answer.folder for answer in answers] == [awake, asleep, asleep]
    assert asked.count(asleep / "m.gguf") == 1  # a second thread would hang as well
    wake.set()
    deadline = time.monotonic() + 20
    problems = [""]
    while time.monotonic() < deadline:
        problems = [answer.problem for answer in presence.ask(models)]
        if problems == ["", "", "vanished"]:
            break
    assert problems == ["", "", "vanished"]


def test_a_slow_drive_is_not_a_drive_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "nas"
    slow.mkdir()
    models = []
    for number in range(3):
        (slow / f"{number}.gguf").write_bytes(b"x")
        models.append((slow / f"{number}.gguf",))
    hold, asked = threading.Event(), threading.Semaphore(0)
    hold.set()

    def stamp(parts: Sequence[Path]) -> Stamp:
        assert hold.wait(30)
        asked.release()
        return stamp_of(parts)

    presence = Presence(lambda: (tmp_path / "own", slow), patience_s=0.3, stamp=stamp)
    assert {answer.problem for answer in presence.ask(models)} == {""}
    hold.clear()
    assert {answer.problem for answer in presence.ask(models)} == {""}  # what it said last
    monkeypatch.setattr("desktop.library.presence._SAID_FOR_S", 0.0)
    assert {answer.problem for answer in presence.ask(models)} == {"drive_gone"}
    hold.set()


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (errno.EIO, "drive_gone"),
        (errno.ESTALE, "drive_gone"),
        (errno.ENODEV, "drive_gone"),
        (errno.ENOENT, "vanished"),
        (errno.EACCES, "no_permission"),
    ],
)
def test_what_the_system_says_of_a_file(tmp_path: Path, code: int, problem: str) -> None:
    def stamp(parts: Sequence[Path]) -> Stamp:
        raise OSError(code, "so it says", str(parts[0]))

    presence = Presence(lambda: (tmp_path,), stamp=stamp)
    assert presence.ask([(tmp_path / "m.gguf",)])[0].problem == problem


def test_a_folder_that_is_not_there_is_a_drive_that_is_not_connected(
    tmp_path: Path, guide: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    library = Library.open(tmp_path / "l.db", guide, folders=lambda: (tmp_path / "own", stick))
    model = library.add(LlamaShape().write(stick / "m.gguf"))
    assert (model.folder, model.is_shared) == (stick, False)
    stick.rename(tmp_path / "pulled")
    gone = library.list()[1]
    assert (gone.problem, gone.folder) == ("drive_gone", stick)
    (tmp_path / "pulled").rename(stick)
    assert library.list()[1] == model
    (stick / "m.gguf").unlink()
    assert library.list()[1].problem == "vanished"
    library.close()


def test_a_folder_that_cannot_be_written_is_shared(
    tmp_path: Path, guide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = tmp_path / "office"
    office.mkdir()
    path = LlamaShape().write(office / "m.gguf")
    # Tried in another thread, where a root that has laid down its powers has them again.
    monkeypatch.setattr("desktop.library.presence.may_write", lambda folder: folder != office)
    library = Library.open(tmp_path / "l.db", guide, folders=lambda: (tmp_path / "own", office))
    model = library.add(path)
    assert (model.is_shared, model.folder) == (True, office)
    own = library.add(LlamaShape().with_(vocab=301).write(tmp_path / "elsewhere.gguf"))
    assert (own.is_shared, own.folder) == (False, None)
    library.close()


def test_writing_is_tried_where_it_counts(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    assert is_writable(folder)
    assert may_write(folder)
    with read_only(folder):
        assert not is_writable(folder)
    assert not is_writable(tmp_path / "none")
    assert list(folder.iterdir()) == []


def test_where_a_drive_begins() -> None:
    posix = {
        "/media/anna/STICK/a/b.gguf": "/media/anna/STICK",
        "/run/media/anna/STICK/b.gguf": "/run/media/anna/STICK",
        "/Volumes/STICK/b.gguf": "/Volumes/STICK",
        "/mnt/share/x/b.gguf": "/mnt/share",
        "/home/anna/b.gguf": None,
        "/media/b.gguf": None,
    }
    for path, root in posix.items():
        found = drive_root(PurePosixPath(path), platform="linux")
        assert found == (None if root is None else Path(root))
    windows = {"E:\\models\\b.gguf": "E:\\", "\\\\srv\\share\\b.gguf": "\\\\srv\\share\\"}
    for path, root in windows.items():
        assert str(drive_root(PureWindowsPath(path), platform="win32")) == root
    assert drive_root(PureWindowsPath("C:\\b.gguf"), platform="win32") is None


def test_the_innermost_folder_holds_a_file(tmp_path: Path) -> None:
    outer, inner = tmp_path / "m", tmp_path / "m" / "inner"
    folders = (outer, inner)
    assert holder_of(inner / "x.gguf", folders) == inner
    assert holder_of(outer / "x.gguf", folders) == outer
    assert holder_of(tmp_path / "m2" / "x.gguf", folders) is None
    assert holder_of(outer, folders) is None


def test_two_who_ask_at_once_both_hear_the_answer(tmp_path: Path) -> None:
    """The second used to hear "drive_gone" of a drive that was only answering the first."""
    folder = tmp_path / "more"
    folder.mkdir()
    file = folder / "m.gguf"
    file.write_bytes(b"x")
    both_ask = threading.Barrier(2, timeout=5)

    def slow(parts: Sequence[Path]) -> Stamp:
        both_ask.wait()
        return stamp_of(parts)

    presence = Presence(lambda: [tmp_path / "main", folder], patience_s=5, stamp=slow)
    found: list[Answer] = []

    def ask() -> None:
        found.extend(presence.ask([[file]]))

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(10)
    assert [answer.problem for answer in found] == ["", ""]
