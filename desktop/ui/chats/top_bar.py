"""The line above the conversation: which model answers, how fast, and what it is doing."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from desktop.ui.chats.conversation import Conversation
from desktop.ui.chats.model_pill import ModelPill
from desktop.ui.chats.model_words import speed_words, stage_words
from desktop.ui.look import Look
from desktop.ui.model_session import ModelSession
from desktop.ui.parts.boxes import Frame, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.meter import Meter
from desktop.ui.parts.text import Elided
from desktop.ui.session import Session


class TopBar(Frame):
    """Model chooser, the state of the engine in words, and the way out of an opening."""

    def __init__(
        self,
        look: Look,
        session: Session,
        model: ModelSession,
        conversation: Conversation,
        pill: ModelPill,
    ) -> None:
        super().__init__("topbar")
        s = look.sizes
        self._look = look
        self._session = session
        self._model = model
        self._conversation = conversation
        self.setFixedHeight(s.topbar)
        self.pill = pill
        pill.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.words = Elided(kind="small_muted")
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.meter = Meter(look, self.tr("How far the model is opened"))
        self.meter.setMaximumWidth(s.card_min // 2)
        self.start_now = Button(look, self.tr("Start now"), model.start_now)
        self.start_now.setToolTip(self.tr("Use the best setting found so far"))
        self.cancel = Button(look, self.tr("Cancel"), model.cancel, kind="quiet")
        self.cancel_small = IconButton(look, "x", self.tr("Cancel"), model.cancel)
        self.retry = Button(look, self.tr("Try again"), model.wake)
        layout = row(
            pill,
            self.meter,
            self.words,
            self.start_now,
            self.cancel,
            self.cancel_small,
            self.retry,
            space=s.space_3,
            margins=(s.space_4, 0, s.space_4, 0),
        )
        layout.setStretchFactor(self.words, 1)
        layout.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(layout)
        model.changed.connect(self.refresh)
        conversation.state_changed.connect(self.refresh)
        conversation.current_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say again what is going on."""
        state = self._model.state
        opening = state.phase == "opening"
        self.start_now.setVisible(state.may_start_now)
        self.retry.setVisible(state.phase == "failed")
        if opening:
            told = state.stage in ("tuning", "loading")
            self.meter.show_share(state.fraction if told else 0.0)
        self.words.setText(self._engine_words())
        self._share_width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Where an opening needs more than there is, its words go before meter and long button."""
        s = self._look.sizes
        opening = self._model.state.phase == "opening"
        words = self.words.fontMetrics().horizontalAdvance(self.words.text())
        words = min(words, s.card_min)  # the longest may be cut short
        buttons = [self.cancel, *([self.start_now] if self._model.state.may_start_now else [])]
        fixed = sum(button.sizeHint().width() for button in buttons)
        needed = self.pill.minimumSizeHint().width() + self.meter.sizeHint().width() + words + fixed
        gaps = 2 * s.space_4 + (2 + len(buttons)) * s.space_3
        tight = opening and needed + gaps > self.width()
        self.meter.setVisible(opening and not tight)
        self.cancel.setVisible(opening and not tight)
        self.cancel_small.setVisible(tight)
        self.words.setMinimumWidth(words if tight else 0)

    def _engine_words(self) -> str:
        state = self._model.state
        if state.phase == "opening":
            return stage_words(state)
        running = self._conversation.running()
        if running is not None and running.read_share is not None:
            percent = round(100 * running.read_share)
            return self.tr("Reads the chat: {percent} %").format(percent=percent)
        speed = self._conversation.last_speed
        if speed is None and state.report is not None and not state.is_guide:
            speed = state.report.speed.tokens_per_s
        return speed_words(speed, self._session.language) if state.phase == "ready" else ""
