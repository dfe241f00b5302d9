"""`hausgeist`: no arguments or a model file open the window, a command goes to the command line."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130
# Children that a command will ask. They load llama.cpp while the command's own modules, which
# take as long, are loaded: begun there, they would be waited for.
_CHILDREN = {
    "fit": ("report", "dry_run"),
    "recommend": ("report",),
    "hardware": ("report",),
    "tune": ("report",),
}
_HELP = frozenset(("-h", "--help"))


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code. Only one front is loaded: the command line never loads Qt."""
    try:
        return _start(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:  # while the parts are still being loaded: seconds on a slow disk
        return INTERRUPTED


def _start(arguments: list[str]) -> int:
    if arguments and not _is_file(arguments[0]):
        return _run_command(arguments)
    from desktop.cli import window_missing

    problem = window_missing.missing(os.environ)
    if problem is not None:
        return window_missing.tell(problem)
    try:
        from desktop.app import main as open_window
    except ImportError as error:
        return window_missing.tell(window_missing.explain_import(error))
    return open_window(arguments)


def _is_file(argument: str) -> bool:
    """Whether it is a model's file or a pack (or its first piece): something for the window."""
    return argument.lower().endswith((".gguf", ".hgpack", ".hgpack.001"))


def _run_command(arguments: list[str]) -> int:
    ahead = _CHILDREN.get(arguments[0], ())
    if not ahead or not _HELP.isdisjoint(arguments):
        from desktop.cli.main import main as run_command

        return run_command(arguments)
    from desktop.engine.process import end_waiting, start_ahead

    try:
        start_ahead(*ahead)
        from desktop.cli.main import main as run_command

        return run_command(arguments)
    finally:
        end_waiting()


if __name__ == "__main__":
    sys.exit(main())
