"""Words as GBNF writes them."""

from __future__ import annotations

_SIGNS = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def literal(text: str) -> str:
    """`text` as a quoted literal."""
    return '"' + "".join(_SIGNS.get(sign, sign) for sign in text) + '"'
