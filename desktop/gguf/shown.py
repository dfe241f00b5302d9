"""Text out of a file, made fit for a sentence, a terminal or a log."""

from __future__ import annotations

_LONGEST = 120


def printable(text: str) -> str:
    """Short, on one line and without control characters."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:_LONGEST])
    return shown + ("…" if len(text) > _LONGEST else "")
