#!/usr/bin/env python3
"""Set up Hausgeist on this machine and start it, or run its tests. Standard library only.

    python3 packaging/bootstrap.py run [arguments of hausgeist]
    python3 packaging/bootstrap.py test [arguments of pytest]
    python3 packaging/bootstrap.py check

`run` makes .venv once, installs from the lock files, builds llama-cpp-python for what this
machine offers, and starts the app; later starts only start it. `test` does the same set-up with
the test dependencies and runs format, lint, types, layers and pytest. `check` runs the quick
ones and builds nothing.
"""

from __future__ import annotations

import sys

OLDEST, NEWEST = (3, 11), (3, 14)


def main(arguments: list[str]) -> int:
    """Run one command; return its exit code (0 done, 1 failed with a sentence, 2 wrong usage)."""
    if sys.version_info < (3, 8):  # noqa: UP036 - the steps need that much to say anything
        sys.stderr.write("Hausgeist needs Python 3.11 to 3.14.\n")
        return 1
    from bootstrap_steps import commands

    return commands.main(arguments, oldest=OLDEST, newest=NEWEST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
