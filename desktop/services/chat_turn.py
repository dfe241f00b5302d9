"""Take a turn in a chat: store the question, let the engine answer, write the answer as it grows.

One pump thread a turn reads the engine's stream; the listener hears every event on that thread.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from desktop.chats.model import Turn
from desktop.chats.store import ChatStore
from desktop.common.errors import RequestError
from desktop.engine.chat import Chat, Message
from desktop.engine.engine import Engine
from desktop.engine.events import Stats
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.templates.message_order import merge_roles
from desktop.services.answer_writer import AnswerWriter
from desktop.services.chat_title import title_from
from desktop.services.crash_marker import CrashMarker
from desktop.services.turn_events import TurnListener
from desktop.services.turn_pump import TurnPump

WINDOW_PRIORITY = 1
"""A person who looks at the window waits; a program that asks through the network can."""


@dataclass(frozen=True, slots=True)
class TurnHandle:
    """A running turn: the question (None where an answer is repeated) and the growing answer."""

    user_turn: Turn | None
    assistant_turn: Turn
    done: threading.Event
    _cancel: Callable[[], None]

    def cancel(self) -> None:
        """Stop the answer; what was written stays. Harmless after the end."""
        self._cancel()


class ChatService:
    """All turns of all chats, on whatever engine they are given."""

    def __init__(
        self,
        store: ChatStore,
        crash_marker: CrashMarker,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._crash_marker = crash_marker
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._starting: set[str] = set()
        # Where the context was cut last in a chat: kept, so that the prompt's beginning stays.
        self._cuts: dict[str, int] = {}
        self._last_stats: Stats | None = None

    @property
    def last_stats(self) -> Stats | None:
        """What the answer that ended last took; None before the first."""
        return self._last_stats

    def send(
        self,
        chat_id: str,
        text: str,
        engine: Engine,
        listener: TurnListener,
        *,
        sampling: Sampling | None = None,
        max_tokens: int | None = None,
        model: str = "",
    ) -> TurnHandle:
        """Add the user's `text` to the chat and start the answer.

        `model` is the name to remember the answer by, "" for what the file calls itself.
        Raises RequestError("empty_message" | "turn_running") and StorageError: nothing was sent.
        """
        with self._taking(chat_id, text):
            is_first = self._store.turn_count(chat_id) == 0
            question = self._store.add_turn(chat_id, "user", text)
            if is_first:
                self._name_chat(chat_id, text)
            job = _Job(question, engine, listener, sampling, max_tokens, model)
            return self._answer(job, question)

    def regenerate(
        self,
        turn_id: int,
        engine: Engine,
        listener: TurnListener,
        *,
        sampling: Sampling | None = None,
        max_tokens: int | None = None,
        model: str = "",
    ) -> TurnHandle:
        """Answer again; the earlier answer stays as a sibling.

        `turn_id` is the answer, or the question where no answer came.
        Raises RequestError("turn_running" | "nothing_to_answer") and StorageError.
        """
        turn = self._store.turn(turn_id)
        question = turn
        if turn.role == "assistant":
            if turn.parent_id is None:
                raise RequestError("nothing_to_answer")
            question = self._store.turn(turn.parent_id)
        if question.role != "user":
            raise RequestError("nothing_to_answer")
        with self._taking(question.chat_id, question.text):
            job = _Job(question, engine, listener, sampling, max_tokens, model)
            return self._answer(job, None)

    def edit_and_resend(
        self,
        turn_id: int,
        text: str,
        engine: Engine,
        listener: TurnListener,
        *,
        sampling: Sampling | None = None,
        max_tokens: int | None = None,
        model: str = "",
    ) -> TurnHandle:
        """Ask in other words from where the user's turn `turn_id` stood; the old branch stays.

        Raises RequestError("empty_message" | "turn_running" | "nothing_to_answer"), StorageError.
        """
        old = self._store.turn(turn_id)
        if old.role != "user":
            raise RequestError("nothing_to_answer")
        with self._taking(old.chat_id, text):
            question = self._store.add_turn(old.chat_id, "user", text, parent_id=old.parent_id)
            job = _Job(question, engine, listener, sampling, max_tokens, model)
            return self._answer(job, question)

    def running(self, chat_id: str) -> TurnHandle | None:
        """The turn that is being answered in this chat."""
        with self._lock:
            running = self._running.get(chat_id)
        return running.handle if running else None

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop every answer and wait until all are written; False if one did not end in time."""
        with self._lock:
            running = list(self._running.values())
        for turn in running:
            turn.handle.cancel()
        deadline = self._clock() + timeout_s
        for turn in running:
            turn.thread.join(max(0.0, deadline - self._clock()))
        return not any(turn.thread.is_alive() for turn in running)

    @contextlib.contextmanager
    def _taking(self, chat_id: str, text: str) -> Iterator[None]:
        """The chat belongs to one turn from its first check on, whichever thread asks."""
        if not text.strip():
            raise RequestError("empty_message")
        with self._lock:
            if chat_id in self._running or chat_id in self._starting:
                raise RequestError("turn_running")
            self._starting.add(chat_id)
        try:
            yield
        finally:
            with self._lock:
                self._starting.discard(chat_id)

    def _name_chat(self, chat_id: str, text: str) -> None:
        chat = self._store.chat(chat_id)
        if not chat.title:
            self._store.rename(chat_id, title_from(text))

    def _answer(self, job: _Job, user_turn: Turn | None) -> TurnHandle:
        chat_id = job.question.chat_id
        answer = self._store.add_turn(
            chat_id,
            "assistant",
            "",
            parent_id=job.question.id,
            state="streaming",
            model=job.model or job.engine.info.name,
        )
        writer = AnswerWriter(self._store, answer.id, self._clock)
        pump = TurnPump(answer.id, job.engine, writer, job.listener, partial(self._cut, chat_id))
        handle = TurnHandle(user_turn, answer, threading.Event(), pump.cancel)
        thread = threading.Thread(
            target=self._run, args=(job, handle, pump), name=f"turn-{answer.id}", daemon=True
        )
        with self._lock:
            self._running[chat_id] = _Running(handle, thread)
        thread.start()
        return handle

    def _run(self, job: _Job, handle: TurnHandle, pump: TurnPump) -> None:
        """The pump thread: everything of one answer."""
        info = job.engine.info
        try:
            with self._crash_marker.running("generating", info.path, info.plan):
                ended = pump.run(lambda: self._request(job))
        finally:
            with self._lock:
                del self._running[job.question.chat_id]
        self._last_stats = ended.stats or self._last_stats
        try:
            job.listener(ended)
        finally:
            handle.done.set()

    def _cut(self, chat_id: str, first_kept: int) -> None:
        self._cuts[chat_id] = first_kept

    def _request(self, job: _Job) -> Request:
        chat_id = job.question.chat_id
        turns = self._history(job.question)
        said = (Message(t.role, t.text, reasoning=t.reasoning) for t in turns if t.text.strip())
        messages = merge_roles(list(said))
        return Request(
            id=uuid.uuid4().hex,
            chat=Chat(
                tuple(messages),
                overflow="drop_oldest",
                first_kept=self._cuts.get(chat_id, 0),
                answer_tokens=job.max_tokens,
            ),
            max_tokens=job.max_tokens,
            sampling=job.sampling or job.engine.info.sampling or Sampling(),
            conversation=chat_id,
            priority=WINDOW_PRIORITY,
        )

    def _history(self, question: Turn) -> list[Turn]:
        """From the first turn to `question`, also when another branch is shown by now."""
        turns = self._store.thread(question.chat_id)
        for index, turn in enumerate(turns):
            if turn.id == question.id:
                return turns[: index + 1]
        branch = [question]
        while branch[-1].parent_id is not None:
            branch.append(self._store.turn(branch[-1].parent_id))
        return branch[::-1]


@dataclass(frozen=True, slots=True)
class _Job:
    """What one answer is made from."""

    question: Turn
    engine: Engine
    listener: TurnListener
    sampling: Sampling | None
    max_tokens: int | None
    model: str


@dataclass(frozen=True, slots=True)
class _Running:
    handle: TurnHandle
    thread: threading.Thread
