"""Bring chats from one database into another: from a stand-in, or from a damaged file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from desktop.common.database import SQLITE_ERRORS

_CHAT = ("id", "title", "created_at", "updated_at", "model", "head", "deleted_at")
_TURN = (
    "id",
    "chat_id",
    "parent_id",
    "role",
    "text",
    "state",
    "model",
    "created_at",
    "prompt_tokens",
    "completion_tokens",
    "tokens_per_s",
    "seconds",
    "error",
    "writer",
    "reasoning",
)
_SINCE_VERSION_2 = "reasoning"

Row = dict[str, Any]


def merge_chats(source: sqlite3.Connection, target: sqlite3.Connection) -> int:
    """Add every chat of `source` whose id `target` does not know; returns how many.

    Turns get new ids. Where a turn is lost, its children hang on the turn before it, so that the
    rest of the conversation still reads from top to bottom.
    """
    known = {row[0] for row in target.execute("SELECT id FROM chats")}
    chats = {row["id"]: row for row in _readable(source, "chats", _CHAT) if row["id"] not in known}
    turns: dict[str, list[Row]] = {}
    for turn in sorted(_readable(source, "turns", _TURN), key=lambda row: int(row["id"])):
        if turn["chat_id"] not in known:
            turns.setdefault(turn["chat_id"], []).append(turn)
    for chat_id in turns.keys() - chats.keys():
        chats[chat_id] = _chat_of(chat_id, turns[chat_id])
    # A title whose every turn is lost would open as an empty chat: that is no rescue.
    whole = [chat for chat in chats.values() if chat["head"] is None or chat["id"] in turns]
    added = [chat for chat in whole if _try_add(target, chat, turns.get(chat["id"], []))]
    return sum(1 for chat in added if chat["deleted_at"] is None)


def _readable(source: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> list[Row]:
    """The rows before the first damaged page and, read from the end, those after the last."""
    names = columns
    if table == "turns" and not _has_column(source, table, _SINCE_VERSION_2):
        columns = tuple(f"'' AS {name}" if name == _SINCE_VERSION_2 else name for name in columns)
    found: dict[int, Row] = {}
    for direction in ("ASC", "DESC"):
        for rowid, *values in _until_damage(source, table, columns, direction):
            row = dict(zip(names, values, strict=True))
            if _is_sound(row):
                found[rowid] = row
    return list(found.values())


def _has_column(source: sqlite3.Connection, table: str, column: str) -> bool:
    try:
        return any(row[1] == column for row in source.execute(f"PRAGMA table_info({table})"))
    except SQLITE_ERRORS:
        return False


def _until_damage(
    source: sqlite3.Connection, table: str, columns: tuple[str, ...], direction: str
) -> Iterator[tuple[Any, ...]]:
    try:
        yield from source.execute(
            f"SELECT rowid, {', '.join(columns)} FROM {table} ORDER BY rowid {direction}"
        )
    except SQLITE_ERRORS:
        return


def _is_sound(row: Row) -> bool:
    """A damaged page can give rows that no migration of ours would have taken."""
    if "title" in row:
        return isinstance(row["id"], str) and isinstance(row["title"], str)
    return all(isinstance(row[name], str) for name in ("chat_id", "role", "text", "state")) and (
        isinstance(row["id"], int)
    )


def _chat_of(chat_id: str, turns: list[Row]) -> Row:
    """A chat whose own row is lost, made from its turns."""
    return {
        "id": chat_id,
        "title": "",
        "created_at": turns[0]["created_at"],
        "updated_at": turns[-1]["created_at"],
        "model": turns[-1]["model"],
        "head": turns[-1]["id"],
        "deleted_at": None,
    }


def _try_add(target: sqlite3.Connection, chat: Row, turns: list[Row]) -> bool:
    """Add one chat wholly or not at all: values that no table of ours takes cost only this one."""
    target.execute("SAVEPOINT chat")
    try:
        _add(target, chat, turns)
    except (sqlite3.IntegrityError, sqlite3.DataError):
        target.execute("ROLLBACK TO chat")
        return False
    finally:
        target.execute("RELEASE chat")
    return True


def _add(target: sqlite3.Connection, chat: Row, turns: list[Row]) -> None:
    target.execute(
        f"INSERT INTO chats ({', '.join(_CHAT)}) VALUES ({', '.join('?' * len(_CHAT))})",
        [None if name == "head" else chat[name] for name in _CHAT],
    )
    new_ids: dict[int, int] = {}
    before: int | None = None
    for turn in turns:
        parent = turn["parent_id"]
        new_parent = None if parent is None else new_ids.get(parent, before)
        values = {**turn, "parent_id": new_parent}
        names = [name for name in _TURN if name != "id"]
        cursor = target.execute(
            f"INSERT INTO turns ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [values[name] for name in names],
        )
        before = int(cursor.lastrowid or 0)
        new_ids[turn["id"]] = before
    head = new_ids.get(chat["head"], before) if chat["head"] is not None else None
    target.execute("UPDATE chats SET head = ? WHERE id = ?", (head, chat["id"]))
