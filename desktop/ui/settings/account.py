"""The access token for Hugging Face: given, kept (and where is said), forgotten."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.ui.look import Look
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text, restyle
from desktop.ui.session import Session
from desktop.ui.settings.account_model import AccountModel


class AccountForm(QWidget):
    """Says how it stands; a field and a button to sign in, or one to sign out."""

    def __init__(
        self, look: Look, session: Session, model: AccountModel, *, brief: bool = False
    ) -> None:
        """`brief`: says nothing while nobody is signed in, for a place that says what to do."""
        super().__init__()
        self._brief = brief
        s = look.sizes
        self._session = session
        self._model = model
        self.words = Text("", wrap=True)
        self.place = Text("", "small_muted", wrap=True)
        self.problem = Text("", "small", wrap=True)
        self.problem.setProperty("role", "problem")
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setMaxLength(400)
        self.field.setAccessibleName(self.tr("Access token for Hugging Face"))
        self.field.setPlaceholderText(self.tr("Paste your access token here (it begins with hf_)"))
        self.field.returnPressed.connect(self._sign_in)
        self.field.textChanged.connect(self._show)
        self.enter = Button(look, self.tr("Sign in"), self._sign_in)
        self.leave = Button(look, self.tr("Sign out"), model.sign_out)
        line = row(self.field, self.enter, space=s.space_2)
        line.setStretchFactor(self.field, 1)
        said = row(self.words, self.leave, space=s.space_3)
        said.setStretchFactor(self.words, 1)
        self.setLayout(column(said, line, self.problem, self.place, space=s.space_2))
        model.changed.connect(self._show)
        model.signed_in.connect(self.field.clear)
        self._show()

    def _sign_in(self) -> None:
        token = self.field.text().strip()
        if token:
            self._model.sign_in(token)

    def _show(self) -> None:
        model, state = self._model, self._model.state
        signed_in = state is not None and state.is_signed_in
        can_change = state is None or state.can_change
        if model.busy:
            words = self.tr("Asking …")
        elif state is None or not state.is_signed_in:
            words = self.tr("Not signed in. Most models need no token.")
        elif state.user:
            words = self.tr("Signed in as {user}.").format(user=state.user)
        else:
            words = self.tr("An access token is there.")
        self.words.setText(words)
        self.words.setVisible(signed_in or not self._brief)
        self.place.setText(self._place_words())
        can_enter = not model.busy and bool(self.field.text().strip())
        had_focus = self.enter.hasFocus() or self.leave.hasFocus() or self.field.hasFocus()
        stays = self.enter.hasFocus() and can_enter and not signed_in
        self.leave.setVisible(signed_in and can_change)
        for part in (self.field, self.enter):
            part.setVisible(not signed_in and can_change)
        if had_focus and can_change and not stays:
            # What goes away or is greyed would give the focus to the window's first button.
            (self.leave if signed_in else self.field).setFocus(Qt.FocusReason.OtherFocusReason)
        self.enter.setEnabled(can_enter)
        self._show_problem()

    def _show_problem(self) -> None:
        error = self._model.error
        words = "" if error is None else self._session.messages.error(error)
        if words != self.problem.text():
            self.problem.setText(words)
            if words:
                self.problem.setAccessibleName(words)
                announce(self.problem)
        self.problem.setVisible(bool(words))
        restyle(self.problem)

    def _place_words(self) -> str:
        """Where the token lies or would lie: nobody should have to guess."""
        state = self._model.state
        if state is None:
            return ""
        messages = self._session.messages
        if state.place == "environment":
            own = self.tr("It comes from the environment variable HF_TOKEN; only there it changes.")
            return f"{own} {messages.text('account.place.environment')}"
        if state.is_signed_in:
            return messages.text(f"account.place.{state.place}")
        return messages.text(f"account.keeps.{state.keeps_in}")
