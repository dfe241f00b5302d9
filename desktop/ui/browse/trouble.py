"""What is the matter with the network: in words, with what one can do about it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QPlainTextEdit

from desktop.ui.browse.words import CountedRepos
from desktop.ui.look import Look
from desktop.ui.machine.live_words import LiveWords, Part
from desktop.ui.notice import Toast
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import Card, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.flow import Flow
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.network_problem import NetworkProblem

TICK_MS = 1000
TEXT_LINES = 8

_ICONS = {
    "rate_limit": "hourglass-medium",
    "certificate": "shield-warning",
    "proxy_login": "lock-simple",
    "portal": "sign-in",
    "clock": "clock",
    "hub_down": "cloud-slash",
    "timeout": "hourglass-medium",
}


class TroubleCard(Card):
    """Headline, advice, and buttons: try again, go online, trust the system, text for IT.

    Where the problem names a time (too many questions), it counts down and asks again by itself,
    once, as long as somebody looks.
    """

    def __init__(self, look: Look, session: Session, retry: Callable[[], object]) -> None:
        s = look.sizes
        super().__init__(look, space=s.space_3)
        self._look = look
        self._session = session
        self._retry = retry
        self._problem: NetworkProblem | None = None
        self._due: float | None = None
        self.headline = Text(kind="heading", wrap=True)
        self.advice = Text(kind="muted", wrap=True)
        self.below = Text(kind="small_muted", wrap=True)
        self.countdown = LiveWords(look)
        self.icon = IconLabel(look, "wifi-slash", "warn", s.icon)
        head = row(self.icon, self.headline, space=s.space_2)
        head.setStretchFactor(self.headline, 1)
        self.again = Button(look, self.tr("Try again"), self._again, kind="primary")
        self.online = Button(look, self.tr("Go online"), self._go_online, kind="primary")
        self.trust = Button(look, self.tr("Trust the system's certificates"), self._trust_system)
        self.fold = Button(look, self.tr("Text for IT"), self._turn_text, icon="caret-right")
        self.copy = Button(look, self.tr("Copy text for IT"), self._copy, icon="copy")
        self.text = self._make_text()
        self.copy.setToolTip(
            self.tr("What is needed, and what went wrong, for whoever looks after your network.")
        )
        buttons = Flow(s.space_2)
        for button in (self.again, self.online, self.trust, self.fold, self.copy):
            buttons.addWidget(button)
        said = (head, self.advice, self.countdown, buttons, self.text, self.below)
        self.inner.addLayout(column(*said, space=s.space_2))
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.hide()

    def _make_text(self) -> QPlainTextEdit:
        """Some lines high whatever its length: the list below must stay in view."""
        text = QPlainTextEdit()
        text.setReadOnly(True)
        text.setTabChangesFocus(True)
        text.setProperty("role", "composer")
        text.setAccessibleName(self.tr("Text for IT"))
        text.setFixedHeight(TEXT_LINES * text.fontMetrics().lineSpacing())
        return text

    def show_problem(self, problem: NetworkProblem | None, *, with_catalogue: bool) -> None:
        """Say what is the matter; None hides the card."""
        if problem is not None and problem != self._problem:
            self._tell(problem)
        self._problem = problem
        self.below.setText(self.tr("Below stands what Hausgeist knows of without the internet."))
        self.below.setVisible(with_catalogue)
        self.setVisible(problem is not None)
        if problem is None:
            self._due = None
            self._timer.stop()

    def _tell(self, problem: NetworkProblem) -> None:
        messages = self._session.messages
        self.icon.show_icon(self._look, _ICONS.get(problem.kind, "wifi-slash"), "warn")
        self.headline.setText(messages.text(problem.headline_key, **problem.params))
        self.advice.setText(messages.text(problem.advice_key, **problem.params))
        self.setAccessibleName(f"{self.headline.text()} {self.advice.text()}")
        services = self._session.services
        forced = services is not None and services.network.policy.forced_by != ""
        self.again.setVisible(problem.can_retry)
        self.online.setVisible(problem.kind == "offline" and not forced)
        self.trust.setVisible(problem.can_use_system_certificates)
        for button in (self.fold, self.copy):
            button.setVisible(bool(problem.report) and problem.kind != "offline")
        self.text.setPlainText(problem.report)
        self.text.hide()
        self._say_fold()
        wait_s = problem.retry_after_s
        self._due = None if wait_s is None else time.monotonic() + wait_s
        self.countdown.setVisible(wait_s is not None)
        self._tick()
        if self._due is not None and self.isVisible():
            self._timer.start()
        announce(self)

    def _tick(self) -> None:
        if self._due is None:
            self._timer.stop()
            return
        left_s = math.ceil(self._due - time.monotonic())
        if left_s > 0:
            self.countdown.show_parts(Part(CountedRepos().again_in(left_s)))
            return
        self._due = None
        self._timer.stop()
        self._retry()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._due is not None:
            self._tick()
            if self._due is not None:
                self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _again(self) -> None:
        self._due = None
        self._retry()

    def _go_online(self) -> None:
        self._session.change(offline=False)  # Browsing asks again

    def _trust_system(self) -> None:
        self._session.change(certificates="system")
        self._session.when_written(self._retry)

    def _turn_text(self) -> None:
        self.text.setVisible(not self.text.isVisibleTo(self))
        self._say_fold()

    def _say_fold(self) -> None:
        shown = self.text.isVisibleTo(self)
        self.fold.show_icon(self._look, "caret-down" if shown else "caret-right")

    def _copy(self) -> None:
        if self._problem is not None:
            QGuiApplication.clipboard().setText(self._problem.report)
            self._session.tell(Toast(self.tr("The text is copied.")))
