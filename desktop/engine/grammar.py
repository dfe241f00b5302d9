"""Grammars that an answer must follow: from a request's wish to what the sampler is given."""

from __future__ import annotations

from desktop.engine.constraint import Constraint, Grammar


def check_grammar(grammar: Grammar) -> None:
    """Raise RequestError("bad_grammar", reason, line) or ("grammar_too_large", limit)."""


def literal(text: str) -> str:
    """`text` as a quoted literal of GBNF."""
    signs = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(signs.get(sign, sign) for sign in text) + '"'


def grammar_for(constraint: Constraint) -> Grammar:
    """The grammar of a request's constraint. Raises RequestError.

    For the caller's thread: a large schema may take some tenths of a second.
    """
    return Grammar(constraint.source)
