"""Signing in at the Hub with an access token, and out again."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.common.errors import HausgeistError
from desktop.hub.account import TokenPlace


@dataclass(frozen=True, slots=True)
class AccountState:
    """`place` is where the token lies; `user` whom the Hub knows it as ("" before it was asked).

    `can_change` is False where the token comes from the environment (HF_TOKEN). `keeps_in` is
    where a new token would be kept. `problem`: the keyring could not be asked.
    """

    place: TokenPlace = "none"
    user: str = ""
    keeps_in: TokenPlace = "keyring"
    problem: HausgeistError | None = None

    @property
    def is_signed_in(self) -> bool:
        return self.place != "none"

    @property
    def can_change(self) -> bool:
        return self.place != "environment"


class Account:
    """One for the whole house; every method may be called from any thread and may take 15 s."""

    def state(self) -> AccountState:
        """Where the token lies; makes no connection."""
        raise NotImplementedError

    def sign_in(self, token: str) -> AccountState:
        """Ask the Hub whose token it is and keep it.

        Raises UsageError(bad_token, token_in_environment), HubError(hub_token_refused),
        NetworkError, StorageError where it cannot be kept.
        """
        raise NotImplementedError

    def sign_out(self) -> AccountState:
        """Forget the token; raises UsageError(token_in_environment), StorageError."""
        raise NotImplementedError
