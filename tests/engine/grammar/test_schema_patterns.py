"""Patterns of JSON schemas: what their grammar accepts is what Python's `re` finds."""

from __future__ import annotations

import json
import random
import re

import pytest

from tests.engine.schema_checks import accepts, automaton, write

PATTERNS = [
    "^abc$",
    "abc",
    "^a",
    "a$",
    "^(ab|c)+$",
    "^(?:x|y){2,3}$",
    "^[a-c]?[^a-c]$",
    r"^\d{3}-\w+\s?$",
    r"^\D\W\S$",
    "^a|b$",
    "^.$",
    "^a.c$",
    r"^\.\*\\$",
    r'^"quoted"$',
    r"^[\"\\/]+$",
    r"^\n\t$",
    r"^\u00e4\x41[\u0400-\u04ff]$",
    "^[-a]+$",
    "^[a-]+$",
    r"^[\]^]+$",
    "^(a(b(c)?)?)*$",
    "^$",
    "",
    "^a*?b+?$",
    "^a{2}b{0,1}c{1,}$",
    "^(?P<n>a)$".replace("?P", "?"),
    r"^[\d.]+$",
    r"^[^\d\s]+$",
    "^(|a)$",
    "^ä€😀$",
]
WORDS = [
    "", "a", "b", "c", "ab", "abc", "xabcx", "aab", "xy", "xyx", "123-word", "123-word ", "x x",
    "-. ", "\n", "a\nc", "axc", ".*\\", '"quoted"', '"\\/', "\n\t", "äAЖ", "a-a", "]^", "aabcc",
    "12.5", "ä€😀", "x\u2028y", "\u0001", "ca", "cabab",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_words_as_pythons_re(pattern: str) -> None:
    check = accepts({"type": "string", "pattern": pattern})
    peer = re.compile(pattern.replace("(?<", "(?P<").replace("$", r"\Z"), re.ASCII)
    for word in WORDS:
        if "\u2028" in word and ("." in pattern or "\\s" in pattern):
            continue  # the end of a line for a schema, not for Python
        expected = peer.search(word) is not None
        assert check(json.dumps(word, ensure_ascii=False)) == expected, word


@pytest.mark.parametrize(
    "pattern", [p for p in PATTERNS if p.startswith("^") and "|b" not in p and "s" not in p.lower()]
)
def test_what_is_written_matches(pattern: str) -> None:
    made = automaton({"type": "string", "pattern": pattern})
    dice = random.Random(pattern)
    peer = re.compile(pattern.replace("(?<", "(?P<"), re.ASCII)
    for _ in range(30):
        text = write(made, dice, most=300)
        if text is not None:
            assert peer.search(json.loads(text)), text


def test_many_alternatives_are_refused_or_fast() -> None:
    made = automaton(
        {"type": "string", "pattern": "^(" + "|".join("a" * 9 for _ in range(900)) + ")$"}
    )
    assert made.walk(made.start, b'"aaaaaaaaa"') is not None
