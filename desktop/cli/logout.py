"""`hausgeist logout`: forget the access token for the Hub."""

from __future__ import annotations

from argparse import Namespace

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.login import tell


def configure(arguments: Arguments) -> None:
    arguments.switch("--json")


def run(_given: Namespace, front: Front) -> int:
    with open_house(front, storing=True) as core:
        state = core.network.account.sign_out()
    tell(state, front)
    return 0
