"""Any damage to the file: opening answers, keeps the file and goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.chats.store import ChatStore
from desktop.common.errors import StorageError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "chats.db"
    store = ChatStore.open(path)
    for number in range(6):
        chat = store.create_chat(f"chat {number}")
        for _ in range(20):
            store.add_turn(chat.id, "user", "word " * 40)
    store.close()
    return path


def _use(store: ChatStore) -> None:
    """Read everything; what cannot be read is told as such."""
    kind = "database_unreadable"
    try:
        for chat in store.list_chats():
            for turn in store.thread(chat.id):
                assert turn.chat_id == chat.id
    except StorageError as error:
        kind = error.kind
    assert kind == "database_unreadable"


_FLIP = st.tuples(st.just("flip"), st.integers(0, 1 << 20), st.binary(min_size=1, max_size=64))
_CUT = st.tuples(st.just("cut"), st.integers(0, 1 << 20), st.just(b""))


@settings(max_examples=40, deadline=None)
@given(damages=st.lists(_FLIP | _CUT, min_size=1, max_size=6))
def test_no_damage_stops_the_app_or_loses_the_file(
    tmp_path_factory: pytest.TempPathFactory,
    whole: Path,
    damages: list[tuple[str, int, bytes]],
) -> None:
    content = bytearray(whole.read_bytes())
    for how, where, what in damages:
        at = where % (len(content) + 1)
        if how == "cut":
            del content[at:]
        else:
            content[at : at + len(what)] = what
    path = tmp_path_factory.mktemp("damaged") / "chats.db"
    path.write_bytes(content)

    store = ChatStore.open(path)
    if store.problem is not None and store.problem.kind == "chats_damaged":
        assert Path(str(store.problem.params["kept_as"])).read_bytes() == bytes(content)
    _use(store)
    store.close()
    again = ChatStore.open(path)
    if store.problem is None or store.problem.kind != "chats_newer":
        new = again.create_chat("it goes on")
        assert again.add_turn(new.id, "user", "x").text == "x"
    _use(again)
    again.close()


def test_a_chat_with_impossible_values_costs_only_itself(tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "chats.db"
    path.write_bytes(whole.read_bytes())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'REAL NOT NULL', 'REAL')")
    connection.commit()
    connection.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE chats SET created_at = NULL WHERE title = 'chat 3'")
    connection.commit()
    connection.close()
    content = bytearray(path.read_bytes())
    content[68:72] = b"ELSE"  # another program's mark: the file is not ours any more
    path.write_bytes(content)
    store = ChatStore.open(path)
    assert sorted(chat.title for chat in store.list_chats()) == [
        f"chat {number}" for number in (0, 1, 2, 4, 5)
    ]
    store.close()
