"""`hausgeist keygen FILE`: a pair of keys with which an organisation signs its packs."""

from __future__ import annotations

import getpass
import os
import sys
from argparse import Namespace
from pathlib import Path

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front, is_terminal
from desktop.cli.packing import PASSWORD_VARIABLE
from desktop.common.errors import UsageError
from desktop.library.packs.minisign import new_key, write_keys


def configure(arguments: Arguments) -> None:
    arguments.positional("KEYFILE")
    arguments.switch("--password")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    path = Path(given.keyfile).expanduser().absolute()
    key = new_key()
    public_path = write_keys(key, path, _password(front) if given.password else "")
    if front.as_json:
        front.document(
            {
                "secret": str(path),
                "public": str(public_path),
                "key": key.public.text,
                "number": key.public.number,
            }
        )
        return 0
    front.say(
        front.text(
            "cli.keygen.done", secret=str(path), public=str(public_path), key=key.public.text
        )
    )
    return 0


def _password(front: Front) -> str:
    """From the environment, else typed twice at the terminal."""
    given = os.environ.get(PASSWORD_VARIABLE, "")
    if given or not is_terminal(sys.stdin):
        if not given:
            raise UsageError("sign_key_password", path=PASSWORD_VARIABLE)
        return given
    first = getpass.getpass(front.text("cli.keygen.password"))
    if first != getpass.getpass(front.text("cli.keygen.again")):
        raise UsageError("passwords_differ")
    return first
