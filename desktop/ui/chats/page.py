"""The place "Chats": sidebar, top bar, transcript or welcome, composer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from desktop.library.model import LibraryModel
from desktop.ui.chats.chat_list import ChatList
from desktop.ui.chats.composer import Composer
from desktop.ui.chats.conversation import NEW_CHAT, Conversation
from desktop.ui.chats.model_pill import ModelPill
from desktop.ui.chats.remote_menu import Servers
from desktop.ui.chats.sidebar import Sidebar
from desktop.ui.chats.status_line import StatusLine
from desktop.ui.chats.top_bar import TopBar
from desktop.ui.chats.welcome import Welcome
from desktop.ui.downloads.first_model import FirstModel
from desktop.ui.look import Look
from desktop.ui.model_session import ModelSession
from desktop.ui.parts.boxes import column
from desktop.ui.remotes_model import RemotesModel
from desktop.ui.session import Session
from desktop.ui.transcript.turns import ViewTurn

if TYPE_CHECKING:
    from desktop.ui.transcript.view import TranscriptView


class ChatsPage(QWidget):
    """Where one talks."""

    import_wanted = Signal()
    models_wanted = Signal()
    machine_wanted = Signal()

    def __init__(
        self,
        look: Look,
        session: Session,
        model: ModelSession,
        chats: ChatList,
        conversation: Conversation,
        first: FirstModel,
        remotes: RemotesModel,
    ) -> None:
        super().__init__()
        self._look = look
        self._session = session
        self._model = model
        self._conversation = conversation
        self._edited: int | None = None
        self._models: list[LibraryModel] = []
        self.setProperty("role", "plain")
        self.sidebar = Sidebar(look, chats, conversation)
        self._remotes = remotes
        self.pill = ModelPill(look, model, lambda: self._models, self._servers)
        self.top_bar = TopBar(look, session, model, conversation, self.pill)
        self._transcript: TranscriptView | None = None
        self.welcome = Welcome(look, session, model, first)
        self.composer = Composer(look)
        self.status = StatusLine(look, session.messages, model, conversation)
        self._middle = QStackedWidget()
        self._middle.addWidget(self.welcome)
        self._lay_out()
        self._connect()
        self.composer.set_text(conversation.waiting or conversation.drafts.get(self._shown, ""))
        self._show_state()
        self._show_thread_or_welcome()

    def _servers(self) -> Servers:
        """What the chooser offers beside the models of this disk."""
        services = self._session.services
        offline = services is not None and services.network.policy.is_offline
        return Servers(self._remotes.servers, offline or self._session.settings.offline)

    def show_models(self, models: list[LibraryModel]) -> None:
        """The models that the chooser offers."""
        self._models = models

    @property
    def transcript(self) -> TranscriptView:
        """Made when the first message is shown: it brings Markdown and code colours along."""
        if self._transcript is None:
            self._transcript = self._make_transcript()
        return self._transcript

    def writing_height(self) -> int:
        """How high the composer with its status line is."""
        return self._below.height() + self._look.sizes.space_2

    def focus_composer(self) -> None:
        """Put the keyboard where one writes."""
        self.composer.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_search(self) -> None:
        """Put the keyboard into the search over titles."""
        self.sidebar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.sidebar.search.selectAll()

    def start_new(self) -> None:
        """An empty chat, the keyboard in its composer."""
        self._conversation.show(NEW_CHAT)
        self.focus_composer()

    def keep_draft(self) -> None:
        """Remember what stands in the composer; for a window that is built anew."""
        self._keep_draft(self._shown)

    def _lay_out(self) -> None:
        s = self._look.sizes
        self._below = below = QWidget()
        below.setLayout(column(self.composer, self.status, space=s.space_2))
        below.setMaximumWidth(s.column)
        line = QHBoxLayout()
        line.setContentsMargins(s.space_5, s.space_2, s.space_5, s.space_3)
        line.addStretch(1)
        line.addWidget(below, 1000)
        line.addStretch(1)
        right = QWidget()
        right.setLayout(column(self.top_bar, self._middle, line))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.sidebar)
        layout.addWidget(right, 1)

    def _make_transcript(self) -> TranscriptView:
        from desktop.ui.transcript.outside import ask_and_open
        from desktop.ui.transcript.view import TranscriptView

        view = TranscriptView(self._look.theme, icon_of=self._look.icon)
        view.set_motion(enabled=self._look.motion_ms > 0)
        talk = self._conversation
        talk.stream_began.connect(view.begin_stream)
        talk.stream_grew.connect(view.feed)
        talk.stream_ended.connect(view.end_stream)
        talk.prompt_read.connect(view.set_progress)
        talk.cut_after.connect(view.remove_after)
        view.regenerate_requested.connect(talk.regenerate)
        view.edit_requested.connect(self._begin_edit)
        view.link_activated.connect(lambda address: ask_and_open(self, address))
        self._middle.addWidget(view)
        QWidget.setTabOrder(self.top_bar.retry, view)
        return view

    def _connect(self) -> None:
        talk = self._conversation
        self._shown = talk.current
        talk.thread_shown.connect(self._thread_shown)
        talk.turn_added.connect(self._turn_added)
        talk.state_changed.connect(self._show_state)
        talk.current_changed.connect(self._current_changed)
        talk.went_out.connect(lambda: self.composer.set_text(""))
        talk.text_returned.connect(self._take_back)
        self.composer.sent.connect(self._send)
        self.composer.stopped.connect(talk.stop)
        self.composer.edit_cancelled.connect(self._edit_left)
        self.composer.recall_wanted.connect(self._edit_last)
        self.composer.began_writing.connect(self._model.wake_if_asleep)
        self.welcome.asked.connect(talk.send)
        self.welcome.import_wanted.connect(self.import_wanted)
        self.welcome.machine_wanted.connect(self.machine_wanted)
        self.welcome.models_wanted.connect(self.models_wanted)
        self.pill.import_wanted.connect(self.import_wanted)
        self.pill.manage_wanted.connect(self.models_wanted)
        self._model.changed.connect(self._show_state)
        self._look.changed.connect(self._retheme)

    # Sending, editing, drafts

    def _send(self, text: str) -> None:
        edited, self._edited = self._edited, None
        self.composer.end_edit()
        if edited is not None:
            self._conversation.edit_and_resend(edited, text)
        else:
            self._conversation.send(text)
        if self._conversation.waiting is None:
            self.composer.set_text("")

    def _begin_edit(self, turn_id: int) -> None:
        turn = next((t for t in self._conversation.turns if t.id == turn_id), None)
        if turn is None or self._conversation.running() is not None:
            return
        if not self.composer.editing:
            self._keep_draft(self._shown)
        self._edited = turn_id
        self.composer.begin_edit(turn.text)

    def _edit_last(self) -> None:
        """The arrow up in an empty composer changes the last message."""
        mine = [t for t in self._conversation.turns if t.role == "user"]
        if mine:
            self._begin_edit(mine[-1].id)

    def _edit_left(self) -> None:
        self._edited = None
        self.composer.set_text(self._conversation.drafts.get(self._shown, ""))

    def _take_back(self, text: str) -> None:
        if not self.composer.text().strip():
            self.composer.set_text(text)

    def _keep_draft(self, chat_id: str) -> None:
        text = self.composer.text()
        if self._edited is None and self._conversation.waiting is None:
            if text.strip():
                self._conversation.drafts[chat_id] = text
            else:
                self._conversation.drafts.pop(chat_id, None)

    def _current_changed(self) -> None:
        before, self._shown = self._shown, self._conversation.current
        if before == self._shown:
            return
        if before == NEW_CHAT and self._conversation.running() is not None:
            # The same chat as before: it only has got its id.
            self._conversation.drafts.pop(NEW_CHAT, None)
            return
        self._keep_draft(before)
        self._edited = None
        self.composer.end_edit()
        self.composer.set_text(self._conversation.drafts.get(self._shown, ""))

    # Showing

    def _turn_added(self, turn: ViewTurn) -> None:
        self.transcript.append_turn(turn)
        self._show_thread_or_welcome()

    def _thread_shown(self, turns: list[ViewTurn]) -> None:
        if turns or self._transcript is not None:
            self.transcript.set_turns(turns)
        self._show_thread_or_welcome()

    def _show_thread_or_welcome(self) -> None:
        empty = not self._conversation.turns
        if empty:
            self.welcome.refresh()
        self._middle.setCurrentWidget(self.welcome if empty else self.transcript)

    def _show_state(self) -> None:
        waiting = self._conversation.waiting
        busy = waiting is not None or self._conversation.running() is not None
        words = ""
        if waiting is not None:
            words = self.tr("The model is being opened; then your message is sent.")
        self.composer.edit.setReadOnly(waiting is not None)
        self.composer.show_busy(busy, words)

    def _retheme(self) -> None:
        if self._transcript is not None:
            self._transcript.set_theme(self._look.theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window has no room for the sidebar's full width."""
        super().resizeEvent(event)
        s = self._look.sizes
        narrow = self.width() < s.sidebar + s.column
        self.sidebar.setFixedWidth(s.sidebar - (s.space_6 + s.space_5 if narrow else 0))
