"""What is left when processes die, or live on beside each other: with real child processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.chats.store import ChatStore

# Writes an answer piece by piece, and says each number once that piece is stored.
_WRITER = """
import sys
from pathlib import Path
from desktop.chats.store import ChatStore
store = ChatStore.open(Path(sys.argv[1]))
chat = store.create_chat("c")
store.add_turn(chat.id, "user", "question")
turn = store.add_turn(chat.id, "assistant", "", state="streaming", model="m")
print(chat.id, turn.id, flush=True)
for number, line in enumerate(sys.stdin):
    store.append_text(turn.id, f"{number} ")
    print(number, flush=True)
"""

_OPENER = """
import sys
from pathlib import Path
from desktop.chats.store import ChatStore
sys.stdin.readline()
store = ChatStore.open(Path(sys.argv[1]), busy_timeout_s=60)
assert store.problem is None, store.problem
store.create_chat(sys.argv[2])
store.close()
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    children: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        children.append(child)
        return child

    yield start
    for child in children:
        with child:
            child.kill()


def _say(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def _hear(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_a_killed_process_loses_nothing_that_it_had_appended(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "chats.db"
    child = start(_WRITER, str(path))
    chat_id, turn_id = _hear(child).split()
    for number in range(40):
        _say(child)
        assert _hear(child) == str(number)
    child.kill()
    child.wait()
    assert (tmp_path / "chats.db-wal").stat().st_size > 0  # it really died in the middle

    store = ChatStore.open(path)
    assert store.problem is None
    assert store.mark_interrupted() == 1
    question, answer = store.thread(chat_id)
    assert question.text == "question"
    assert answer.id == int(turn_id)
    assert answer.text == "".join(f"{number} " for number in range(40))
    assert answer.state == "interrupted"
    assert store.mark_interrupted() == 0
    store.close()


def test_the_turns_of_a_second_living_process_are_left_alone(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "chats.db"
    living, dying = start(_WRITER, str(path)), start(_WRITER, str(path))
    living_turn = int(_hear(living).split()[1])
    dying_turn = int(_hear(dying).split()[1])
    dying.kill()
    dying.wait()

    store = ChatStore.open(path)
    mine = store.add_turn(store.create_chat().id, "assistant", "", state="streaming")
    assert store.mark_interrupted() == 1
    assert store.turn(living_turn).state == "streaming"
    assert store.turn(dying_turn).state == "interrupted"
    assert store.turn(mine.id).state == "streaming"
    _say(living)  # and it can go on writing while we have the file open
    assert _hear(living) == "0"
    assert store.turn(living_turn).text == "0 "
    store.close()


def test_a_finished_turn_belongs_to_nobody(tmp_path: Path) -> None:
    store = ChatStore.open(tmp_path / "chats.db")
    turn = store.add_turn(store.create_chat().id, "assistant", "", state="streaming")
    store.finish_turn(turn.id, state="stopped")
    assert store.mark_interrupted() == 0
    assert store.turn(turn.id).state == "stopped"
    store.close()


def test_many_processes_may_make_the_database_at_once(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "chats.db"
    children = [start(_OPENER, str(path), str(number)) for number in range(4)]
    for child in children:
        _say(child)
    for child in children:
        assert child.wait(60) == 0
    store = ChatStore.open(path)
    assert sorted(chat.title for chat in store.list_chats()) == ["0", "1", "2", "3"]
    store.close()


def test_many_processes_may_meet_a_damaged_database_at_once(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "chats.db"
    path.write_bytes(b"not a database " * 1000)
    code = _OPENER.replace("assert store.problem is None, store.problem\n", "")
    children = [start(code, str(path), str(number)) for number in range(4)]
    for child in children:
        _say(child)
    for child in children:
        assert child.wait(60) == 0
    assert [file.name for file in tmp_path.glob("*.damaged-*")] == ["chats.db.damaged-1"]
    store = ChatStore.open(path)
    assert sorted(chat.title for chat in store.list_chats()) == ["0", "1", "2", "3"]
    store.close()
