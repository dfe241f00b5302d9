"""Makes any text safe to lay out: what Qt's documents reserve or cannot draw becomes U+FFFD."""

from __future__ import annotations

import re

# U+FDD0 and U+FDD1 mark frames inside a QTextDocument, U+FFFC an embedded object; a lone surrogate
# cannot be handed to Qt at all.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufffc\ud800-\udfff]")
_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def clean(text: str) -> str:
    """The text with `\\n` as its only line break and without characters that would do harm."""
    if not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub("\ufffd", _BREAK.sub("\n", text))
