"""The chat database: chats, and their turns as trees, each written while it grows.

Editing a question or asking for another answer adds a sibling, so nothing that was written is
ever lost; a chat's `head` says which branch is shown.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal

from desktop.chats import branch
from desktop.chats.model import NO_PARAMS, Chat, Role, Turn, TurnState
from desktop.chats.schema import SCHEMA
from desktop.common.database import Database, storable_text
from desktop.common.database_opening import BUSY_TIMEOUT_S, open_database, open_in_memory
from desktop.common.errors import Param, StorageError, UsageError
from desktop.common.processes import is_alive, process_mark


class _Head(Enum):
    HEAD = "head"


HEAD: Final = _Head.HEAD
"""As a parent: whatever turn the chat shows last."""

Parent = int | None | Literal[_Head.HEAD]

_CHAT_COLUMNS = "id, title, created_at, updated_at, model, head"


class ChatStore:
    """Every method may be called from any thread and raises StorageError.

    An id that does not exist (any more) raises UsageError: no_such_chat, no_such_turn.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._db = database
        self._clock = clock
        self._me = process_mark()

    @classmethod
    def open(cls, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> ChatStore:
        """Open or make the database; what had to be repaired stands in `problem`.

        Raises StorageError (read_only, disk_full, storage) where nothing can be stored.
        """
        return cls(open_database(path, SCHEMA, busy_timeout_s=busy_timeout_s))

    @classmethod
    def in_memory(cls, like: Path | None = None) -> ChatStore:
        """For a disk that cannot be written: everything works, nothing outlives the program.

        It begins with the chats of the file `like`, where that can be read.
        """
        return cls(open_in_memory(SCHEMA, like))

    @property
    def path(self) -> Path:
        """The file in use: the stand-in while the real one is locked."""
        return self._db.path

    @property
    def problem(self) -> StorageError | None:
        """chats_damaged, chats_locked or chats_newer; None when all is well."""
        return self._db.problem

    def close(self) -> None:
        self._db.close()

    # Chats

    def create_chat(self, title: str = "", model: str = "") -> Chat:
        now = self._clock()
        model = storable_text(model)
        chat = Chat(uuid.uuid4().hex, storable_text(title), now, now, model, None)
        with self._db.transaction() as db:
            db.execute(
                f"INSERT INTO chats ({_CHAT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
                (chat.id, chat.title, now, now, model, None),
            )
        return chat

    def chat(self, chat_id: str) -> Chat:
        """One chat, a deleted one too until it is purged."""
        row = self._db.row(f"SELECT {_CHAT_COLUMNS} FROM chats WHERE id = ?", (chat_id,))
        if row is None:
            raise UsageError("no_such_chat")
        return Chat(*row)

    def list_chats(self) -> list[Chat]:
        """Newest first, without the deleted ones."""
        return [
            Chat(*row)
            for row in self._db.rows(
                f"SELECT {_CHAT_COLUMNS} FROM chats WHERE deleted_at IS NULL"
                " ORDER BY updated_at DESC, created_at DESC, rowid DESC"
            )
        ]

    def search_titles(self, text: str) -> list[Chat]:
        """The chats whose title holds every word of `text`, in any case, umlauts too."""
        words = text.casefold().split()
        return [
            chat
            for chat in self.list_chats()
            if all(word in chat.title.casefold() for word in words)
        ]

    def rename(self, chat_id: str, title: str) -> None:
        self._update_chat(chat_id, "title = ?", storable_text(title))

    def set_model(self, chat_id: str, model: str) -> None:
        """Remember the model that the next turn of this chat should use."""
        self._update_chat(chat_id, "model = ?", storable_text(model))

    def delete(self, chat_id: str) -> None:
        """Hide the chat; `undelete` brings it back until `purge`."""
        self._update_chat(chat_id, "deleted_at = ?", self._clock())

    def undelete(self, chat_id: str) -> None:
        self._update_chat(chat_id, "deleted_at = ?", None)

    def purge(self, *, older_than_s: float = 0.0) -> int:
        """Erase for good what was deleted at least so long ago; returns how many chats."""
        until = self._clock() - older_than_s
        with self._db.transaction() as db:
            cursor = db.execute("DELETE FROM chats WHERE deleted_at <= ?", (until,))
            erased = int(cursor.rowcount)
        if erased:
            self._db.clean()
        return erased

    def _update_chat(self, chat_id: str, change: str, value: object) -> None:
        with self._db.transaction() as db:
            cursor = db.execute(f"UPDATE chats SET {change} WHERE id = ?", (value, chat_id))
            if cursor.rowcount == 0:
                raise UsageError("no_such_chat")

    # Turns

    def thread(self, chat_id: str, leaf: int | None = None) -> list[Turn]:
        """The branch that is shown, from the first turn to the head, or to `leaf` instead."""
        # One scan of the chat and a walk in Python: a recursive query alone takes 14 ms for
        # 10,000 turns, before it has read a word.
        rows = self._db.rows(
            f"SELECT {branch.COLUMNS} FROM turns WHERE chat_id = :chat"
            " AND id <= coalesce(:leaf, (SELECT head FROM chats WHERE id = :chat))"
            " ORDER BY id DESC",
            {"chat": chat_id, "leaf": leaf},
        )
        if leaf is not None and (not rows or rows[0][0] != leaf):
            raise UsageError("no_such_turn")
        return branch.branch(rows, chat_id)

    def turn(self, turn_id: int) -> Turn:
        row = self._db.row(f"SELECT {branch.COLUMNS}, chat_id FROM turns WHERE id = ?", (turn_id,))
        if row is None:
            raise UsageError("no_such_turn")
        return branch.branch([row[:-1]], row[-1])[0]

    def turn_count(self, chat_id: str) -> int:
        """All turns of the chat, those of other branches too."""
        row = self._db.row("SELECT count(*) FROM turns WHERE chat_id = ?", (chat_id,))
        return int(row[0]) if row else 0

    def siblings(self, turn_id: int) -> list[int]:
        """The ids of the turns in the same place, oldest first, this one among them."""
        rows = self._db.rows(
            "SELECT other.id FROM turns AS this JOIN turns AS other"
            " ON other.chat_id = this.chat_id AND other.parent_id IS this.parent_id"
            " AND other.role = this.role WHERE this.id = ? ORDER BY other.id",
            (turn_id,),
        )
        return [row[0] for row in rows]

    def newest_leaf(self, turn_id: int) -> int:
        """The end of the newest branch through this turn: the head to set when it is chosen."""
        row = self._db.row(
            "WITH RECURSIVE line(id) AS (SELECT ? UNION ALL SELECT"
            " (SELECT max(turns.id) FROM turns WHERE turns.parent_id = line.id)"
            " FROM line WHERE line.id IS NOT NULL) SELECT max(id) FROM line",
            (turn_id,),
        )
        return int(row[0]) if row else turn_id

    def add_turn(
        self,
        chat_id: str,
        role: Role,
        text: str,
        *,
        parent_id: Parent = HEAD,
        state: TurnState = "complete",
        model: str = "",
    ) -> Turn:
        """Add below `parent_id` (None: as a first turn); the new turn becomes the head."""
        now = self._clock()
        text, model = storable_text(text), storable_text(model)
        with self._db.transaction() as db:
            found = db.execute("SELECT head FROM chats WHERE id = ?", (chat_id,)).fetchone()
            if found is None:
                raise UsageError("no_such_chat")
            parent: int | None = found[0] if isinstance(parent_id, _Head) else parent_id
            if parent is not None and not isinstance(parent_id, _Head):
                belongs = db.execute(
                    "SELECT 1 FROM turns WHERE id = ? AND chat_id = ?", (parent, chat_id)
                ).fetchone()
                if belongs is None:
                    raise UsageError("no_such_turn")
            cursor = db.execute(
                "INSERT INTO turns (chat_id, parent_id, role, text, state, model, created_at,"
                " writer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (chat_id, parent, role, text, state, model, now, self._writer(state)),
            )
            turn_id = int(cursor.lastrowid or 0)
            db.execute(
                "UPDATE chats SET head = ?, updated_at = ? WHERE id = ?", (turn_id, now, chat_id)
            )
        return Turn(turn_id, chat_id, parent, role, text, state, model, now, 0, 0, None, None)

    def append_text(self, turn_id: int, text: str, reasoning: str = "") -> None:
        """More of an answer; on the disk when this returns, as far as a killed process goes."""
        pieces = (storable_text(text), storable_text(reasoning))
        with self._db.transaction() as db:
            cursor = db.execute(
                "UPDATE turns SET text = text || ?, reasoning = reasoning || ? WHERE id = ?",
                (*pieces, turn_id),
            )
            if cursor.rowcount == 0:
                raise UsageError("no_such_turn")

    def finish_turn(
        self,
        turn_id: int,
        *,
        state: TurnState,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        tokens_per_s: float | None = None,
        seconds: float | None = None,
        error_kind: str = "",
        error_params: Mapping[str, Param] = NO_PARAMS,
    ) -> Turn:
        """Say how the turn ended; the numbers are those of this answer alone.

        Kind and params of an error are kept, so that its sentence can be said again later, in
        whatever language.
        """
        now = self._clock()
        error = branch.write_error(error_kind, error_params)
        numbers: tuple[Any, ...] = (prompt_tokens, completion_tokens, tokens_per_s, seconds)
        with self._db.transaction() as db:
            cursor = db.execute(
                "UPDATE turns SET state = ?, prompt_tokens = ?, completion_tokens = ?,"
                " tokens_per_s = ?, seconds = ?, error = ?, writer = ? WHERE id = ?",
                (state, *numbers, error, self._writer(state), turn_id),
            )
            if cursor.rowcount == 0:
                raise UsageError("no_such_turn")
            db.execute(
                "UPDATE chats SET updated_at = ? WHERE id ="
                " (SELECT chat_id FROM turns WHERE id = ?)",
                (now, turn_id),
            )
        return self.turn(turn_id)

    def set_head(self, chat_id: str, turn_id: int | None) -> None:
        """Show the branch that ends with this turn; raises UsageError for another chat's turn."""
        if turn_id is not None and self.turn(turn_id).chat_id != chat_id:
            raise UsageError("no_such_turn")
        self._update_chat(chat_id, "head = ?", turn_id)

    def mark_interrupted(self) -> int:
        """At start: turns whose writer died become "interrupted"; returns how many.

        Turns that a second, living process is writing are left alone, and so are our own.
        """
        marked = 0
        with self._db.transaction() as db:
            writers = db.execute(
                "SELECT DISTINCT writer FROM turns WHERE state = 'streaming'"
            ).fetchall()
            for (writer,) in writers:
                if writer != self._me and not is_alive(writer):
                    cursor = db.execute(
                        "UPDATE turns SET state = 'interrupted', writer = ''"
                        " WHERE state = 'streaming' AND writer = ?",
                        (writer,),
                    )
                    marked += cursor.rowcount
        return marked

    def _writer(self, state: TurnState) -> str:
        return self._me if state == "streaming" else ""
