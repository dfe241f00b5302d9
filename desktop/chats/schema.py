"""The tables of the chat database, version by version."""

from __future__ import annotations

import sqlite3

from desktop.chats.merging import merge_chats
from desktop.common.database import Schema

APPLICATION_ID = 0x48474348  # "HGCH"


def _001_chats_and_turns(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE chats (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            model TEXT NOT NULL,
            head INTEGER,
            deleted_at REAL
        )
        """
    )
    # error is empty, or kind and params of what ended a failed turn, as JSON.
    # parent_id has no foreign key: a rescue of a damaged file may miss a turn in the middle.
    connection.execute(
        """
        CREATE TABLE turns (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            parent_id INTEGER,
            role TEXT NOT NULL,
            text TEXT NOT NULL,
            state TEXT NOT NULL,
            model TEXT NOT NULL,
            created_at REAL NOT NULL,
            prompt_tokens INTEGER NOT NULL DEFAULT 0,
            completion_tokens INTEGER NOT NULL DEFAULT 0,
            tokens_per_s REAL,
            seconds REAL,
            error TEXT NOT NULL DEFAULT '',
            writer TEXT NOT NULL DEFAULT ''
        )
        """
    )
    connection.execute("CREATE INDEX turns_of_chat ON turns (chat_id)")
    connection.execute("CREATE INDEX turns_of_parent ON turns (parent_id)")
    connection.execute("CREATE INDEX turns_streaming ON turns (state) WHERE state = 'streaming'")


def _002_reasoning(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN reasoning TEXT NOT NULL DEFAULT ''")


SCHEMA = Schema("chats", APPLICATION_ID, (_001_chats_and_turns, _002_reasoning), merge_chats)
