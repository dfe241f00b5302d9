"""Signing in at the Hub with an access token, and out again."""

from __future__ import annotations

import json
from dataclasses import dataclass

from desktop.common.errors import HausgeistError, HubError, StorageError, UsageError
from desktop.hub.account import TokenPlace, TokenStore, is_token
from desktop.hub.answer import Answer, Purpose
from desktop.hub.door import Door
from desktop.hub.statuses import require_good

ACCOUNT = "hub_account"
_NO = (401, 403)
_NOT_THERE = 404  # a mirror that hands out files and knows nobody
_MOST_NAME = 80


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
    """One for the whole house; every method may be called from any thread and may take 20 s."""

    def __init__(self, door: Door, tokens: TokenStore) -> None:
        self._door = door
        self._tokens = tokens

    @property
    def tokens_page(self) -> str:
        """Where the Hub makes tokens, for a person."""
        return f"{self._door.policy.endpoint}/settings/tokens"

    def state(self) -> AccountState:
        """Where the token lies; makes no connection."""
        if self._door.policy.has_token_in_environment:
            return AccountState("environment", keeps_in="environment")
        note = self._tokens.note()
        try:
            keeps_in: TokenPlace = self._tokens.keeps_in()
            problem: HausgeistError | None = self._tokens.problem
        except StorageError as error:
            keeps_in, problem = "keyring", error
        if note is None or note.origin != self._door.policy.endpoint:
            return AccountState(keeps_in=keeps_in, problem=problem)
        return AccountState(note.place, note.user, keeps_in, problem)

    def sign_in(self, token: str) -> AccountState:
        """Ask the Hub whose token it is and keep it.

        Raises UsageError(bad_new_token, token_in_environment), HubError(hub_token_refused),
        NetworkError, StorageError where it cannot be kept.
        """
        token = token.strip()
        self._require_changeable()
        if not is_token(token):
            raise UsageError("bad_new_token")
        user = self._whose(token)
        self._tokens.save(token, self._door.policy.endpoint, user)
        return self.state()

    def sign_out(self) -> AccountState:
        """Forget the token; raises UsageError(token_in_environment), StorageError."""
        self._require_changeable()
        self._tokens.forget()
        return self.state()

    def _require_changeable(self) -> None:
        if self._door.policy.has_token_in_environment:
            raise UsageError("token_in_environment")

    def _whose(self, token: str) -> str:
        """The user's name; "" where a mirror does not tell."""
        policy = self._door.policy
        with policy.trying(token):
            answer = self._door.get(f"{policy.endpoint}/api/whoami-v2", Purpose(ACCOUNT))
        if answer.status in _NO:
            raise HubError("hub_token_refused", detail=str(answer.status))
        if answer.status == _NOT_THERE:
            return ""
        require_good(answer, "")
        return _name(answer)


def _name(answer: Answer) -> str:
    try:
        name = json.loads(answer.body)["name"]
    except (ValueError, RecursionError, TypeError, LookupError) as error:
        raise HubError("hub_bad_list", detail=str(error)[:200]) from error
    return name[:_MOST_NAME] if isinstance(name, str) and name.isprintable() else ""
