"""JSON schemas as grammars: what is written keeps to them, what cannot be said is refused."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from desktop.common.errors import RequestError
from desktop.engine.grammar.json_schema import SchemaRules
from tests.engine.schema_checks import accepts, automaton, holds, loads, write

NODE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
        }
    },
}
TREE = {
    "type": "object",
    "properties": {"children": {"type": "array", "items": {"$ref": "#"}, "maxItems": 2}},
    "required": ["children"],
}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "mail": {"type": "string", "format": "email"},
        "tags": {"type": "array", "items": {"enum": ["a", "b", 3]}, "minItems": 1},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}

SCHEMAS: list[Any] = [
    True,
    {},
    {"type": "object"},
    {"type": ["string", "null"]},
    {"type": "number"},
    {"type": "integer", "minimum": -7},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    {"type": "number", "minimum": -1.25, "exclusiveMaximum": 2.5},
    {"type": "number", "multipleOf": 0.01, "minimum": 3},
    {"type": "integer", "multipleOf": 7, "minimum": -30, "maximum": 100},
    {"type": "string", "minLength": 2, "maxLength": 4},
    {"type": "string", "pattern": "^[A-Z][a-z]*(-[0-9]{2,4})?$"},
    {"enum": ["x", 1, None, [1, {"a": 2}], 'q"\\\n']},
    {"const": {"a": [1, 2], "b": "ä"}},
    {"type": "string", "enum": ["a", 1, "b"]},
    {"enum": ["a", "abcd", 1, 5, 9, None], "maxLength": 2, "exclusiveMaximum": 9, "items": {}},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    {"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"type": "null"}},
    {"type": "array", "prefixItems": [{"type": "boolean"}] * 3, "minItems": 2, "maxItems": 5},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 3},
    {"type": "array", "minItems": 0, "maxItems": 1},
    {"type": "array", "uniqueItems": True, "maxItems": 1},
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {"type": "object", "additionalProperties": {"type": "null"}, "minProperties": 2},
    {"type": "object", "additionalProperties": True, "maxProperties": 2, "minProperties": 1},
    {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "maxProperties": 1},
    {"type": "object", "patternProperties": {"^x_": {"type": "integer"}}},
    {
        "type": "object",
        "properties": {"a": {"const": 1}},
        "patternProperties": {"^x": {"type": "null"}},
    },
    {
        "type": "object",
        "properties": {"a": {"const": 1}, "ab": {"const": 2}},
        "additionalProperties": {"const": 3},
    },
    {"type": "object", "properties": {n: {"type": "null"} for n in "abcde"}},
    {"type": "object", "properties": {n: {"type": "null"} for n in "abcde"}, "required": ["c"]},
    {"type": "object", "properties": {"a": False, "b": {"const": 0}}, "required": ["b"]},
    {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a", "z"]},
    {"properties": {"a": {"minimum": 3}}},
    {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 2}]},
    {"oneOf": [{"const": 1}, {"const": 2}, False]},
    {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "required": ["kind"],
        "anyOf": [
            {"properties": {"kind": {"const": "a"}, "x": {"type": "null"}}, "required": ["x"]},
            {"properties": {"kind": {"const": "b"}}},
        ],
    },
    {"allOf": [{"type": ["integer", "string"]}, {"type": "number", "minimum": 4}]},
    {
        "allOf": [{"$ref": "#/$defs/a"}, {"properties": {"y": {"const": 2}}, "required": ["y"]}],
        "$defs": {"a": {"properties": {"x": {"const": 1}}, "required": ["x"]}},
    },
    {"allOf": [{"anyOf": [{"minimum": 1}, {"maximum": -1}]}, {"oneOf": [{"maximum": 9}]}],
     "type": "integer"},
    {"$ref": "#/$defs/a", "maxLength": 3, "$defs": {"a": {"type": "string", "minLength": 2}}},
    # Bugs once: names that only one part knows, or that only "required" knows, were not bound.
    {"required": ["a"], "additionalProperties": {"type": "null"}},
    {
        "additionalProperties": {"type": "integer"},
        "properties": {"x": {"type": "string"}},
        "allOf": [{"properties": {"y": {"minimum": 3}, "x": {"maxLength": 2}}}],
        "type": "object",
    },
    {
        "allOf": [
            {"items": {"enum": [1, "x"]}, "minItems": 1},
            {"prefixItems": [{"type": ["string", "boolean"]}, {"type": "integer"}], "items": False},
        ]
    },
    {"properties": {n: {"type": "null"} for n in "abc"}, "minProperties": 1},
    {"properties": {"a": True}, "additionalProperties": {"const": 2}, "minProperties": 1},
    {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 4},
    NODE,
    TREE,
    PERSON,
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
def test_whatever_is_written_keeps_to_the_schema(schema: Any) -> None:
    made = automaton(schema)
    dice = random.Random(json.dumps(schema))
    whole = 0
    for _ in range(100):
        text = write(made, dice)
        if text is not None:
            whole += 1
            assert holds(schema, loads(text)), text
    assert whole > 5


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (True, [1, "x", None, [1, {"a": []}], -1.5e3, "\u00e4\u2028\U0001f600\t\"\\/"]),
        ({"type": "object"}, [{}, {"a": {"b": [1]}}]),
        (PERSON, [{"name": "Ann", "age": 130}, {"name": "x", "age": 0, "tags": ["a", 3, 3]}]),
        (NODE, [{"value": 1, "next": {"value": 2, "next": None}}]),
        (TREE, [{"children": [{"children": []}, {"children": [{"children": []}]}]}]),
        ({"type": "object", "properties": {n: {"type": "null"} for n in "abc"}},
         [{}, {"b": None}, {"a": None, "c": None}, {"a": None, "b": None, "c": None}]),
        ({"type": "object", "properties": {"a": True, "ab": True}, "additionalProperties": True},
         [{"a": 1, "ab": 2, "abc": 3}, {"abx": 1, "": 2, "b": 3}, {"aa": 1}]),
        ({"type": "integer", "minimum": 3}, [3, 10, 99, 123456]),
        ({"type": "string", "format": "date-time"},
         ["2024-02-28T23:59:59Z", "1999-12-31T00:00:00.123+02:00"]),
        ({"type": "string", "format": "uuid"}, ["123e4567-e89b-12d3-a456-426614174000"]),
        ({"type": "string", "format": "email", "maxLength": 254}, ["a.b+c@example.org"]),
        ({"type": "string", "format": "ipv4"}, ["127.0.0.1", "255.255.255.255"]),
        ({"type": "string", "format": "uri"}, ["https://example.org/a/b?c=d"]),
        ({"type": "string", "format": "never-heard-of"}, ["anything"]),
        ({"type": "string", "pattern": "b"}, ["abc", "b"]),
        ({"type": "number", "minimum": 0, "maximum": 9223372036854775807}, [0, 5.5, 10**15]),
    ],
)  # fmt: skip
def test_what_the_schema_allows_can_be_written(schema: Any, values: list[Any]) -> None:
    check = accepts(schema)
    for value in values:
        assert check(json.dumps(value)), value
        assert check(json.dumps(value, ensure_ascii=False)), value
        assert check(json.dumps(value, separators=(",", ":"))), value
        assert check(json.dumps(value, indent=2)), value


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "strange"}, "type"),
        ({"type": 3}, "type"),
        ({"not": {"type": "string"}}, "not"),
        ({"if": {}, "then": {}}, "if"),
        ({"type": "array", "contains": {"const": 1}}, "contains"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        ({"type": "object", "dependentRequired": {"a": ["b"]}}, "dependentRequired"),
        ({"type": "number", "multipleOf": 0.3}, "multipleOf"),
        ({"type": "integer", "multipleOf": 3}, "multipleOf"),
        ({"type": "integer", "multipleOf": -3}, "multipleOf"),
        ({"type": "string", "pattern": "a{5,1}"}, "pattern_repetition"),
        ({"type": "string", "pattern": "(?=a)b"}, "pattern_look_around"),
        ({"type": "string", "pattern": r"\bword\b"}, "pattern_escape"),
        ({"type": "string", "pattern": r"(a)\1"}, "pattern_escape"),
        ({"type": "string", "pattern": "a^b"}, "pattern_anchor"),
        ({"type": "string", "pattern": "(a"}, "pattern"),
        ({"type": "string", "pattern": "a)"}, "pattern"),
        ({"type": "string", "pattern": "*a"}, "pattern"),
        ({"type": "string", "pattern": "(" * 200 + ")" * 200}, "pattern_too_deep"),
        ({"type": "string", "pattern": "^(ab)*$", "maxLength": 3}, "pattern_with_length"),
        ({"type": "string", "pattern": "^a{4,}$", "maxLength": 3}, "nothing_allowed"),
        ({"type": "string", "pattern": 5}, "pattern"),
        ({"type": "string", "minLength": -1}, "minLength"),
        ({"type": "string", "minLength": 5, "maxLength": 2}, "nothing_allowed"),
        ({"type": "string", "maxLength": "9"}, "maxLength"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "nothing_allowed"),
        ({"type": "integer", "minimum": "x"}, "minimum"),
        ({"type": "integer", "minimum": 1e300}, "minimum"),
        ({"enum": []}, "nothing_allowed"),
        ({"enum": 5}, "enum"),
        ({"enum": ["a"], "pattern": "a"}, "enum_with_pattern"),
        (False, "nothing_allowed"),
        ({"anyOf": [False]}, "nothing_allowed"),
        ({"anyOf": []}, "anyOf"),
        ({"anyOf": [3]}, "anyOf"),
        ({"allOf": 3}, "allOf"),
        ({"allOf": [{"pattern": "a"}, {"pattern": "b"}], "type": "string"}, "two_pattern"),
        ({"properties": {"a": False}, "required": ["a"]}, "nothing_allowed"),
        ({"properties": [], "type": "object"}, "properties"),
        ({"required": "a", "type": "object"}, "required"),
        ({"required": ["b"], "additionalProperties": False}, "required_forbidden"),
        ({"properties": {"a": {}, "b": {}}, "minProperties": 2}, "minProperties"),
        ({"properties": {"xa": {}}, "patternProperties": {"^x": {}}},
         "patternProperties_with_properties"),
        ({"$ref": "#/$defs/none"}, "no_such_reference"),
        ({"$ref": "https://example.org/schema"}, "reference_elsewhere"),
        ({"$ref": "#"}, "too_deep"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a", "type": "string"}}},
         "too_deep"),
        ({"properties": {"a": 3}}, "no_schema"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_with_its_reason(schema: Any, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        automaton(schema)
    assert caught.value.kind == "bad_schema"
    assert caught.value.params["reason"] == reason


def test_many_schemas_share_one_grammar() -> None:
    rules = SchemaRules()
    names = [rules.add(PERSON, "person"), rules.add(NODE, "node"), rules.add(TREE, "tree")]
    assert len(set(names)) == 3
    assert rules.add(PERSON, "person") == names[0]
    assert rules.any_object() == "json-object"
    text = rules.text()
    assert text.count("json-object ::=") == 1


def test_properties_keep_the_schemas_order() -> None:
    check = accepts(PERSON)
    assert check('{"name": "Ann", "age": 3}')
    assert not check('{"age": 3, "name": "Ann"}')


def test_blank_space_comes_to_an_end() -> None:
    """A model with nothing to say would write blanks until its tokens are used up."""
    check = accepts({"type": "object"})
    assert check("{\n" + " " * 20 + "}")
    assert not check("{" + " " * 30 + "}")
    assert not check("{}\n\n")


def test_an_anchor_names_a_part_too() -> None:
    schema = {"items": {"$ref": "#word"}, "$defs": {"w": {"$anchor": "word", "const": "hi"}}}
    check = accepts({"type": "array", **schema})
    assert check('["hi", "hi"]')
    assert not check('["ho"]')


def test_old_drafts_are_read_too() -> None:
    check = accepts({"type": "array", "items": [{"const": 1}], "additionalItems": False})
    assert check("[1]")
    assert not check("[1, 1]")
    check = accepts({"type": "integer", "minimum": 3, "exclusiveMinimum": True})
    assert check("4")
    assert not check("3")
    check = accepts({"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"const": 5}}})
    assert check("5")
    assert accepts({"type": "string", "nullable": True, "maxLength": 1})("null")
