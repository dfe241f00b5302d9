"""Open the house for a command, and tell what there is to tell at its start."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from desktop.cli.front import Front
from desktop.common.errors import StorageError
from desktop.common.logs import start_log, stop_log
from desktop.services.core import Core, build_core


@contextlib.contextmanager
def open_house(front: Front, *, storing: bool = False) -> Iterator[Core]:
    """The parts behind a command, closed afterwards.

    `storing`: the command is of no use without a library that lasts; raises its StorageError then.
    """
    core = build_core(front.start)
    log = _start_log(core)
    try:
        if storing and core.problems and not core.writable:
            raise core.problems[0]
        if storing and core.problems and not core.library.lasts:
            raise core.problems[-1]  # the library's own
        for problem in core.problems:
            if problem is front.start.settings_store.problem:
                continue  # told before the command began
            front.note(front.text("cli.note", text=front.messages.error(problem)))
        yield core
    finally:
        core.close()
        if log is not None:
            stop_log(log)


def _start_log(core: Core) -> logging.Handler | None:
    """The log file where the disk allows one; a command goes on without."""
    if not core.writable:
        return None
    try:
        return start_log(core.paths.log_file)
    except StorageError:
        return None  # `problems` has told of the disk already, or it filled up just now
