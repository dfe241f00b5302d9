"""`hausgeist remotes`: servers whose models are used from here: show, add, test, remove."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from functools import partial

from desktop.cli.arguments import Arguments, columns, one_of, real, text
from desktop.cli.front import Front, is_terminal
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.common.errors import HausgeistError, NetworkError, UsageError
from desktop.engine.cancel import CancelToken
from desktop.engine.remote.link import Patience
from desktop.services.remote_file import RemoteServer
from desktop.services.remote_ref import RemoteRef
from desktop.services.remotes import NewServer, Remotes, ServerReport

_ACTIONS = ("list", "add", "test", "remove")
_MOST_CHARACTERS = 10_000
_MOST_SHOWN = 30
_MOST_S = 86_400.0
_UNTRUSTED = ("server_untrusted", "other_certificate")


def configure(arguments: Arguments) -> None:
    arguments.positional("ACTION", optional=True, help_key="cli.argument.remotes_action")
    arguments.positional("NAME", optional=True, help_key="cli.argument.remotes_name")
    arguments.positional("ADDRESS", optional=True, help_key="cli.argument.remotes_address")
    arguments.switch("--with-key")
    arguments.option("--ca", value="FILE", kind=text)
    arguments.option("--fingerprint", value="SHA256", kind=text)
    for flag in ("--connect-timeout", "--first-token-timeout", "--token-timeout"):
        arguments.option(flag, value="S", kind=real(0.1, _MOST_S))
    arguments.switch("--unchecked")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    action = one_of(*_ACTIONS)("ACTION", given.action or "list")
    _require(given, name=action != "list", address=action == "add")
    key = _key(front) if given.with_key else ""
    with Interrupts() as interrupts, open_house(front) as core, StatusLine(front) as status:
        remotes = Remotes.of(core)
        if action == "list":
            status.clear()
            _tell_all(remotes.servers(), front)
            return 0
        if action == "remove":
            removed = remotes.remove(given.name)
            _tell_removed(removed, front)
            return 0
        status.show(front.text("cli.remotes.asking", server=given.name))
        if action == "add":
            work = partial(_added, remotes, _new(given, key), front)
        else:
            work = partial(_tested, remotes, given.name)
        report = interrupts.run(work)
        status.clear()
        _tell_report(report, front)
    return 0


def _require(given: Namespace, *, name: bool, address: bool) -> None:
    """Raises UsageError: missing_argument, unexpected_argument."""
    for wanted, value, shown in ((name, given.name, "NAME"), (address, given.address, "ADDRESS")):
        if wanted and not value:
            raise UsageError("missing_argument", command="remotes", argument=shown)
        if value and not wanted:
            raise UsageError("unexpected_argument", argument=value, command="remotes")


def _key(front: Front) -> str:
    """The key never stands on the command line, where other programs and histories see it."""
    if is_terminal(sys.stdin):
        key = getpass.getpass(front.text("cli.remotes.key_prompt") + " ", stream=sys.stderr)
    else:
        key = "" if sys.stdin is None else sys.stdin.read(_MOST_CHARACTERS)
    if not key.strip():
        raise UsageError("no_server_key")
    return key.strip()


def _new(given: Namespace, key: str) -> NewServer:
    usual = Patience()
    return NewServer(
        given.name,
        given.address,
        key=key,
        ca_file=given.ca or "",
        fingerprint=given.fingerprint or "",
        patience=Patience(
            given.connect_timeout or usual.connect_s,
            given.first_token_timeout or usual.first_token_s,
            given.token_timeout or usual.between_s,
            usual.question_s,
        ),
        check=not given.unchecked,
    )


def _added(remotes: Remotes, new: NewServer, front: Front, _cancel: CancelToken) -> ServerReport:
    try:
        return remotes.add(new)
    except NetworkError as error:
        if error.kind in _UNTRUSTED:
            _show_certificate(remotes, new.address, front)
        raise


def _tested(remotes: Remotes, name: str, _cancel: CancelToken) -> ServerReport:
    return remotes.test(name)


def _show_certificate(remotes: Remotes, address: str, front: Front) -> None:
    """What the server shows, so that its owner can compare and trust it."""
    try:
        shown = remotes.certificate(address)
    except HausgeistError as error:
        front.note(front.text("cli.note", text=front.messages.error(error)))
        return
    front.note(
        front.text(
            "cli.remotes.certificate",
            subject=shown.subject,
            issuer=shown.issuer,
            until=shown.not_after,
            fingerprint=shown.fingerprint,
        )
    )


def _tell_all(servers: tuple[RemoteServer, ...], front: Front) -> None:
    if front.as_json:
        front.document({"servers": [server.to_json() for server in servers]})
        return
    if not servers:
        front.say(front.text("cli.remotes.none"))
    for server in servers:
        _tell_server(server, front)


def _tell_removed(server: RemoteServer, front: Front) -> None:
    if front.as_json:
        front.document({"removed": server.name})
    else:
        front.say(front.text("cli.remotes.removed", server=server.name))


def _tell_report(report: ServerReport, front: Front) -> None:
    if front.as_json:
        front.document({**report.server.to_json(), "seconds": round(report.seconds, 3)})
        return
    _tell_server(report.server, front)
    if report.server.place.is_open:
        front.note(
            front.text("cli.note", text=front.text("remotes.open", server=report.server.name))
        )
    if report.server.models:
        model = str(RemoteRef(report.server.name, report.server.models[0].id))
        front.say(front.text("cli.remotes.use", model=model))


def _tell_server(server: RemoteServer, front: Front) -> None:
    key = "cli.remotes.server" if server.leaves_computer else "cli.remotes.server_here"
    front.say(front.text(key, server=server.name, address=server.address))
    rows = [
        (str(RemoteRef(server.name, model.id)), _context(model.context_tokens, front))
        for model in server.models[:_MOST_SHOWN]
    ]
    for line in columns(rows):
        front.say(line)
    more = len(server.models) - len(rows)
    if more > 0:
        front.say("  " + front.text("cli.remotes.more", count=more))


def _context(tokens: int, front: Front) -> str:
    return front.text("cli.remotes.context", tokens=tokens) if tokens else ""
