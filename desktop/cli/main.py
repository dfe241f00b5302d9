"""`hausgeist COMMAND ...`: find the command, run it, turn every failure into a sentence."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import threading
from collections.abc import Sequence
from types import MappingProxyType
from typing import Protocol, cast

from desktop.cli.arguments import Arguments, columns
from desktop.cli.front import Front, report, write
from desktop.cli.interrupts import TerminatedError
from desktop.cli.last_resort import explain_crash, log_thread
from desktop.common.console import make_console_safe
from desktop.common.errors import HausgeistError, UsageError
from desktop.common.logs import keep_quiet
from desktop.common.messages import Messages, system_language
from desktop.common.version import VERSION
from desktop.services.start import Start, begin

INTERRUPTED = 130

# A command's module is loaded when it is asked for: `--help` must not wait for llama.cpp.
COMMANDS = MappingProxyType(
    {
        "hardware": "desktop.cli.hardware",
        "fit": "desktop.cli.fit",
        "recommend": "desktop.cli.recommend",
        "search": "desktop.cli.search",
        "run": "desktop.cli.run",
        "bench": "desktop.cli.bench",
        "tune": "desktop.cli.tune",
        "list": "desktop.cli.list_models",
        "pull": "desktop.cli.pull",
        "import": "desktop.cli.import_models",
        "remove": "desktop.cli.remove",
        "verify": "desktop.cli.verify",
        "quantize": "desktop.cli.quantize",
        "pack": "desktop.cli.pack",
        "unpack": "desktop.cli.unpack",
        "sources": "desktop.cli.sources",
        "remotes": "desktop.cli.remotes",
        "index": "desktop.cli.index",
        "keygen": "desktop.cli.keygen",
        "login": "desktop.cli.login",
        "logout": "desktop.cli.logout",
        "doctor": "desktop.cli.doctor",
    }
)
_HELP = ("-h", "--help", "help")
_VERSION = ("-V", "--version", "version")
# Said in interfaces.md, built later: a clear word is better than "unknown command".
_LATER = ("serve",)


class Command(Protocol):
    """What a command's module offers."""

    def configure(self, arguments: Arguments) -> None: ...

    def run(self, options: object, front: Front) -> int: ...


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code and never lets a traceback through."""
    make_console_safe()
    keep_quiet()
    as_json = "--json" in _before_dashes(argv)
    try:
        start = begin(os.environ)
    except HausgeistError as error:
        return report(error, Messages(system_language(os.environ)), as_json=as_json)
    front = Front(start, as_json=as_json)
    threads_before, threading.excepthook = threading.excepthook, log_thread
    try:
        return _run(argv, front)
    finally:
        threading.excepthook = threads_before
        _settle_output()


def _run(argv: Sequence[str], front: Front) -> int:
    problem = front.start.settings_store.problem
    try:
        if problem is not None:  # told now: the file has been put aside, nobody will see it again
            front.note(front.text("cli.note", text=front.messages.error(problem)))
        return _dispatch(argv, front)
    except HausgeistError as error:
        return front.fail(error)
    except KeyboardInterrupt:
        write(sys.stderr, "\n")
        return INTERRUPTED
    except TerminatedError as error:
        return error.exit_code
    except BrokenPipeError:
        return 0  # "| head" has read enough
    except Exception as error:  # noqa: BLE001  (the last resort: a person gets a sentence)
        return explain_crash(error, front)


def _dispatch(argv: Sequence[str], front: Front) -> int:
    if not argv or argv[0] in _HELP:
        write(sys.stdout, _overview(front.start) + "\n")
        return 0
    if argv[0] in _VERSION:
        write(sys.stdout, f"hausgeist {VERSION}\n")
        return 0
    name, rest = argv[0], argv[1:]
    if name in _LATER:
        raise UsageError("command_later", command=name)
    if name not in COMMANDS:
        raise _unknown(name)
    command = cast(Command, importlib.import_module(COMMANDS[name]))
    arguments = Arguments(name, front.messages)
    command.configure(arguments)
    if any(word in _HELP[:2] for word in _before_dashes(rest)):
        write(sys.stdout, arguments.help() + "\n")
        return 0
    return command.run(arguments.parse(rest), front)


def _overview(start: Start) -> str:
    text = start.messages.text
    usage = [
        ("hausgeist", text("cli.help.window")),
        ("hausgeist FILE.gguf", text("cli.help.window_file")),
        ("hausgeist COMMAND ...", text("cli.help.command")),
    ]
    lines = [text("cli.help.title"), "", text("cli.help.usage"), *columns(usage), ""]
    commands = [(name, text(f"cli.command.{name}")) for name in COMMANDS]
    lines += [text("cli.help.commands"), *columns(commands), ""]
    return "\n".join([*lines, text("cli.help.more")])


def _unknown(name: str) -> UsageError:
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    if close:
        return UsageError("unknown_command_close", command=name, close=close[0])
    return UsageError("unknown_command", command=name)


def _before_dashes(argv: Sequence[str]) -> list[str]:
    words = list(argv)
    return words[: words.index("--")] if "--" in words else words


def _settle_output() -> None:
    """What cannot be written any more must not trouble the interpreter's own last flush."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
