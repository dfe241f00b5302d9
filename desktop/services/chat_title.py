"""A chat's first name: the first words of its first question."""

from __future__ import annotations

import re

_MAX_CHARACTERS = 48
_MARKUP = re.compile(r"```\w*|[*_`#>~|]+|\[([^\]]*)\]\([^)]*\)")


def title_from(text: str) -> str:
    """The first words of `text` in one line, whole words where that is possible.

    Empty only where nothing but marks and spaces was written.
    """
    plain = " ".join(_MARKUP.sub(lambda found: found.group(1) or " ", text[:2000]).split())
    if len(plain) <= _MAX_CHARACTERS:
        return plain.rstrip(" .,:;")
    cut = plain[: _MAX_CHARACTERS + 1].rsplit(" ", 1)[0]
    if len(cut) < _MAX_CHARACTERS // 3 or len(cut) > _MAX_CHARACTERS:
        cut = plain[:_MAX_CHARACTERS]
    return cut.rstrip(" .,:;-–") + "…"
