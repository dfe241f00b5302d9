"""`hausgeist`: no arguments or a model file open the window, a command goes to the command line."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code. Only one front is loaded: the command line never loads Qt."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and not arguments[0].lower().endswith(".gguf"):
        from desktop.cli.main import main as run_command

        return run_command(arguments)
    try:
        from desktop.app import main as open_window
    except ImportError as error:
        from desktop.cli.window_missing import explain

        return explain(error)
    return open_window(arguments)


if __name__ == "__main__":
    sys.exit(main())
