"""The line below the composer: how full the chat's memory is, and where everything stays."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from desktop.common.messages import Messages
from desktop.services.remote_ref import parse_remote
from desktop.ui.chats.conversation import Conversation
from desktop.ui.chats.cost_words import CostWords
from desktop.ui.look import Look
from desktop.ui.model_session import ModelSession
from desktop.ui.parts.boxes import row
from desktop.ui.parts.meter import Meter
from desktop.ui.parts.text import Text
from desktop.ui.words import Counted, pages, pages_used

_NEARLY_FULL = 0.85


class StatusLine(QWidget):
    """Memory in pages, with the tokens in its tip, and what the last answer cost."""

    def __init__(
        self, look: Look, messages: Messages, model: ModelSession, conversation: Conversation
    ) -> None:
        super().__init__()
        s = look.sizes
        self._model = model
        self._conversation = conversation
        self._name = Text(self.tr("Memory"), "small_muted")
        self.meter = Meter(look, self.tr("How full the memory of this chat is"))
        self.meter.setFixedWidth(s.sidebar // 2)
        self.used = Text(kind="small_muted")
        self.cost = Text(kind="small_muted")
        self._cost_words = CostWords(messages)
        self._local = Text(kind="small_muted")
        self._room = s.dialog
        self.setLayout(
            row(self._name, self.meter, self.used, self.cost, 1, self._local, space=s.space_3)
        )
        model.changed.connect(self.refresh)
        conversation.state_changed.connect(self.refresh)
        conversation.current_changed.connect(self.refresh)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """What it cost goes first where the window is narrow, then where everything stays."""
        self._local.setVisible(self.width() > self._room)
        has_room = self.width() > self._room + self._local.sizeHint().width()
        self.cost.setVisible(has_room and bool(self.cost.text()))

    def _show_cost(self) -> None:
        stats = self._conversation.last_stats
        self.cost.setText("" if stats is None else self._cost_words.short(stats))
        full = "" if stats is None else self._cost_words.full(stats)
        self.cost.setToolTip(full)
        self.cost.setAccessibleName(full)
        self._share_room()

    @property
    def where(self) -> str:
        """What is said of where one's words go."""
        return self._local.text()

    def _show_where(self) -> None:
        """Where what is written goes."""
        state = self._model.state
        remote = parse_remote(state.name)
        if remote is not None and state.leaves_computer:
            away = self.tr("Goes to “{server}”, off this computer")
            self._local.setText(away.format(server=remote.server))
        else:
            self._local.setText(self.tr("Everything stays on this computer"))

    def refresh(self) -> None:
        """Say again how much of the context the chat takes."""
        self._show_where()
        self._show_cost()
        engine = self._model.state.engine
        used = self._conversation.context_tokens_used
        shown = engine is not None and used > 0
        for widget in (self._name, self.meter, self.used):
            widget.setVisible(shown)
        if engine is None or not shown:
            return
        whole = engine.info.context_tokens
        self.meter.setVisible(whole > 0)
        if not whole:  # a server that does not tell
            self.used.setText(Counted().pages(pages(used)))
            self.used.setToolTip("")
            return
        share = used / whole
        self.meter.show_share(share, "warn" if share >= _NEARLY_FULL else "accent")
        self.used.setText(pages_used(used, whole))
        tip = self.tr("The model sees {used} of {whole} tokens of this chat at once").format(
            used=used, whole=whole
        )
        self.meter.setToolTip(tip)
        self.used.setToolTip(tip)
