"""A model that its makers hand out only to those who agree: the way to it, step by step."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.common.errors import HausgeistError
from desktop.ui.browse.opened import Opened
from desktop.ui.look import Look
from desktop.ui.parts.boxes import Card, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.text import Text
from desktop.ui.session import Session
from desktop.ui.settings.account import AccountForm
from desktop.ui.settings.account_model import AccountModel
from desktop.ui.transcript.outside import ask_and_open


class AccessCard(Card):
    """Open the page and agree; make a token; put it in here; ask again."""

    def __init__(self, look: Look, session: Session, opened: Opened, account: AccountModel) -> None:
        s = look.sizes
        super().__init__(look, space=s.space_3)
        self._look = look
        self._session = session
        self._opened = opened
        self._account = account
        self._page = self._kind = ""
        self.headline = Text("", "heading", wrap=True)
        self.words = Text("", "muted", wrap=True)
        self.page = Button(
            look, self.tr("Open the model's page"), self._open_page, icon="arrow-square-out"
        )
        self.tokens = Button(
            look, self.tr("Make a token"), self._open_tokens, icon="arrow-square-out"
        )
        self.again = Button(look, self.tr("Ask again"), opened.retry, kind="primary")
        self.form = AccountForm(look, session, account, brief=True)
        icon = IconLabel(look, "lock-simple", "accent_strong", s.icon)
        head = row(icon, self.headline, space=s.space_2)
        head.setStretchFactor(self.headline, 1)
        agree = self.tr(
            "Open the model's page, log in (an account costs nothing) and agree to the terms."
        )
        token = self.tr("Make an access token that may read. It shows Hugging Face that it is you.")
        self.steps = (
            self._step(1, agree, self.page),
            self._step(2, token, self.tokens),
            self._step(3, self.tr("Put the token in here.")),
        )
        said = (head, self.words, *self.steps, self.form, row(self.again, 1))
        self.inner.addLayout(column(*said, space=s.space_2))
        account.changed.connect(self._show_steps)
        account.signed_in.connect(self._signed_in)
        self.hide()

    def show_need(self, page: str, error: HausgeistError | None) -> None:
        """Say what its makers want; `error`: why the Hub refused, None where it did not yet."""
        self._page = page
        self._kind = "" if error is None else error.kind
        headline = {
            "hub_waiting": self.tr("Its makers have not decided yet"),
            "hub_token_refused": self.tr("Your access token is not accepted"),
        }
        self.headline.setText(
            headline.get(self._kind, self.tr("Its makers want your consent first"))
        )
        words = self.tr(
            "Files of this model are handed out to those who have agreed to its terms. "
            "This is needed once."
        )
        self.words.setText(words if error is None else self._session.messages.error(error))
        self.setAccessibleName(f"{self.headline.text()}. {self.words.text()}")
        self.again.setVisible(error is not None)
        self._show_steps()
        self.show()
        if self._account.state is None:
            self._account.look()

    def _show_steps(self) -> None:
        """Only what is still to be done."""
        state = self._account.state
        has_token = state is not None and state.is_signed_in
        agree, token, put = self.steps
        agree.setVisible(
            bool(self._page) and self._kind not in ("hub_waiting", "hub_token_refused")
        )
        needs_token = self._kind != "hub_waiting" and not has_token
        token.setVisible(needs_token)
        put.setVisible(needs_token)
        self.form.setVisible(self._kind != "hub_waiting")

    def _step(self, number: int, words: str, button: Button | None = None) -> QWidget:
        """A sentence with the button that does it beside it."""
        sentence = Text(f"{number}. {words}", wrap=True)
        line = row(sentence, space=self._look.sizes.space_4)
        line.setStretchFactor(sentence, 1)
        if button is not None:
            button.setAccessibleDescription(words)
            line.addWidget(button)
        step = QWidget()
        step.setLayout(line)
        return step

    def _signed_in(self) -> None:
        if self.isVisible():
            self._opened.retry()

    def _open_page(self) -> None:
        ask_and_open(self, self._page)

    def _open_tokens(self) -> None:
        services = self._session.services
        if services is not None:
            ask_and_open(self, services.account.tokens_page)
