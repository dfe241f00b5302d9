"""Standard output and error that never crash on a letter that the terminal cannot show."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


def make_console_safe() -> None:
    """Call once at the start of the command line.

    Piped output becomes UTF-8 (JSON is UTF-8 by its standard); a terminal keeps its encoding and
    shows an escape for what it does not have; whoever set PYTHONIOENCODING meant it. A closed
    stream (pythonw.exe, a service) stays None.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "utf-8"
            if os.environ.get("PYTHONIOENCODING"):
                encoding = stream.encoding
            elif _is_terminal(stream):
                encoding = _terminal_encoding(stream)
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _terminal_encoding(stream: io.TextIOWrapper) -> str:
    """UTF-8 for the C locale's ASCII: every terminal of today reads it; else what the user set."""
    encoding = (stream.encoding or "ascii").lower().replace("_", "-")
    return "utf-8" if encoding in ("ascii", "us-ascii", "ansi-x3.4-1968") else encoding


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed already
        return False


def printable(text: str) -> str:
    """`text` without lone surrogates, which stand for a file name's undecodable bytes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
