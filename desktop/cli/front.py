"""One run of the command line: its words, its streams, and the house behind it."""

from __future__ import annotations

import contextlib
import errno
import json
import sys
from pathlib import Path
from typing import Any, TextIO

from desktop.common.console import printable
from desktop.common.errors import HausgeistError, Param, StorageError
from desktop.common.messages import Language, Messages, format_number
from desktop.common.storage import storage_error
from desktop.services.start import Start

_KEPT = ("\n", "\t")
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in _KEPT}


class Front:
    """Results go to standard output; everything else to standard error.

    With `as_json` standard output carries one JSON document and nothing else.
    """

    def __init__(self, start: Start, *, as_json: bool) -> None:
        self.start = start
        self.messages: Messages = start.messages
        self.as_json = as_json

    def text(self, key: str, /, **params: Param) -> str:
        return self.messages.text(key, **params)

    def say(self, line: str = "") -> None:
        """A line of the result for a person; nothing with --json."""
        if not self.as_json:
            write_words(sys.stdout, line + "\n")

    def note(self, line: str) -> None:
        """A line beside the result."""
        write_words(sys.stderr, line + "\n")

    def document(self, document: Any) -> None:
        """The one JSON document."""
        write(sys.stdout, as_json_text(document) + "\n")

    def fail(self, error: HausgeistError) -> int:
        """Say what went wrong; returns the exit code."""
        return report(error, self.messages, as_json=self.as_json)

    @property
    def shows_progress(self) -> bool:
        """Whether somebody looks at standard error."""
        return is_terminal(sys.stderr)


def report(error: HausgeistError, messages: Messages, *, as_json: bool) -> int:
    """An error in words, or as the JSON document that scripts expect; returns the exit code."""
    sentence = messages.error(error)
    found = {"error": {"kind": error.kind, "message": sentence}}
    try:
        if as_json:
            write(sys.stdout, as_json_text(found) + "\n")
            return error.exit_code
    except (StorageError, BrokenPipeError):
        pass  # a full disk or a reader that left: then there is still the other stream
    with contextlib.suppress(StorageError, BrokenPipeError):
        write_words(sys.stderr, f"hausgeist: {sentence}\n")
    return error.exit_code


def speed_text(tokens_per_s: float, language: Language) -> str:
    """A speed with as many digits as somebody can use."""
    return format_number(tokens_per_s, language, 0 if tokens_per_s >= 100 else 1)


def as_json_text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)


def write_words(stream: TextIO | None, text: str) -> None:
    """Write what a model or a file's name said: to a terminal without its control characters,
    which could move the cursor, rename the window or type for the user."""
    write(stream, text.translate(_CONTROLS) if is_terminal(stream) else text)


def write(stream: TextIO | None, text: str) -> None:
    """Write at once; a program without a console (pythonw.exe) has nowhere to write to.

    Raises BrokenPipeError when the reader has left, StorageError for a full disk behind a ">".
    """
    if stream is None:
        return
    try:
        stream.write(_printable(text))
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if sys.platform == "win32" and error.errno == errno.EINVAL:  # its word for a broken pipe
            raise BrokenPipeError from error
        raise storage_error(error, Path(stream.name)) from error


def _printable(text: str) -> str:
    try:
        return printable(text)
    except UnicodeEncodeError:  # half a surrogate pair, as Windows allows in a file name
        return text.encode("utf-8", "replace").decode()


def is_terminal(stream: TextIO | None) -> bool:
    if stream is None:
        return False
    with contextlib.suppress(ValueError):  # closed
        return stream.isatty()
    return False
