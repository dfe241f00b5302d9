"""A fault of ours: the traceback goes to the log file, a person gets a sentence."""

from __future__ import annotations

import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from desktop.cli.front import Front
from desktop.common.errors import HausgeistError
from desktop.common.logs import get_logger

_log = get_logger("cli")


def explain_crash(error: Exception, front: Front) -> int:
    """Log `error`; returns exit code 1."""
    kind = type(error).__name__
    path = _written(error, (lambda: front.start.paths.log_file, _fallback))
    if path is None:
        return front.fail(HausgeistError("internal", kind=kind))
    return front.fail(HausgeistError("internal_logged", kind=kind, path=str(path)))


def log_thread(args: threading.ExceptHookArgs) -> None:
    """Python would print a thread's traceback between the user's lines."""
    if args.exc_value is not None:
        trace = (args.exc_type, args.exc_value, args.exc_traceback)
        _log.error("unforeseen in a thread", exc_info=trace)


def _fallback() -> Path:
    """Where a read-only home leaves a place: the system's folder for things that may go.

    Raises OSError where the system has none, as with a full disk.
    """
    return Path(tempfile.gettempdir()) / "hausgeist-error.log"


def _written(error: Exception, candidates: Sequence[Callable[[], Path]]) -> Path | None:
    """The first of the files that took the traceback."""
    lines = "".join(traceback.format_exception(error))
    entry = f"{datetime.now(UTC).isoformat(timespec='seconds')} {lines}\n"
    for candidate in candidates:
        try:
            path = candidate()
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(entry)
        except OSError:
            continue
        return path
    return None
