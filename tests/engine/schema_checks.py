"""What a schema's grammar accepts and writes, for tests; and a judge of what is right."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable
from typing import Any

from desktop.engine.grammar.automaton import Automaton, State
from desktop.engine.grammar.gbnf import parse
from desktop.engine.grammar.grammar_graph import Graph
from desktop.engine.grammar.json_schema import SchemaRules

Schema = dict[str, Any] | bool


def automaton(schema: Schema) -> Automaton:
    rules = SchemaRules()
    name = rules.add(schema)
    return Automaton(Graph(parse(f"root ::= {name}\n{rules.text()}"), "root"))


def accepts(schema: Schema) -> Callable[[str], bool]:
    made = automaton(schema)

    def check(text: str) -> bool:
        made.rest()
        state = made.walk(made.start, text.encode())
        return state is not None and state.complete

    return check


def write(made: Automaton, dice: random.Random, most: int = 400) -> str | None:
    """A text by throwing dice for each byte; None where it came to no end."""
    state: State | None = made.start
    written = bytearray()
    while True:
        assert state is not None
        made.rest()
        if state.over or (state.complete and dice.random() < 0.3):
            return written.decode()
        if len(written) >= most:
            return None
        choices = made.bytes_after(state)
        # Ends of strings, lists and objects are likely, so that texts stay short.
        closing = [byte for byte in choices if byte in b'"]}']
        byte = dice.choice(closing if closing and dice.random() < 0.3 else choices)
        following = made.step(state, byte)
        if following is not None:  # None: too deep
            written.append(byte)
            state = following


def holds(schema: Any, value: Any, root: Any = None) -> bool:
    """Whether `value` is what `schema` allows: the standard's words, for what tests use of it."""
    root = schema if root is None else root
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema and not holds(_find(root, schema["$ref"]), value, root):
        return False
    if not all(holds(part, value, root) for part in schema.get("allOf", ())):
        return False
    for key in ("anyOf", "oneOf"):
        if key in schema and not any(holds(part, value, root) for part in schema[key]):
            return False
    if "type" in schema:
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(_is(kind, value) for kind in kinds):
            return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, str):
        return _string_holds(schema, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_holds(schema, value)
    if isinstance(value, list):
        return _list_holds(schema, value, root)
    return not isinstance(value, dict) or _object_holds(schema, value, root)


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    types: dict[str, Any] = {
        "number": int | float,
        "string": str,
        "array": list,
        "object": dict,
        "null": type(None),
        "boolean": bool,
    }
    return isinstance(value, types[kind])


def _string_holds(schema: Any, value: str) -> bool:
    pattern = schema.get("pattern")
    return (
        schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf)
        and (pattern is None or re.search(pattern, value) is not None)
    )  # fmt: skip


def _number_holds(schema: Any, value: float) -> bool:
    step = schema.get("multipleOf")
    return (
        schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < value
        and value < schema.get("exclusiveMaximum", math.inf)
        and (step is None or abs(value / step - round(value / step)) < 1e-6)
    )


def _list_holds(schema: Any, value: list[Any], root: Any) -> bool:
    first = schema.get("prefixItems", [])
    rest = value[len(first) :]
    return (
        schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)
        and all(holds(s, v, root) for s, v in zip(first, value, strict=False))
        and all(holds(schema.get("items", True), item, root) for item in rest)
    )


def _object_holds(schema: Any, value: dict[str, Any], root: Any) -> bool:
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", math.inf):
        return False
    if not set(schema.get("required", ())) <= set(value):
        return False
    for name, inner in value.items():
        known = [schema["properties"][name]] if name in schema.get("properties", {}) else []
        for pattern, part in schema.get("patternProperties", {}).items():
            known += [part] if re.search(pattern, name) else []
        if not known:
            known = [schema.get("additionalProperties", True)]
        if not all(holds(part, inner, root) for part in known):
            return False
        if "propertyNames" in schema and not holds(schema["propertyNames"], name, root):
            return False
    return True


def _find(root: Any, target: str) -> Any:
    here = root
    for part in target[2:].split("/") if target != "#" else ():
        here = here[part.replace("~1", "/").replace("~0", "~")]
    return here


def loads(text: str) -> Any:
    """Strict JSON: no name twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(pairs)

    return json.loads(text, object_pairs_hook=unique)
