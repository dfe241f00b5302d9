from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from desktop.chats.merging import merge_chats
from desktop.chats.store import ChatStore


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.db"
    store = ChatStore.open(path)
    chat = store.create_chat("a chat", "m")
    for number in range(6):
        turn = store.add_turn(chat.id, "user" if number % 2 == 0 else "assistant", str(number))
    store.finish_turn(
        turn.id, state="failed", error_kind="disk_full", error_params={"path": "ä"}, seconds=1.5
    )
    gone = store.create_chat("deleted")
    store.delete(gone.id)
    store.close()
    return path


def _merge(source: Path, target: Path) -> tuple[int, ChatStore]:
    ChatStore.open(target).close()
    one, other = sqlite3.connect(source), sqlite3.connect(target)
    with other:
        merged = merge_chats(one, other)
    one.close()
    other.close()
    return merged, ChatStore.open(target)


def _edit(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


def test_a_whole_chat_comes_over_beside_what_is_there(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.db"
    there = ChatStore.open(target)
    own = there.create_chat("own")
    there.add_turn(own.id, "user", "own turn")
    there.close()
    merged, store = _merge(source, target)
    assert merged == 1  # the deleted one comes along, uncounted and still deleted
    assert {chat.title for chat in store.list_chats()} == {"own", "a chat"}
    chat = store.search_titles("a chat")[0]
    turns = store.thread(chat.id)
    assert [turn.text for turn in turns] == [str(n) for n in range(6)]
    assert (turns[-1].state, turns[-1].error_kind, turns[-1].seconds) == (
        "failed",
        "disk_full",
        1.5,
    )
    assert turns[-1].error_params == {"path": "ä"}
    assert chat.head == turns[-1].id
    assert [turn.text for turn in store.thread(own.id)] == ["own turn"]
    store.close()


def test_a_file_from_before_reasoning_was_kept_comes_over_too(source: Path, tmp_path: Path) -> None:
    _edit(source, "ALTER TABLE turns DROP COLUMN reasoning")
    merged, store = _merge(source, tmp_path / "target.db")
    assert merged == 1
    turns = store.thread(store.search_titles("a chat")[0].id)
    assert [turn.text for turn in turns] == [str(n) for n in range(6)]
    assert {turn.reasoning for turn in turns} == {""}
    store.close()


def test_a_lost_turn_in_the_middle_leaves_the_rest_readable(source: Path, tmp_path: Path) -> None:
    _edit(source, "DELETE FROM turns WHERE text = '2'")
    _, store = _merge(source, tmp_path / "target.db")
    chat = store.search_titles("a chat")[0]
    assert [turn.text for turn in store.thread(chat.id)] == ["0", "1", "3", "4", "5"]
    store.close()


def test_a_lost_head_gives_the_newest_turn(source: Path, tmp_path: Path) -> None:
    _edit(source, "DELETE FROM turns WHERE text = '5'")
    _, store = _merge(source, tmp_path / "target.db")
    chat = store.search_titles("a chat")[0]
    assert store.thread(chat.id)[-1].text == "4"
    store.close()


def test_turns_without_their_chat_become_a_chat(source: Path, tmp_path: Path) -> None:
    _edit(source, "DELETE FROM chats")
    merged, store = _merge(source, tmp_path / "target.db")
    assert merged == 1
    (chat,) = store.list_chats()
    assert chat.title == ""
    assert len(store.thread(chat.id)) == 6
    store.close()


def test_a_title_without_any_turn_is_no_chat(source: Path, tmp_path: Path) -> None:
    _edit(source, "DELETE FROM turns")
    merged, store = _merge(source, tmp_path / "target.db")
    assert merged == 0
    assert store.list_chats() == []
    store.close()


def test_rows_that_make_no_sense_are_left_out(source: Path, tmp_path: Path) -> None:
    _edit(source, "UPDATE turns SET text = x'ff' WHERE text = '3'")
    _edit(source, "UPDATE chats SET title = x'ff' WHERE title = 'deleted'")
    _, store = _merge(source, tmp_path / "target.db")
    (chat,) = store.list_chats()
    assert [turn.text for turn in store.thread(chat.id)] == ["0", "1", "2", "4", "5"]
    store.close()


def test_a_file_without_our_tables_gives_nothing(tmp_path: Path) -> None:
    source = tmp_path / "other.db"
    _edit(source, "CREATE TABLE chats (id TEXT)")
    merged, store = _merge(source, tmp_path / "target.db")
    assert merged == 0
    store.close()
