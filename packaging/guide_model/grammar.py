"""Paraphrase patterns: ``(a|b)`` is a choice, ``[x]`` may be left out, ``$NAME`` is a word list."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

Node: TypeAlias = "str | tuple[str, Branches] | tuple[str, str]"
Branches: TypeAlias = "tuple[tuple[Node, ...], ...]"
Words: TypeAlias = Mapping[str, Sequence[str] | Callable[[random.Random], str]]

_MACRO = re.compile(r"\$([A-Z][A-Z0-9_]*)")
_SPACES = re.compile(r"\s+")
_BEFORE_POINT = re.compile(r"\s+([?!.,;:])")
_MAX_DEPTH = 12


class PatternError(ValueError):
    """A pattern with an unbalanced bracket or an unknown word list."""


def _parse(text: str, start: int, closing: str) -> tuple[Branches, int]:
    """Branches of text from start up to the closing bracket, and where that bracket stands."""
    branches: list[tuple[Node, ...]] = []
    branch: list[Node] = []
    at = start
    while at < len(text):
        sign = text[at]
        if sign == closing:
            return (*branches, tuple(branch)), at
        if sign in "([":
            inner, at = _parse(text, at + 1, ")" if sign == "(" else "]")
            if sign == "[":
                inner = (*inner, ())
            branch.append(("choice", inner))
        elif sign == "|" and closing:
            branches.append(tuple(branch))
            branch = []
        elif sign == "$" and (macro := _MACRO.match(text, at)):
            branch.append(("words", macro.group(1)))
            at = macro.end() - 1
        elif sign in ")]":
            raise PatternError(f"unexpected {sign!r} in {text!r}")
        else:
            branch.append(sign)
        at += 1
    if closing:
        raise PatternError(f"missing {closing!r} in {text!r}")
    return (*branches, tuple(branch)), at


@lru_cache(maxsize=100_000)
def parse(pattern: str) -> tuple[Node, ...]:
    """The pattern as a tree; PatternError if a bracket is missing."""
    return _parse(pattern, 0, "")[0][0]


def _expand(nodes: tuple[Node, ...], rng: random.Random, words: Words, depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise PatternError("word lists refer to each other in a circle")
    parts: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            parts.append(node)
        elif node[0] == "choice":
            parts.append(_expand(rng.choice(node[1]), rng, words, depth))  # type: ignore[arg-type]
        else:
            try:
                entry = words[str(node[1])]
            except KeyError:
                raise PatternError(f"unknown word list {node[1]!r}") from None
            if callable(entry):
                parts.append(entry(rng))
            else:
                parts.append(_expand(parse(rng.choice(entry)), rng, words, depth + 1))
    return "".join(parts)


def expand(pattern: str, rng: random.Random, words: Words) -> str:
    """One random reading of the pattern, with tidy spaces."""
    text = _SPACES.sub(" ", _expand(parse(pattern), rng, words, 0)).strip()
    return _BEFORE_POINT.sub(r"\1", text)


_ONSETS: list[str] = re.findall(
    r"\w+", "b d f g k l m n p r s t v w z br dr fl gr kl kr pl pr sch st tr tw qu h"
)
_MIDDLES: list[str] = re.findall(r"\w+", "a e i o u a e i o ei au ie ä ö ü oo ea y")
_ENDS: list[str] = [
    "",
    "",
    *re.findall(r"\w+", "n r l s t m ck nd ng rt x lm er en ung ik or ia ium ett ex ion us"),
]


def invented_word(rng: random.Random) -> str:
    """A word that exists nowhere, so that the model learns to decline what it has never seen."""
    word = "".join(rng.choice(_ONSETS) + rng.choice(_MIDDLES) for _ in range(rng.randint(1, 3)))
    word += rng.choice(_ENDS)
    return word.capitalize() if rng.random() < 0.7 else word
