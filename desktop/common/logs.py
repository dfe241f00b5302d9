"""The log file: what the app did, never what people wrote or models answered.

Rules for callers: log kinds, names, sizes, times and llama.cpp's own lines; never a prompt, an
answer, a chat's title or a key. A cap on the length of a line guards against a slip.
"""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from desktop.common.storage import storage_error

LOGGER_NAME = "hausgeist"
# Modules that name their logger after themselves are heard as well.
_HEARD = (LOGGER_NAME, "desktop")
MAX_FILE_BYTES = 1_000_000
KEPT_FILES = 3
MAX_LINE_CHARACTERS = 2000


# Without a log file the house keeps quiet: Python would write warnings on people's terminals.
logging.getLogger(LOGGER_NAME).addHandler(logging.NullHandler())


class _ShortLines(logging.Formatter):
    """One record is one line of bounded length, so that a file cannot be flooded or forged."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace("\r", "\\r").replace("\n", "\\n")
        if len(line) > MAX_LINE_CHARACTERS:
            line = line[:MAX_LINE_CHARACTERS] + " [cut]"
        return line


class _QuietFile(logging.handlers.RotatingFileHandler):
    """Drops a line that a full disk refuses, instead of a traceback for each on the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002  (logging's name)
        return


def get_logger(part: str) -> logging.Logger:
    """The logger of one part of the house, such as ``engine``."""
    return logging.getLogger(f"{LOGGER_NAME}.{part}")


def start_log(path: Path, *, level: int = logging.INFO) -> logging.Handler:
    """Write the house's log to `path`, three files of 1 MB at most; raises StorageError.

    Hand the result to `stop_log` at the end.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _QuietFile(
            path,
            maxBytes=MAX_FILE_BYTES,
            backupCount=KEPT_FILES - 1,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        raise storage_error(error, path) from error
    handler.setFormatter(_ShortLines("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in _HEARD:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        logger.addHandler(handler)
    return handler


def keep_quiet() -> None:
    """Without a log file nobody hears: else Python prints warnings between a user's lines."""
    for name in _HEARD:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def stop_log(handler: logging.Handler) -> None:
    """Detach and close what `start_log` gave."""
    for name in _HEARD:
        logging.getLogger(name).removeHandler(handler)
    handler.close()
