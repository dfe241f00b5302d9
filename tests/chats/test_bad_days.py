"""Locked, damaged, too new, read-only, full: each is told, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.chats.store import ChatStore
from desktop.common.database import check_marker
from desktop.common.database_opening import stand_in_path
from desktop.common.errors import StorageError
from desktop.common.messages import LANGUAGES, Messages
from tests.ordinary_user import ordinary_user, read_only

CHATS = 20
TURNS = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of some size, closed."""
    path = tmp_path / "chats.db"
    store = ChatStore.open(path)
    for number in range(CHATS):
        chat = store.create_chat(f"chat {number}")
        for turn in range(TURNS):
            store.add_turn(chat.id, "user", f"{number}/{turn} " + "word " * 60)
    store.close()
    assert not path.with_name("chats.db-wal").exists()
    return path


def _titles(store: ChatStore) -> set[str]:
    return {chat.title for chat in store.list_chats()}


def _told(store: ChatStore, kind: str) -> StorageError:
    """The problem, of this kind, with a real sentence in both languages."""
    problem = store.problem
    assert problem is not None
    assert problem.kind == kind
    for language in LANGUAGES:
        messages = Messages(language)
        assert messages.error(problem) != messages.text("errors.internal", kind=kind)
    return problem


def _work(store: ChatStore) -> None:
    for _ in range(CHATS):
        store.create_chat("x" * 5000)
        store.search_titles("chat")


def _fill(store: ChatStore, chat_id: str) -> None:
    for _ in range(100):
        store.add_turn(chat_id, "user", "word " * 1000)


def _garbage(whole: bytes) -> bytes:
    return os.urandom(len(whole))


def _text(_: bytes) -> bytes:
    return b"This is no database at all.\n"


def _cut_in_the_middle(whole: bytes) -> bytes:
    return whole[: len(whole) // 2 + 1234]


def _cut_to_the_header(whole: bytes) -> bytes:
    return whole[:100]


def _one_byte(_: bytes) -> bytes:
    return b"S"


def _page_overwritten(whole: bytes) -> bytes:
    middle = len(whole) // 2 // 4096 * 4096
    return whole[:middle] + b"\xa5" * 4096 + whole[middle + 4096 :]


@pytest.mark.parametrize(
    "damage",
    [_garbage, _text, _cut_in_the_middle, _cut_to_the_header, _one_byte, _page_overwritten],
)
def test_a_damaged_file_is_kept_aside_and_a_new_one_started(
    path: Path, damage: Callable[[bytes], bytes]
) -> None:
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    store = ChatStore.open(path)
    problem = _told(store, "chats_damaged")
    kept = Path(str(problem.params["kept_as"]))
    assert kept.name == "chats.db.damaged-1"
    assert kept.read_bytes() == damaged
    assert problem.params["rescued"] == len(store.list_chats())
    store.create_chat("new life")
    store.close()
    again = ChatStore.open(path)
    assert again.problem is None
    assert "new life" in _titles(again)
    again.close()


@pytest.mark.parametrize("damage", [_cut_in_the_middle, _page_overwritten])
def test_what_can_still_be_read_is_brought_over(
    path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path.write_bytes(damage(path.read_bytes()))
    store = ChatStore.open(path)
    rescued = [
        turn.text.split()[0] for chat in store.list_chats() for turn in store.thread(chat.id)
    ]
    assert len(rescued) > CHATS * TURNS / 4
    assert len(set(rescued)) == len(rescued)  # none twice
    for chat in store.list_chats():
        numbers = [int(turn.text.split()[0].split("/")[1]) for turn in store.thread(chat.id)]
        assert numbers == sorted(numbers)
        assert numbers
    store.close()


def test_another_programs_database_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.execute("INSERT INTO recipes VALUES ('Brot')")
    other.commit()
    other.close()
    before = path.read_bytes()
    store = ChatStore.open(path)
    problem = _told(store, "chats_damaged")
    assert Path(str(problem.params["kept_as"])).read_bytes() == before
    store.close()


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "chats.db").touch()
    store = ChatStore.open(tmp_path / "chats.db")
    assert store.problem is None
    store.create_chat("x")
    store.close()


def test_damage_found_while_running_is_told_and_mended_at_the_next_start(path: Path) -> None:
    store = ChatStore.open(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    with pytest.raises(StorageError) as caught:
        _work(store)
    assert caught.value.kind == "database_unreadable"
    assert check_marker(path).exists()
    store.close()
    again = ChatStore.open(path)
    _told(again, "chats_damaged")
    assert not check_marker(path).exists()
    again.close()


def test_a_check_that_was_asked_for_and_finds_nothing_is_done_with(path: Path) -> None:
    check_marker(path).touch()
    store = ChatStore.open(path)
    assert store.problem is None
    assert not check_marker(path).exists()
    store.close()


_LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
if sys.argv[2] == "alone":
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
connection.execute("UPDATE chats SET title = title")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
connection.close()
"""


def _locker(path: Path, how: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", _LOCKER, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "locked\n"
    return child


@pytest.mark.parametrize("how", ["alone", "writing"])
def test_a_locked_database_waits_while_a_stand_in_serves(path: Path, how: str) -> None:
    with _locker(path, how) as child:
        store = ChatStore.open(path, busy_timeout_s=0.05)
        _told(store, "chats_locked")
        assert store.path == stand_in_path(path)
        chat = store.create_chat("written meanwhile")
        store.add_turn(chat.id, "user", "first")
        answer = store.add_turn(chat.id, "assistant", "second")
        store.add_turn(chat.id, "assistant", "second again", parent_id=answer.parent_id)
        store.delete(store.create_chat("deleted meanwhile").id)
        store.close()
        child.communicate("\n", timeout=60)

    home = ChatStore.open(path)
    assert home.problem is None
    assert home.path == path
    assert _titles(home) == {f"chat {n}" for n in range(CHATS)} | {"written meanwhile"}
    turns = home.thread(chat.id)
    assert [turn.text for turn in turns] == ["first", "second again"]
    assert len(home.siblings(turns[1].id)) == 2
    assert list(path.parent.glob("*stand-in*")) == []
    home.close()
    again = ChatStore.open(path)
    assert len(again.list_chats()) == CHATS + 1
    again.close()


def test_a_stand_in_in_use_by_another_window_stays(path: Path) -> None:
    with _locker(path, "alone") as child:
        other_window = ChatStore.open(path, busy_timeout_s=0.05)
        other_window.create_chat("there")
        child.communicate("\n", timeout=60)
    store = ChatStore.open(path)
    assert store.problem is None
    assert stand_in_path(path).exists()
    assert "there" not in _titles(store)
    other_window.create_chat("and there")  # its window can go on writing
    other_window.close()
    store.close()
    last = ChatStore.open(path)
    assert {"there", "and there"} <= _titles(last)
    last.close()


def test_a_stand_in_that_was_merged_but_not_removed_is_not_merged_twice(path: Path) -> None:
    with _locker(path, "alone") as child:
        store = ChatStore.open(path, busy_timeout_s=0.05)
        chat = store.create_chat("once")
        store.add_turn(chat.id, "user", "q")
        store.close()
        child.communicate("\n", timeout=60)
    stand_in = stand_in_path(path).read_bytes()
    ChatStore.open(path).close()
    stand_in_path(path).write_bytes(stand_in)  # as if the power had failed before it was deleted
    again = ChatStore.open(path)
    assert len(again.list_chats()) == CHATS + 1
    assert again.turn_count(chat.id) == 1
    again.close()


def test_a_damaged_stand_in_is_kept_aside_too(path: Path) -> None:
    stand_in_path(path).write_bytes(b"garbage " * 1000)
    with _locker(path, "alone") as child:
        store = ChatStore.open(path, busy_timeout_s=0.05)
        _told(store, "chats_locked")
        store.create_chat("x")
        store.close()
        child.communicate("\n", timeout=60)
    assert (path.parent / "chats.stand-in.db.damaged-1").exists()


def test_a_lock_during_the_run_is_told_and_the_text_can_be_written_again(path: Path) -> None:
    store = ChatStore.open(path, busy_timeout_s=0.05)
    turn = store.add_turn(store.list_chats()[0].id, "assistant", "", state="streaming")
    with _locker(path, "writing") as child:
        with pytest.raises(StorageError) as caught:
            store.append_text(turn.id, "x")
        assert caught.value.kind == "database_locked"
        assert store.turn(turn.id).text == ""
        child.communicate("\n", timeout=60)
    store.append_text(turn.id, "x")
    assert store.turn(turn.id).text == "x"
    store.close()


def test_a_newer_database_is_not_touched(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("INSERT INTO migrations VALUES (999, '_999_from_the_future', 0)")
    connection.execute("ALTER TABLE turns ADD COLUMN mood TEXT")
    connection.close()
    before, seen = path.read_bytes(), path.stat().st_mtime_ns
    store = ChatStore.open(path)
    _told(store, "chats_newer")
    assert store.path == stand_in_path(path)
    chat = store.create_chat("until the update")
    store.add_turn(chat.id, "user", "q")
    store.close()
    again = ChatStore.open(path)
    assert _titles(again) == {"until the update"}
    again.close()
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == seen
    assert sorted(file.name for file in path.parent.iterdir()) == ["chats.db", "chats.stand-in.db"]


def test_a_newer_database_with_an_open_log_is_not_touched(path: Path) -> None:
    """Its program may be running now: the last pages are still in the write-ahead log."""
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("INSERT INTO migrations VALUES (999, '_999_from_the_future', 0)")
    log = path.with_name("chats.db-wal")
    before = path.read_bytes(), log.read_bytes()
    store = ChatStore.open(path)
    _told(store, "chats_newer")
    store.close()
    assert (path.read_bytes(), log.read_bytes()) == before
    writer.close()


def test_a_read_only_folder_is_told(path: Path) -> None:
    with read_only(path.parent), pytest.raises(StorageError) as caught:
        ChatStore.open(path)
    assert caught.value.kind == "read_only"


@pytest.mark.parametrize("crashed", [False, True])
def test_the_chats_of_a_read_only_folder_can_be_read_and_go_on_in_memory(
    path: Path, crashed: bool
) -> None:
    log = path.with_name("chats.db-wal")
    if crashed:
        # What a killed process leaves: a log whose index nobody here may make anew.
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("UPDATE chats SET title = title")
        left = log.read_bytes()
        writer.close()
        log.write_bytes(left)
    before = path.read_bytes()
    with read_only(path.parent):
        store = ChatStore.in_memory(path)
        assert _titles(store) == {f"chat {number}" for number in range(CHATS)}
        chat = store.search_titles("chat 7")[0]
        store.add_turn(chat.id, "user", "not kept")
        assert len(store.thread(chat.id)) == TURNS + 1
        store.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"garbage " * 1000, b"", b"S"])
def test_what_cannot_be_read_leaves_the_memory_empty(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "chats.db").write_bytes(content)
    for like in (tmp_path / "chats.db", tmp_path / "none.db", tmp_path):
        store = ChatStore.in_memory(like)
        assert store.list_chats() == []
        store.create_chat("x")
        store.close()
    assert (tmp_path / "chats.db").read_bytes() == content


def test_a_read_only_file_is_told_and_unchanged(path: Path) -> None:
    before = path.read_bytes()
    path.chmod(0o444)
    with ordinary_user(), pytest.raises(StorageError) as caught:
        ChatStore.open(path)
    assert caught.value.kind == "read_only"
    path.chmod(0o644)
    assert path.read_bytes() == before
    store = ChatStore.open(path)
    assert len(store.list_chats()) == CHATS
    store.close()


def test_a_file_that_may_not_be_read_is_told(path: Path) -> None:
    path.chmod(0)
    with ordinary_user(), pytest.raises(StorageError) as caught:
        ChatStore.open(path)
    assert caught.value.kind == "not_readable"
    path.chmod(0o644)


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "chats.db").mkdir()
    with pytest.raises(StorageError) as caught:
        ChatStore.open(tmp_path / "chats.db")
    assert caught.value.kind == "storage"
    assert (tmp_path / "chats.db").is_dir()


_FULL = """
import resource, signal, sys
from pathlib import Path
from desktop.chats.store import ChatStore
from desktop.common.errors import StorageError
store = ChatStore.open(Path(sys.argv[1]))
chat = store.create_chat("full")
turn = store.add_turn(chat.id, "assistant", "", state="streaming")
# No file of this process may grow beyond this: the write fails as on a disk without room.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = 400_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
written = 0
try:
    while True:
        store.append_text(turn.id, "0123456789" * 1000)
        written += 10_000
except StorageError as error:
    first = error.kind
assert len(store.turn(turn.id).text) == written, "a failed write left half of itself"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.append_text(turn.id, "room again")
print(first, written, chat.id)
store.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_disk_without_room_is_told_and_writing_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    path = tmp_path / "chats.db"
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kind, written, chat_id = done.stdout.split()
    assert kind in ("disk_full", "storage")
    assert int(written) > 0
    store = ChatStore.open(path)
    assert store.problem is None
    assert len(store.thread(chat_id)[0].text) == int(written) + len("room again")
    store.close()


def test_sqlites_own_full_is_told(tmp_path: Path) -> None:
    """A limit on the number of pages gives the very code that a full disk gives."""
    from desktop.chats.schema import SCHEMA
    from desktop.common.database_opening import open_database

    database = open_database(tmp_path / "chats.db", SCHEMA)
    store = ChatStore(database)
    chat = store.create_chat("before")
    pages = database.row("PRAGMA page_count")
    assert pages is not None
    database.row(f"PRAGMA max_page_count = {pages[0] + 5}")
    with pytest.raises(StorageError) as caught:
        _fill(store, chat.id)
    assert caught.value.kind == "disk_full"
    count = store.turn_count(chat.id)
    assert len(store.thread(chat.id)) == count > 0
    database.row("PRAGMA max_page_count = 1000000")
    store.add_turn(chat.id, "user", "after")
    assert store.turn_count(chat.id) == count + 1
    store.close()
