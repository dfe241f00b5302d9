"""The last warnings and errors from the log file, each as one short line."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from desktop.common.storage import storage_error

MOST_LINES = 40
MOST_CHARACTERS = 400
_READ_BYTES = 256 << 10

# As common/logs.py writes them.
_LINE = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[,.]?\d* (WARNING|ERROR|CRITICAL) ([\w.]+): (.*)$"
)


@dataclass(frozen=True, slots=True)
class LoggedError:
    """One warning or error; `time` is local, `part` the logger's name."""

    time: str
    level: str
    part: str
    text: str


def last_errors(log_file: Path, most: int = MOST_LINES) -> tuple[LoggedError, ...]:
    """The newest `most`, oldest first, of the log file and the one before it.

    Raises StorageError where there is a log that cannot be read.
    """
    found: list[LoggedError] = []
    for path in (log_file.with_name(f"{log_file.name}.1"), log_file):
        found += _errors(_tail(path))
    return tuple(found[-most:])


def _errors(text: str) -> list[LoggedError]:
    matches = (_LINE.match(line) for line in text.splitlines())
    return [LoggedError(m[1], m[2], m[3], _short(m[4])) for m in matches if m is not None]


def _short(text: str) -> str:
    """The first line: what follows is a traceback, which only the log itself needs."""
    first = text.split("\\n")[0]
    return first if len(first) <= MOST_CHARACTERS else first[:MOST_CHARACTERS] + " …"


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _READ_BYTES))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise storage_error(error, path, reading=True) from error
