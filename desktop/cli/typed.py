"""Text as people typed it, whatever the locale thinks of its bytes."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from desktop.common.errors import UsageError

MAX_PROMPT_BYTES = 32_000_000


def repaired(argument: str) -> str:
    """An argument as UTF-8: a locale without it leaves bytes behind as lone surrogates."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return os.fsencode(argument).decode("utf-8", "replace")
    return argument


def read_all(stream: TextIO | None) -> str:
    """Everything that is piped in, as UTF-8 (a byte order mark of Windows tools dropped).

    Raises UsageError("no_input" | "input_too_long").
    """
    if stream is None:
        raise UsageError("no_input")
    content = stream.buffer.read(MAX_PROMPT_BYTES + 1)
    if len(content) > MAX_PROMPT_BYTES:
        raise UsageError("input_too_long", limit_bytes=MAX_PROMPT_BYTES)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what PowerShell's > writes
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def read_line(prompt: str) -> str:
    """One line from the terminal, edited with readline where that is; EOFError at its end."""
    return repaired(input(prompt))


def offer_line_editing() -> None:
    """Arrow keys and history for `input`; Windows' console has its own."""
    if sys.platform != "win32":
        import readline  # noqa: F401  (its import is what switches it on; not in every Python)
