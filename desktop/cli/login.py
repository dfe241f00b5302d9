"""`hausgeist login`: enter the access token for the Hub, or see where it lies."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front, is_terminal
from desktop.cli.house import open_house
from desktop.common.errors import UsageError
from desktop.services.account import Account, AccountState

_MOST_CHARACTERS = 10_000


def configure(arguments: Arguments) -> None:
    arguments.switch("--status")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    with open_house(front, storing=not given.status) as core:
        account = core.network.account
        state = account.state() if given.status else _signed_in(account, front)
    tell(state, front)
    return 0


def tell(state: AccountState, front: Front) -> None:
    """Whether somebody is signed in, and where the token lies."""
    if front.as_json:
        front.document(
            {
                "signed_in": state.is_signed_in,
                "place": state.place,
                "user": state.user or None,
                "keeps_in": state.keeps_in,
                "problem": state.problem.kind if state.problem else None,
            }
        )
        return
    key = "cli.login.in_as" if state.is_signed_in and state.user else f"cli.login.{state.place}"
    front.say(front.text(key, user=state.user))
    if state.is_signed_in:
        front.say(front.text(f"account.place.{state.place}"))
    if state.problem is not None:
        front.note(front.text("cli.note", text=front.messages.error(state.problem)))


def _signed_in(account: Account, front: Front) -> AccountState:
    """The token never stands on the command line, where other programs and histories see it."""
    if is_terminal(sys.stdin):
        front.note(front.text("cli.login.how", page=account.tokens_page))
        front.note(front.text(f"account.keeps.{account.state().keeps_in}"))
        token = getpass.getpass(front.text("cli.login.prompt") + " ", stream=sys.stderr)
    else:
        token = "" if sys.stdin is None else sys.stdin.read(_MOST_CHARACTERS)
    if not token.strip():
        raise UsageError("no_new_token")
    return account.sign_in(token)
