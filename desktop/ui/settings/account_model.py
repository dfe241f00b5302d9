"""Who is signed in at Hugging Face, as the window knows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.account import AccountState

LANE = "account"


class AccountModel(QObject):
    """Who is signed in, asked and changed beside the window."""

    changed = Signal()
    signed_in = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.state: AccountState | None = None
        self.error: HausgeistError | None = None
        self.busy = False

    def look(self) -> None:
        """Ask where the token lies; makes no connection."""
        services = self._session.services
        if services is not None and not self.busy:
            self._run(services.account.state, self._known)

    def sign_in(self, token: str) -> None:
        """Ask Hugging Face whose token it is, and keep it."""
        services = self._session.services
        if services is not None and not self.busy:
            self._run(partial(services.account.sign_in, token), self._entered)

    def sign_out(self) -> None:
        """Forget the token."""
        services = self._session.services
        if services is not None and not self.busy:
            self._run(services.account.sign_out, self._known)

    def _run(self, work: Callable[[], AccountState], done: Callable[[AccountState], None]) -> None:
        self.busy, self.error = True, None
        self.changed.emit()
        self._session.bridge.run(LANE, work, done, self._failed)

    def _known(self, state: AccountState) -> None:
        self.busy, self.state, self.error = False, state, state.problem
        self.changed.emit()

    def _entered(self, state: AccountState) -> None:
        self._known(state)
        self.signed_in.emit()

    def _failed(self, error: HausgeistError) -> None:
        self.busy, self.error = False, error
        self.changed.emit()
