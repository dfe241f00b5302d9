"""The house stands, also on bad ground."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from desktop.common.messages import Messages
from desktop.services.core import build_core
from desktop.services.start import begin
from desktop.services.wiring import build
from tests.services.fake_engine import FakeEngine
from tests.services.listening import Listener


def env(home: Path, **more: str) -> dict[str, str]:
    return {"HAUSGEIST_HOME": str(home), "LANG": "de_DE.UTF-8", **more}


def test_a_fresh_home(hausgeist_home: Path) -> None:
    services = build(env(hausgeist_home))
    assert services.problems == ()
    assert services.crashes == ()
    assert services.interrupted_turns == 0
    assert services.messages.language == "de"
    assert services.library.list()[0].name == "guide"
    assert services.paths.database.exists()
    services.close()


def test_the_settings_language_wins(hausgeist_home: Path) -> None:
    (hausgeist_home / "data").mkdir(parents=True)
    (hausgeist_home / "data" / "settings.json").write_text('{"language": "en"}')
    assert begin(env(hausgeist_home)).messages.language == "en"


def test_a_home_that_cannot_be_written_still_answers(tmp_path: Path) -> None:
    """Below a regular file nothing can be made, not even by root."""
    (tmp_path / "file").write_text("in the way")
    services = build(env(tmp_path / "file" / "home"))
    (problem,) = services.problems
    assert problem.kind in ("read_only_home", "storage")
    assert Messages("de").error(problem)
    chat = services.store.create_chat()
    listener = Listener()
    handle = services.chat_service.send(chat.id, "Hallo", FakeEngine([["Guten Tag"]]), listener)
    assert listener.ended(handle).state == "complete"
    assert [turn.text for turn in services.store.thread(chat.id)] == ["Hallo", "Guten Tag"]
    services.close()


def test_a_damaged_chat_database_is_kept_aside_and_told(hausgeist_home: Path) -> None:
    data = hausgeist_home / "data"
    data.mkdir(parents=True)
    (data / "chats.db").write_bytes(b"this is no database, but it was somebody's\n" * 200)
    services = build(env(hausgeist_home))
    (problem,) = services.problems
    assert problem.kind == "chats_damaged"
    kept = Path(str(problem.params["kept_as"]))
    assert kept.read_bytes().startswith(b"this is no database")
    assert str(kept) in services.messages.error(problem)
    services.store.create_chat()
    services.close()


def test_a_locked_chat_database_is_left_alone_and_told(hausgeist_home: Path) -> None:
    build(env(hausgeist_home)).close()
    other = sqlite3.connect(hausgeist_home / "data" / "chats.db", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    services = build(env(hausgeist_home))
    assert [problem.kind for problem in services.problems] == ["chats_locked"]
    assert services.messages.error(services.problems[0])
    services.store.create_chat()
    services.close()
    other.close()


def test_broken_settings_are_told(hausgeist_home: Path) -> None:
    (hausgeist_home / "data").mkdir(parents=True)
    (hausgeist_home / "data" / "settings.json").write_text("{")
    core = build_core(begin(env(hausgeist_home)))
    assert [problem.kind for problem in core.problems] == ["settings_damaged"]
    core.close()


def test_closing_ends_the_answers(hausgeist_home: Path) -> None:
    services = build(env(hausgeist_home))
    chat = services.store.create_chat()
    listener = Listener()
    engine = FakeEngine()
    handle = services.chat_service.send(chat.id, "Hallo", engine, listener)
    engine.next_turn()
    services.close()
    assert handle.done.is_set()
    assert not any(thread.name.startswith("turn-") for thread in threading.enumerate())
