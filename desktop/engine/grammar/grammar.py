"""Grammars that an answer must follow: from a request's wish to what the sampler is given."""

from __future__ import annotations

import functools
import json

from desktop.common.errors import RequestError
from desktop.engine.constraint import Constraint, Grammar
from desktop.engine.grammar.automaton import Automaton
from desktop.engine.grammar.gbnf import parse
from desktop.engine.grammar.gbnf_text import literal
from desktop.engine.grammar.grammar_graph import Graph
from desktop.engine.grammar.json_schema import SchemaRules

__all__ = ["check_grammar", "grammar_for", "graph_of", "literal"]

MAX_CHOICES = 10_000
MAX_CHOICE_CHARACTERS = 1 << 18
MAX_SCHEMA_CHARACTERS = 1 << 20
_GRAPHS_KEPT = 32


def grammar_for(constraint: Constraint) -> Grammar:
    """The grammar of a request's constraint, checked.

    Raises RequestError: "bad_grammar", "bad_schema", "bad_choice", "grammar_too_large",
    "grammar_too_complex". For the caller's thread: a large one takes some tenths of a second.
    """
    if constraint.kind == "grammar":
        grammar = Grammar(constraint.source)
    elif constraint.kind == "choice":
        grammar = Grammar("root ::= " + _choices(constraint.choices))
    else:
        rules = SchemaRules()
        if constraint.kind == "json_object":
            name = rules.any_object()
        else:
            name = rules.add(_schema(constraint.source))
        grammar = Grammar(f"root ::= {name}\n{rules.text()}")
    check_grammar(grammar)
    return grammar


def check_grammar(grammar: Grammar) -> None:
    """Raise RequestError("bad_grammar", reason, line, name), ("grammar_too_large", limit) or
    ("grammar_too_complex") for what cannot be followed."""
    graph_of(grammar)


@functools.lru_cache(maxsize=_GRAPHS_KEPT)
def graph_of(grammar: Grammar) -> Graph:
    """The grammar as a graph; kept, since a program asks for the same one again and again.

    Raises RequestError as `check_grammar` does.
    """
    graph = Graph(parse(grammar.text), grammar.root)
    Automaton(graph)  # whose first state may be too large already
    return graph


def _choices(choices: tuple[object, ...]) -> str:
    texts = [choice for choice in choices if isinstance(choice, str) and choice]
    if not texts or len(texts) < len(choices):
        raise RequestError("bad_choice")
    if len(texts) > MAX_CHOICES:
        raise RequestError("grammar_too_large", limit=MAX_CHOICES)
    if sum(map(len, texts)) > MAX_CHOICE_CHARACTERS:
        raise RequestError("grammar_too_large", limit=MAX_CHOICE_CHARACTERS)
    return " | ".join(map(literal, texts))


def _schema(source: str) -> dict[str, object] | bool:
    if len(source) > MAX_SCHEMA_CHARACTERS:
        raise RequestError("grammar_too_large", limit=MAX_SCHEMA_CHARACTERS)
    try:
        schema = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise RequestError("bad_schema", reason="no_json", path="") from error
    if not isinstance(schema, dict | bool):
        raise RequestError("bad_schema", reason="no_schema", path="")
    return schema
