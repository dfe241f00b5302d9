"""The chat that is shown: what the user says in it, and what the answers do.

The window's side of `services.chat_turn`: everything that touches the disk runs in the lane
"store", in order; answers arrive over the bridge and reach the transcript as signals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.chats.model import Turn
from desktop.common.errors import HausgeistError
from desktop.ui.bridge import Batch
from desktop.ui.chats.chat_list import LANE, ChatList
from desktop.ui.chats.running import Running
from desktop.ui.chats.view_turns import TurnWords, view_turn
from desktop.ui.model_session import ModelSession
from desktop.ui.session import Session
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.words import Counted

if TYPE_CHECKING:
    from desktop.engine.engine import Engine
    from desktop.engine.events import Stats
    from desktop.services.chat_turn import TurnHandle
    from desktop.services.turn_events import TurnEvent
    from desktop.services.wiring import Services

NEW_CHAT = ""

Hear = Callable[["TurnEvent"], None]
# Services, engine, the library's name of its model, and who hears the answer.
Begin = Callable[["Services", "Engine", str, Hear], "TurnHandle"]


class Conversation(QObject):
    """The talk of all chats; `current` is the id of the one shown, NEW_CHAT for an empty one."""

    current_changed = Signal()
    thread_shown = Signal(list)
    turn_added = Signal(object)
    stream_began = Signal(int)
    stream_grew = Signal(int, str)
    prompt_read = Signal(int, object)  # the share that is read; None: it thinks
    stream_ended = Signal(int, object)
    cut_after = Signal(object)
    state_changed = Signal()
    went_out = Signal()
    answer_began = Signal()
    answer_ended = Signal()
    reading_began = Signal()
    reading_ended = Signal()
    text_returned = Signal(str)

    def __init__(self, session: Session, model: ModelSession, chats: ChatList) -> None:
        super().__init__()
        self._session = session
        self._model = model
        self._chats = chats
        self.current = NEW_CHAT
        self.drafts: dict[str, str] = {}
        self.turns: list[Turn] = []
        self._last_speed: tuple[str, float] | None = None
        self._stats: dict[str, Stats] = {}
        self.waiting: str | None = None
        self._waiting_begin: Begin | None = None
        self._running: dict[str, Running] = {}
        # Not yet stored, so without a chat's id: by the number of the showing it was sent in.
        self._starting: dict[int, Running] = {}
        self._shown = 0
        chats.deleted.connect(self._chat_deleted)
        chats.restored.connect(self.show)
        model.became_ready.connect(self._send_waiting)
        model.became_failed.connect(self._return_waiting)
        model.about_to_close.connect(self.stop_all)

    # What is shown

    def running(self) -> Running | None:
        """The answer being written in the chat that is shown."""
        return self._starting.get(self._shown) or self._running.get(self.current)

    def is_busy(self, chat_id: str) -> bool:
        """Whether an answer is being written in that chat."""
        return chat_id in self._running

    @property
    def last_speed(self) -> float | None:
        """Tokens a second of the last answer by the model that is chosen; None: not known."""
        if self._last_speed is None or self._last_speed[0] != self._model.state.name:
            return None
        return self._last_speed[1]

    def remember_speed(self, model: str, tokens_per_s: float) -> None:
        """Show `tokens_per_s` as the last answer's speed for as long as `model` is chosen."""
        self._last_speed = (model, tokens_per_s)

    @property
    def last_stats(self) -> Stats | None:
        """What the newest answer of the chat that is shown took, if it was written just now."""
        return self._stats.get(self.current)

    @property
    def context_tokens_used(self) -> int:
        """What the chat that is shown took of the context at its last answer; 0: not known."""
        for turn in reversed(self.turns):
            if turn.role == "assistant" and turn.prompt_tokens:
                return turn.prompt_tokens + turn.completion_tokens
        return 0

    def show(self, chat_id: str) -> None:
        """Show a chat (NEW_CHAT: an empty one)."""
        self.current = chat_id
        self.turns = []
        self._shown += 1
        self.current_changed.emit()
        services = self._session.services
        if chat_id == NEW_CHAT or services is None:
            self.thread_shown.emit([])
            self.state_changed.emit()
            return
        self.reading_began.emit()
        self._session.bridge.run(
            LANE,
            lambda: services.store.thread(chat_id),
            partial(self._thread_read, self._shown),
            self._thread_not_read,
        )

    def show_again(self) -> None:
        """Show the same chat in widgets that are new."""
        self._show_turns(self.turns)

    def _thread_read(self, shown: int, turns: list[Turn]) -> None:
        if shown == self._shown:
            self._show_turns(turns)
        self.reading_ended.emit()

    def _thread_not_read(self, error: HausgeistError) -> None:
        self.reading_ended.emit()
        self._session.tell_error(error)

    def _show_turns(self, turns: list[Turn]) -> None:
        running = self.running()
        if running is not None and running.turn_id is not None:
            # What the window has heard is ahead of what the disk has.
            turns = [replace(t, text=running.text) if t.id == running.turn_id else t for t in turns]
        self.turns = turns
        words = TurnWords(self._session.messages)
        self.thread_shown.emit([words.view(turn) for turn in turns])
        if running is not None and running.turn_id is not None:
            self.stream_began.emit(running.turn_id)
        self.state_changed.emit()

    def _view(self, turn: Turn) -> ViewTurn:
        return view_turn(turn, self._session.messages)

    # What the user does

    def send(self, text: str) -> None:
        """Send `text` in the chat that is shown; waits for the model where it is not open yet."""
        chat_id = self.current

        def begin(services: Services, engine: Engine, model: str, hear: Hear) -> TurnHandle:
            target = chat_id or services.store.create_chat(model=model).id
            return services.chat_service.send(target, text, engine, hear, model=model)

        self._begin_or_wait(text, begin)

    def regenerate(self, turn_id: int) -> None:
        """Answer again; the earlier answer is kept as a sibling."""

        def begin(services: Services, engine: Engine, model: str, hear: Hear) -> TurnHandle:
            return services.chat_service.regenerate(turn_id, engine, hear, model=model)

        self._begin_or_wait("", begin)

    def edit_and_resend(self, turn_id: int, text: str) -> None:
        """Ask in other words from where that turn stood."""

        def begin(services: Services, engine: Engine, model: str, hear: Hear) -> TurnHandle:
            chats = services.chat_service
            return chats.edit_and_resend(turn_id, text, engine, hear, model=model)

        self._begin_or_wait(text, begin)

    def stop(self) -> None:
        """Stop the answer in the chat that is shown, or the wait for the model."""
        if self.waiting is not None:
            self._model.cancel()
            self._return_waiting()
            return
        running = self.running()
        if running is not None:
            running.stop()

    def stop_all(self) -> None:
        """Stop every answer; their text stays."""
        for running in (*self._starting.values(), *self._running.values()):
            running.stop()

    def _chat_deleted(self, chat_id: str, follower: str) -> None:
        if (running := self._running.get(chat_id)) is not None:
            running.stop()
        self.drafts.pop(chat_id, None)
        if chat_id == self.current:
            self.show(follower)

    # Answers

    def _begin_or_wait(self, text: str, begin: Begin) -> None:
        engine = self._model.state.engine
        if self._session.services is None or engine is None:
            self.waiting = text
            self._waiting_begin = begin
            self.state_changed.emit()
            self._model.wake()
            return
        self._begin(text, begin, engine)

    def _send_waiting(self) -> None:
        begin, text = self._waiting_begin, self.waiting
        engine = self._model.state.engine
        if begin is None or text is None or engine is None:
            return
        self.waiting = self._waiting_begin = None
        self.went_out.emit()
        self._begin(text, begin, engine)

    def _return_waiting(self) -> None:
        """The model did not open: what was to be sent is the user's again."""
        text, self.waiting, self._waiting_begin = self.waiting, None, None
        if text is not None:
            self.text_returned.emit(text)
            self.state_changed.emit()

    def _begin(self, text: str, begin: Begin, engine: Engine) -> None:
        services = self._session.services
        if services is None:
            return
        running = Running(self._model.state.name)
        shown = self._shown
        self._starting[shown] = running
        self.answer_began.emit()
        self.state_changed.emit()
        post = partial(self._session.bridge.post, partial(self._hear, running))
        # What is written counts for the live speed, whichever chat it is in.
        hear = services.live.speed.listen(post, engine.count_tokens)

        def failed(error: HausgeistError) -> None:
            self._starting.pop(shown, None)
            self.answer_ended.emit()
            self._session.tell_error(error)
            if text:
                self.text_returned.emit(text)
            self.state_changed.emit()

        self._session.bridge.run(
            LANE,
            lambda: begin(services, engine, running.model, hear),
            partial(self._began, running, shown),
            failed,
        )

    def _began(self, running: Running, shown: int, handle: TurnHandle) -> None:
        chat_id = handle.assistant_turn.chat_id
        self._starting.pop(shown, None)
        self._running[chat_id] = running
        if shown == self._shown and self.current != chat_id:  # a new chat has its id now
            self.current = chat_id
            self.current_changed.emit()
        early = running.attach(handle)
        if chat_id == self.current:
            self._show_begun(handle)
        self._chats.reload()
        if not self._session.settings.seen_welcome:
            self._session.change(seen_welcome=True)
        self.state_changed.emit()
        if early:
            self._hear(running, early)

    def _show_begun(self, handle: TurnHandle) -> None:
        question, answer = handle.user_turn, handle.assistant_turn
        parent = question.parent_id if question is not None else answer.parent_id
        self._cut_after(parent)
        for turn in (question, answer):
            if turn is not None:
                self.turns.append(turn)
                self.turn_added.emit(self._view(turn))
        self.stream_began.emit(answer.id)

    def _cut_after(self, turn_id: int | None) -> None:
        """Take away what the new branch does not contain."""
        places = [i for i, turn in enumerate(self.turns) if turn.id == turn_id]
        keep = places[0] + 1 if places else 0
        if keep < len(self.turns):
            del self.turns[keep:]
            self.cut_after.emit(turn_id)

    def _hear(self, running: Running, batch: Batch) -> None:
        before = (running.text == "", running.read_share)
        new = running.hear(batch)
        if new is None:
            return
        shown = running.chat_id == self.current and running.turn_id is not None
        if new and shown:
            self.stream_grew.emit(running.turn_id, new)
        if running.ended is not None:
            self._ended(running)
        elif shown and before != (running.text == "", running.read_share):
            if running.text == "":
                self.prompt_read.emit(running.turn_id, running.read_share)
            self.state_changed.emit()

    def _ended(self, running: Running) -> None:
        ended, handle = running.ended, running.handle
        if ended is None or handle is None:
            return
        self._running.pop(running.chat_id, None)
        self.answer_ended.emit()
        self._model.look_after()
        stats = ended.stats
        if stats is not None:
            self._stats[running.chat_id] = stats
        if stats is not None and stats.tokens_per_s:
            self.remember_speed(running.model, stats.tokens_per_s)
        turn = replace(
            handle.assistant_turn,
            text=running.text,
            reasoning=running.reasoning,
            state=ended.state,
            prompt_tokens=stats.prompt_tokens if stats else 0,
            completion_tokens=stats.completion_tokens if stats else 0,
            tokens_per_s=stats.tokens_per_s if stats else None,
            seconds=(stats.prompt_s + stats.generation_s) if stats else None,
            error_kind=ended.error_kind,
            error_params=ended.error_params,
        )
        if running.chat_id == self.current:
            self.turns = [turn if t.id == turn.id else t for t in self.turns]
            self.stream_ended.emit(turn.id, self._ended_view(turn, running))
        self._chats.reload()
        self.state_changed.emit()

    def _ended_view(self, turn: Turn, running: Running) -> ViewTurn:
        """With what only this moment knows: why it ended, what was left out."""
        messages = self._session.messages
        ended = running.ended
        mark = notice = error = ""
        if running.left_out_turns:
            mark = Counted().left_out(running.left_out_turns)
        if ended is not None and ended.error_kind:
            failure = HausgeistError(ended.error_kind)
            failure.params = ended.error_params
            error = messages.error(failure)
        if ended is not None and ended.reason == "length":
            notice = self.tr("The memory of this chat is full, so the answer ends here.")
        view = view_turn(turn, messages, mark=mark, notice=notice)
        return replace(view, error=error) if error else view
