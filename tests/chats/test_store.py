from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.chats.branch import read_error
from desktop.chats.model import Turn
from desktop.chats.schema import SCHEMA
from desktop.chats.store import ChatStore
from desktop.common.database import Database
from desktop.common.database_opening import open_database
from desktop.common.errors import Param, StorageError, UsageError


class Clock:
    """A time that goes on by a second at every look."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(tmp_path / "chats.db", SCHEMA)


@pytest.fixture
def store(database: Database) -> Iterator[ChatStore]:
    store = ChatStore(database, Clock())
    yield store
    store.close()


def _texts(turns: list[Turn]) -> list[str]:
    return [turn.text for turn in turns]


def test_a_chat_grows_turn_by_turn(store: ChatStore) -> None:
    chat = store.create_chat("Titel", "guide")
    assert chat.head is None
    assert store.thread(chat.id) == []
    question = store.add_turn(chat.id, "user", "Grüße 😀")
    answer = store.add_turn(chat.id, "assistant", "", state="streaming", model="guide")
    store.append_text(answer.id, "Hallo")
    store.append_text(answer.id, ", Welt")
    done = store.finish_turn(
        answer.id,
        state="complete",
        prompt_tokens=12,
        completion_tokens=3,
        tokens_per_s=9.5,
        seconds=0.4,
    )
    assert store.thread(chat.id) == [question, done]
    assert done == store.turn(answer.id)
    assert (done.text, done.state, done.parent_id) == ("Hallo, Welt", "complete", question.id)
    assert (done.prompt_tokens, done.completion_tokens) == (12, 3)
    assert (done.tokens_per_s, done.seconds) == (9.5, 0.4)
    assert store.chat(chat.id).head == answer.id
    assert store.chat(chat.id).updated_at > chat.updated_at
    assert store.turn_count(chat.id) == 2


def test_why_a_turn_failed_can_be_said_again_later(store: ChatStore) -> None:
    chat = store.create_chat()
    turn = store.add_turn(chat.id, "assistant", "half", state="streaming")
    params: dict[str, Param] = {"path": "/Größe", "needed_bytes": 5_600_000_000, "x": 0.5}
    failed = store.finish_turn(
        turn.id, state="failed", error_kind="not_enough_space", error_params=params
    )
    assert store.thread(chat.id) == [failed]
    assert (failed.error_kind, failed.error_params) == ("not_enough_space", params)
    assert turn.error_params == {}


@pytest.mark.parametrize("stored", ["disk_full", "{", "[]", "[1, 2]", "null"])
def test_a_damaged_reason_is_no_reason_to_fail(stored: str) -> None:
    assert read_error(stored) == ("internal", {})


def test_everything_is_there_after_closing(tmp_path: Path) -> None:
    first = ChatStore.open(tmp_path / "chats.db")
    chat = first.create_chat("a", "m")
    # A NUL, half a character, and a model whose file name is no text.
    turn = first.add_turn(chat.id, "user", "b\0c\r\n\ud800", model="m\udcff")
    first.append_text(turn.id, "\0\udfff d")
    turn = first.turn(turn.id)
    first.set_model(chat.id, "m\udcff")
    first.close()
    second = ChatStore.open(tmp_path / "chats.db")
    assert second.problem is None
    assert second.thread(chat.id) == [turn]
    assert (turn.text, turn.model) == ("b\0c\r\n?\0? d", "m?")
    second.close()


def test_another_answer_loses_nothing(store: ChatStore) -> None:
    chat = store.create_chat()
    question = store.add_turn(chat.id, "user", "q")
    first = store.add_turn(chat.id, "assistant", "a1")
    store.add_turn(chat.id, "user", "q2")
    second = store.add_turn(chat.id, "assistant", "a2", parent_id=question.id)
    assert _texts(store.thread(chat.id)) == ["q", "a2"]
    assert store.siblings(second.id) == [first.id, second.id]
    assert store.siblings(question.id) == [question.id]
    store.set_head(chat.id, store.newest_leaf(first.id))
    assert _texts(store.thread(chat.id)) == ["q", "a1", "q2"]
    assert store.turn_count(chat.id) == 4


def test_an_edited_question_starts_a_branch_of_its_own(store: ChatStore) -> None:
    chat = store.create_chat()
    first = store.add_turn(chat.id, "user", "q")
    store.add_turn(chat.id, "assistant", "a")
    edited = store.add_turn(chat.id, "user", "q, better", parent_id=None)
    store.add_turn(chat.id, "assistant", "a, better")
    assert _texts(store.thread(chat.id)) == ["q, better", "a, better"]
    assert store.siblings(edited.id) == [first.id, edited.id]
    assert _texts(store.thread(chat.id, store.newest_leaf(first.id))) == ["q", "a"]


def test_roots_of_other_chats_are_no_siblings(store: ChatStore) -> None:
    one, other = store.create_chat(), store.create_chat()
    turn = store.add_turn(one.id, "user", "q")
    store.add_turn(other.id, "user", "q")
    assert store.siblings(turn.id) == [turn.id]
    assert store.thread(one.id) == [turn]


def test_chats_stand_newest_first(store: ChatStore) -> None:
    old, new = store.create_chat("old"), store.create_chat("new")
    assert [chat.title for chat in store.list_chats()] == ["new", "old"]
    store.add_turn(old.id, "user", "q")
    assert [chat.title for chat in store.list_chats()] == ["old", "new"]
    store.rename(new.id, "renamed")  # tidying up is no news
    assert [chat.title for chat in store.list_chats()] == ["old", "renamed"]


def test_deleting_can_be_undone_until_purged(store: ChatStore) -> None:
    chat, stays = store.create_chat("goes"), store.create_chat("stays")
    store.add_turn(chat.id, "user", "q")
    store.delete(chat.id)
    assert [c.title for c in store.list_chats()] == ["stays"]
    store.undelete(chat.id)
    assert {c.title for c in store.list_chats()} == {"goes", "stays"}
    assert len(store.thread(chat.id)) == 1
    store.delete(chat.id)
    assert store.purge(older_than_s=100) == 0
    assert store.purge() == 1
    assert store.purge() == 0
    assert [c.id for c in store.list_chats()] == [stays.id]
    assert store.turn_count(chat.id) == 0
    with pytest.raises(UsageError):
        store.undelete(chat.id)


def test_what_is_purged_is_gone_from_the_disk(tmp_path: Path) -> None:
    store = ChatStore.open(tmp_path / "chats.db")
    chat = store.create_chat("the secret title")
    store.add_turn(chat.id, "user", "the secret words " * 500)
    store.delete(chat.id)
    store.purge()
    on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret" not in on_disk
    store.close()


def test_titles_are_found_in_any_case_with_umlauts(store: ChatStore) -> None:
    store.create_chat("Über 100 % Ölpreis")
    store.create_chat("Anderes")
    assert [c.title for c in store.search_titles("öl ÜBER")] == ["Über 100 % Ölpreis"]
    assert [c.title for c in store.search_titles("100 %")] == ["Über 100 % Ölpreis"]
    assert store.search_titles("_") == []
    assert len(store.search_titles("  ")) == 2


def test_the_model_of_a_chat_is_remembered(store: ChatStore) -> None:
    chat = store.create_chat(model="guide")
    store.set_model(chat.id, "Größeres")
    assert store.chat(chat.id).model == "Größeres"


def test_ids_that_are_not_there_are_told(store: ChatStore) -> None:
    chat, other = store.create_chat(), store.create_chat()
    turn = store.add_turn(other.id, "user", "q")
    no_chat: tuple[Callable[[], object], ...] = (
        lambda: store.chat("x"),
        lambda: store.rename("x", "y"),
        lambda: store.delete("x"),
        lambda: store.add_turn("x", "user", "q"),
    )
    for call in no_chat:
        with pytest.raises(UsageError, match="no_such_chat"):
            call()
    no_turn: tuple[Callable[[], object], ...] = (
        lambda: store.turn(99),
        lambda: store.append_text(99, "x"),
        lambda: store.finish_turn(99, state="complete"),
        lambda: store.set_head(chat.id, turn.id),
        lambda: store.add_turn(chat.id, "user", "q", parent_id=turn.id),
        lambda: store.thread(chat.id, turn.id),
    )
    for call in no_turn:
        with pytest.raises(UsageError, match="no_such_turn"):
            call()
    assert store.turn_count(chat.id) == 0


def test_a_failed_turn_leaves_nothing_half(store: ChatStore) -> None:
    chat = store.create_chat()
    with pytest.raises(UsageError):
        store.add_turn(chat.id, "user", "q", parent_id=77)
    assert store.chat(chat.id) == chat


def test_after_closing_every_call_is_told(store: ChatStore) -> None:
    store.close()
    store.close()
    with pytest.raises(StorageError, match="database_closed"):
        store.list_chats()
    with pytest.raises(StorageError, match="database_closed"):
        store.create_chat()


def test_many_threads_write_at_once(store: ChatStore) -> None:
    chats = [store.create_chat(str(number)) for number in range(8)]
    failures: list[BaseException] = []

    def write(chat_id: str) -> None:
        try:
            turn = store.add_turn(chat_id, "assistant", "", state="streaming")
            for number in range(50):
                store.append_text(turn.id, f"{number} ")
                store.list_chats()
            store.finish_turn(turn.id, state="complete")
        except BaseException as error:  # noqa: BLE001  (shown by the assertion below)
            failures.append(error)

    threads = [threading.Thread(target=write, args=(chat.id,)) for chat in chats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    expected = "".join(f"{number} " for number in range(50))
    assert [_texts(store.thread(chat.id)) for chat in chats] == [[expected]] * 8


def test_in_memory_everything_works_and_no_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = ChatStore.in_memory()
    chat = store.create_chat()
    store.add_turn(chat.id, "user", "q")
    store.delete(chat.id)
    assert store.purge() == 1
    store.close()
    assert list(tmp_path.iterdir()) == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parents=st.lists(st.integers(0, 30), max_size=30))
def test_every_turn_of_any_tree_reads_back_from_its_root(
    store: ChatStore, parents: list[int]
) -> None:
    """Against a plain model of the tree in two dictionaries."""
    chat = store.create_chat()
    path: dict[int, list[str]] = {}
    ids: list[int] = []
    for number, choice in enumerate(parents):
        parent = ids[choice % len(ids)] if ids and choice else None
        turn = store.add_turn(chat.id, "user", str(number), parent_id=parent)
        path[turn.id] = [*(path[parent] if parent is not None else []), str(number)]
        ids.append(turn.id)
        assert _texts(store.thread(chat.id)) == path[turn.id]
    for turn_id in ids:
        assert _texts(store.thread(chat.id, turn_id)) == path[turn_id]
        store.set_head(chat.id, turn_id)
        assert _texts(store.thread(chat.id)) == path[turn_id]


def test_chats_from_before_reasoning_was_kept_stay_as_they_are(tmp_path: Path) -> None:
    first = replace(SCHEMA, migrations=SCHEMA.migrations[:1])
    path = tmp_path / "old.db"
    old = open_database(path, first)
    with old.transaction() as db:
        db.execute("INSERT INTO chats VALUES ('c', 'Titel', 1, 2, 'm', 1, NULL)")
        db.execute(
            "INSERT INTO turns (id, chat_id, role, text, state, model, created_at)"
            " VALUES (1, 'c', 'user', 'Hallo', 'complete', '', 1)"
        )
    old.close()
    store = ChatStore.open(path)
    [turn] = store.thread("c")
    assert (turn.text, turn.reasoning) == ("Hallo", "")
    answer = store.add_turn("c", "assistant", "", state="streaming")
    store.append_text(answer.id, "Guten", "Erst ")
    store.append_text(answer.id, " Tag", "grüßen.")
    kept = store.turn(answer.id)
    assert (kept.text, kept.reasoning) == ("Guten Tag", "Erst grüßen.")
    store.close()
