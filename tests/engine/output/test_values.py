"""Values as formats write them: JSON, Python's words, words between tags."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from desktop.engine.output.json_text import JsonScan
from desktop.engine.output.nested_values import nested_value
from desktop.engine.output.python_text import NoValueError, python_value, unescaped
from desktop.engine.output.tagged_value import value_of
from desktop.engine.output.value_types import ALL_TYPES, argument_types, known_keys


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, -2.5, True, None, "it's", 'say "x"', "a\nb\t\\", "ü😀", {}], "b": {"c": []}},
        [],
        "x",
        1e300,
        "\x00\x1b\u2028",
    ],
)
def test_what_python_writes_is_read(value: Any) -> None:
    assert python_value(repr(value)) == value
    assert python_value(f"  {json.dumps(value)} ") == value


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "{", "[1", "'a", "{1}", "[1 2]", "1 2", "{'a': }", "__import__('os')"),
        *("[" * 1000, "9" * 5000, "{'a' 1}", "(1", "True1x'"),
    ],
)
def test_what_is_no_value(text: str) -> None:
    with pytest.raises(NoValueError):
        python_value(text)


def test_escapes() -> None:
    assert unescaped(r"a\n\t\'\"\\\x41\u00e9\q\U0001F600") == "a\n\t'\"\\Aé\\q😀"
    assert unescaped(r"\U99999999") == r"\U99999999"
    assert unescaped(r"\ud83d\ude00 \ud83d") == "😀 \ufffd"


@pytest.mark.parametrize(
    ("text", "types", "expected"),
    [
        ("5", {"number"}, "5"),
        ("5", {"string"}, '"5"'),
        ("5", {"string", "number"}, "5"),
        ("5", ALL_TYPES, "5"),
        ("0.10", ALL_TYPES, "0.10"),
        ("123456789012345678901234567890", {"number"}, "123456789012345678901234567890"),
        ("True", {"boolean"}, "true"),
        ("None", {"null", "string"}, "null"),
        ("null", {"string"}, '"null"'),
        ("{'a': True}", {"object"}, '{"a": true}'),
        ('{"a": 1}', {"array"}, '"{\\"a\\": 1}"'),
        ('"words"', {"number"}, '"words"'),
        ('"words"', {"string"}, '"\\"words\\""'),
        ("words", {"number"}, '"words"'),
        ("NaN", ALL_TYPES, '"NaN"'),
        ("1e999", {"number"}, "1e999"),
        (" 7 ", {"number"}, "7"),
        ("[" * 5000, {"array"}, json.dumps("[" * 5000)),
    ],
)
def test_values_by_the_types_they_may_have(text: str, types: set[str], expected: str) -> None:
    found = value_of(text, frozenset(types))
    assert found == expected
    assert not math.isnan(len(json.dumps(json.loads(found))))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["integer", "null"]}, {"number", "null"}),
        ({"enum": ["a", 1]}, {"string", "number"}),
        ({"const": None}, {"null"}),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, {"string", "object"}),
        ({"allOf": [{"type": ["string", "null"]}, {"type": "string"}]}, {"string"}),
        ({"$ref": "#/$defs/kind"}, {"boolean"}),
        ({"$ref": "#/$defs/loop"}, ALL_TYPES),
        ({"$ref": "#/nowhere"}, ALL_TYPES),
        ({}, ALL_TYPES),
        (True, ALL_TYPES),
        ({"type": 5, "allOf": 5, "anyOf": "x", "enum": 1}, ALL_TYPES),
    ],
)
def test_types_that_a_schema_allows(schema: Any, expected: set[str]) -> None:
    root = {
        "properties": {"key": schema},
        "$defs": {"kind": {"type": "boolean"}, "loop": {"$ref": "#/$defs/loop"}},
    }
    assert argument_types(root, "key") == expected
    assert argument_types(root, "other") == ALL_TYPES


def test_names_that_arguments_may_have() -> None:
    one = frozenset({"a"})
    assert known_keys({"properties": {"a": {}}}) == one
    assert known_keys({"properties": {"a": {}}, "additionalProperties": False}) == one
    assert known_keys({"properties": {"a": {}}, "additionalProperties": {}}) is None
    assert known_keys({"properties": {}}) is None
    assert known_keys({"properties": 5}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~<a>1~</a>~<b>x~</b>", {"a": 1, "b": "x"}),
        ("~<item>1~</item>~<item>~<a>~<a>true~</a>~</a>~</item>", [1, {"a": {"a": True}}]),
        ("plain <b>words</b>", "plain <b>words</b>"),
        ("~<a>open", "~<a>open"),
        ("", ""),
    ],
)
def test_members_between_tags(text: str, expected: Any) -> None:
    assert nested_value(text, "~") == expected


def test_members_between_tags_have_an_end() -> None:
    deep = "".join(f"~<k{n}>" for n in range(500)) + "".join(
        f"~</k{n}>" for n in reversed(range(500))
    )
    assert isinstance(nested_value(deep, "~"), dict)


@pytest.mark.parametrize(
    ("text", "used", "whole"),
    [
        ('{"a": "}"} rest', 10, True),
        ('["\\"]"] x', 7, True),
        ('"a\\\\" x', 5, True),
        ('{"a": 1', 7, False),
    ],
)
def test_where_a_value_ends(text: str, used: int, whole: bool) -> None:
    scan = JsonScan()
    assert scan.advance(text)[0] == used
    assert scan.whole == whole
    slow = JsonScan()
    count = 0
    for sign in text:
        if slow.whole:
            break
        count += slow.advance(sign)[0]
    assert (count, slow.whole) == (used, whole)


@pytest.mark.parametrize(
    ("text", "missing"),
    [('{"a": [1, {"b": "c"', "}]}"), ('{"a":', ""), ('{"a": "b', ""), ("[1,", "")],
)
def test_brackets_that_are_missing(text: str, missing: str) -> None:
    scan = JsonScan()
    scan.advance(text)
    assert scan.missing == missing
