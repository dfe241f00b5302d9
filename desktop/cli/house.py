"""Open the house for a command, and tell what there is to tell at its start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from desktop.cli.front import Front
from desktop.services.wiring import Core, build_core


@contextlib.contextmanager
def open_house(front: Front, *, storing: bool = False) -> Iterator[Core]:
    """The parts behind a command, closed afterwards.

    `storing`: the command is of no use without a writable home; raises its StorageError then.
    """
    core = build_core(front.start)
    try:
        if storing and core.problems and not core.writable:
            raise core.problems[0]
        for problem in core.problems:
            front.note(front.text("cli.note", text=front.messages.error(problem)))
        yield core
    finally:
        core.close()
