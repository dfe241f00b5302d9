"""Objects, arrays and the bounds of numbers of a JSON schema as GBNF."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from desktop.common.errors import RequestError
from desktop.engine.grammar.automaton import Automaton
from desktop.engine.grammar.gbnf import parse
from desktop.engine.grammar.gbnf_text import literal
from desktop.engine.grammar.grammar_graph import Graph
from desktop.engine.grammar.schema_numbers import MOST_DIGITS, Bounds
from desktop.engine.grammar.schema_patterns import ANY_CHARACTER, character, pattern_rule
from desktop.engine.grammar.schema_strings import length_of

MAX_PROPERTIES = 1_000
MAX_NAME_CHARACTERS = 20_000
MAX_OPTIONAL = 400
"""So many may stand at one place of an answer: each costs every step there."""


class Rules(Protocol):
    """What makes rules of schemas inside of a schema."""

    def rule(self, schema: Any, hint: str, path: str, nested: int) -> str: ...
    def named(self, hint: str, body: str) -> str: ...
    def values(self, values: list[Any], path: str) -> str: ...


def object_body(rules: Rules, schema: Mapping[str, Any], hint: str, path: str, nested: int) -> str:
    """Properties in their order, those not required may be missing; then others, if allowed.

    "" where nothing is allowed. Raises RequestError("bad_schema", reason, path).
    """
    names = schema.get("properties", {})
    required = schema.get("required", [])
    if not isinstance(names, dict):
        raise RequestError("bad_schema", reason="properties", path=path)
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise RequestError("bad_schema", reason="required", path=path)
    wanted = set(required)
    extra = _extra_member(rules, schema, hint, path, nested)
    if len(wanted.union(names)) > MAX_PROPERTIES:
        raise RequestError("grammar_too_large", limit=MAX_PROPERTIES)
    members: list[tuple[str, bool]] = []
    for name in (*names, *(name for name in dict.fromkeys(required) if name not in names)):
        if name not in names and schema.get("additionalProperties") is False:
            raise RequestError("bad_schema", reason="required_forbidden", path=path)
        if name not in names and "patternProperties" in schema:
            raise RequestError("bad_schema", reason="required_with_patternProperties", path=path)
        value = names[name] if name in names else schema.get("additionalProperties", True)
        inner = rules.rule(value, f"{hint}-{name}", f"{path}/properties/{name}", nested)
        if inner:
            key = literal(json.dumps(name, ensure_ascii=False) + ":")
            members.append((f"{key} ws {inner}", name in wanted))
        elif name in wanted:
            return ""
    if sum(not needed for _, needed in members) > MAX_OPTIONAL:
        raise RequestError("grammar_too_large", limit=MAX_OPTIONAL)
    least = length_of(schema, "minProperties", path) or 0
    most = length_of(schema, "maxProperties", path)
    return _members(rules, members, extra, least, most, hint, path)


def _members(
    rules: Rules,
    members: list[tuple[str, bool]],
    extra: str,
    least: int,
    most: int | None,
    hint: str,
    path: str,
) -> str:
    needed = sum(need for _, need in members)
    all_needed = needed == len(members)
    any_one = least == 1 and needed == 0 and bool(members)  # said by leaving "none" out
    if any_one:
        least = 0
    if extra and (least > needed or most is not None):
        if not all_needed:
            raise RequestError("bad_schema", reason="minProperties_with_optional", path=path)
        if most is not None and most < needed:
            return ""
    elif least > needed or (most is not None and most < len(members)):
        raise RequestError("bad_schema", reason="minProperties", path=path)
    low = max(least - needed, 0)
    high = None if most is None else most - needed
    if not members:
        if not extra or high == 0:
            return '"{" ws "}"' if low == 0 else ""
        times = f"{{{max(low - 1, 0)},{'' if high is None else high - 1}}}"
        inside = f'{extra} ("," ws {extra}){times} ws'
        return f'"{{" ws {inside} "}}"' if low else f'"{{" ws ({inside})? "}}"'
    rest = f'("," ws {extra}){{{low},{"" if high is None else high}}}' if extra else ""
    # Whatever comes first stands without a comma: each of those that may, with what follows it.
    ways: list[str] = []
    first_needed = next((place for place, (_, need) in enumerate(members) if need), len(members))
    follows = " ".join(
        [*(_item(text, needed=need) for text, need in members[first_needed + 1 :]), rest]
    ).strip()
    if first_needed < len(members):
        ways.append(f"{members[first_needed][0]} {follows}")
    elif extra:
        ways.append(f'{extra} ("," ws {extra})*')
    behind = f'"," ws {members[first_needed][0]} {follows}' if first_needed < len(members) else rest
    for place in range(first_needed - 1, -1, -1):
        member, _ = members[place]
        ways.append(f"{member} {behind}")
        if place:
            behind = rules.named(f"{hint}-rest", f"{_item(member, needed=False)} {behind}")
    inside = " | ".join(reversed(ways))
    optional = "?" if first_needed == len(members) and not any_one else ""
    return f'"{{" ws (({inside}) ws){optional} "}}"'


def _item(member: str, *, needed: bool) -> str:
    return f'"," ws {member}' if needed else f'("," ws {member})?'


def _extra_member(
    rules: Rules, schema: Mapping[str, Any], hint: str, path: str, nested: int
) -> str:
    """A property that the schema does not name; "" where there may be none."""
    names = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    other = schema.get("additionalProperties", not names and not patterns)
    if not isinstance(patterns, dict) or not isinstance(other, dict | bool):
        raise RequestError("bad_schema", reason="additionalProperties", path=path)
    keys = schema.get("propertyNames", True)
    if patterns and ((other is not False and "additionalProperties" in schema) or keys is not True):
        raise RequestError("bad_schema", reason="patternProperties_with_others", path=path)
    if len(patterns) > 1 and len({json.dumps(value) for value in patterns.values()}) > 1:
        # One name may match two of them, and then both hold.
        raise RequestError("bad_schema", reason="two_patternProperties", path=path)
    if patterns:
        ways = [pattern_rule(source, path).text for source in patterns]
        value = next(iter(patterns.values()))
        inner = rules.rule(value, f"{hint}-other", f"{path}/patternProperties", nested)
        key = rules.named(f"{hint}-name", f'"\\"" ({" | ".join(ways)}) "\\""')
        _check_apart(" | ".join(ways), names, path)
    elif other is False:
        return ""
    else:
        inner = rules.rule(other, f"{hint}-other", f"{path}/additionalProperties", nested)
        key = _free_key(rules, names, keys, hint, path, nested)
    return rules.named(f"{hint}-member", f'{key} ":" ws {inner}') if inner and key else ""


def _free_key(
    rules: Rules, names: Mapping[str, Any], keys: Any, hint: str, path: str, nested: int
) -> str:
    """A name that is none of `names`."""
    if keys is not True:
        if names:
            raise RequestError("bad_schema", reason="propertyNames_with_properties", path=path)
        schema = {"type": "string", **keys} if isinstance(keys, dict) else keys
        return rules.rule(schema, f"{hint}-name", f"{path}/propertyNames", nested)
    if not names:
        return "json-string"
    other = _other_word(rules, list(names), hint)
    return rules.named(f"{hint}-name", f'"\\"" {other} "\\""')


_PLAIN = r"\"\\\x00-\x1f\x7f"


def _other_word(rules: Rules, words: list[str], hint: str) -> str:
    """The name of a rule for text without escapes that is none of `words`: a tree of their
    characters, a rule for each place in it."""
    if sum(map(len, words)) > MAX_NAME_CHARACTERS:
        raise RequestError("grammar_too_large", limit=MAX_NAME_CHARACTERS)
    # What would be written with an escape does not occur.
    tree = _tree(word for word in words if literal(word) == f'"{word}"' and word.isprintable())
    todo = [tree]
    order: list[_Place] = []
    while todo:
        order.append(todo.pop())
        todo += order[-1].after.values()
    names: dict[int, str] = {}
    for place in reversed(order):
        signs = "".join(f"\\U{ord(sign):08x}" for sign in place.after)
        ways = [f"[^{_PLAIN}{signs}] [^{_PLAIN}]*"]
        ways += [f"{literal(sign)} {names[id(on)]}" for sign, on in place.after.items()]
        body = " | ".join(ways)
        names[id(place)] = rules.named(f"{hint}-not", body if place.is_word else f"({body})?")
    return names[id(tree)]


@dataclass(slots=True)
class _Place:
    after: dict[str, _Place] = field(default_factory=dict)
    is_word: bool = False


def _tree(words: Iterable[str]) -> _Place:
    root = _Place()
    for word in words:
        here = root
        for sign in word:
            here = here.after.setdefault(sign, _Place())
        here.is_word = True
    return root


def _check_apart(pattern: str, names: Mapping[str, Any], path: str) -> None:
    """Raise where a named property matches a pattern as well: then both would have to hold."""
    text = f"root ::= {pattern}\n{ANY_CHARACTER} ::= {character()}"
    automaton = Automaton(Graph(parse(text), "root"))
    for name in names:
        state = automaton.walk(automaton.start, json.dumps(name, ensure_ascii=False)[1:-1].encode())
        if state is not None and state.complete:
            raise RequestError("bad_schema", reason="patternProperties_with_properties", path=path)


def array_body(rules: Rules, schema: Mapping[str, Any], hint: str, path: str, nested: int) -> str:
    """The first items by prefixItems, all others by items; "" where nothing is allowed."""
    first = schema.get("prefixItems", [])
    others = schema.get("items", True)
    if isinstance(others, list):  # as drafts before 2020 wrote it
        first, others = others, schema.get("additionalItems", True)
    if not isinstance(first, list) or not isinstance(others, dict | bool):
        raise RequestError("bad_schema", reason="items", path=path)
    if len(first) > MAX_PROPERTIES:
        raise RequestError("grammar_too_large", limit=MAX_PROPERTIES)
    least = length_of(schema, "minItems", path) or 0
    most = length_of(schema, "maxItems", path)
    if schema.get("uniqueItems") is True and (most is None or most > 1):
        raise RequestError("bad_schema", reason="uniqueItems", path=path)
    items = [
        rules.rule(item, f"{hint}-{place}", f"{path}/prefixItems/{place}", nested)
        for place, item in enumerate(first)
    ]
    if "" in items:
        most = min(items.index(""), len(items) if most is None else most)
        items = items[: items.index("")]
    other = rules.rule(others, f"{hint}-item", f"{path}/items", nested)
    if not other:
        most = len(items) if most is None else min(most, len(items))
    if most is not None:
        if most < least:
            return ""
        items = items[:most]
    return _listing(items, other, least, most)


def _listing(items: list[str], other: str, least: int, most: int | None) -> str:
    if not items and (not other or most == 0):
        return '"[" ws "]"'
    tail = ""
    if other and (most is None or most > len(items)):
        low = max(least - max(len(items), 1), 0)
        high = "" if most is None else most - max(len(items), 1)
        tail = f'("," ws {other}){{{low},{high}}}'
    # From the last one in: what stands behind a place may be missing once enough are there.
    for place in range(len(items) - 1, 0, -1):
        tail = f'"," ws {items[place]} {tail}'.strip()
        if place >= least:
            tail = f"({tail})?"
    inside = f"{items[0] if items else other} {tail} ws".replace("  ", " ")
    return f'"[" ws {inside} "]"' if least else f'"[" ws ({inside})? "]"'


def bounds_of(schema: Mapping[str, Any], path: str) -> tuple[Bounds, Decimal | None]:
    """The range of a number, and what it must be a multiple of."""
    bounds = Bounds()
    low, high = _number(schema, "minimum", path), _number(schema, "maximum", path)
    # Draft 4 said with true that the bound itself is out.
    bounds = Bounds(
        low, high, schema.get("exclusiveMinimum") is True, schema.get("exclusiveMaximum") is True
    )
    for key, is_low in (("exclusiveMinimum", True), ("exclusiveMaximum", False)):
        if isinstance(schema.get(key), bool):
            continue
        value = _number(schema, key, path)
        if value is not None:
            more = (
                Bounds(low=value, low_open=True) if is_low else Bounds(high=value, high_open=True)
            )
            bounds = bounds.tightened(more)
    step = _number(schema, "multipleOf", path)
    if step is not None and step <= 0:
        raise RequestError("bad_schema", reason="multipleOf", path=path)
    return bounds, None if step is None else step.normalize()


def _number(schema: Mapping[str, Any], key: str, path: str) -> Decimal | None:
    value = schema.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise RequestError("bad_schema", reason=key, path=path)
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if number.is_finite() and abs(number) < Decimal(10) ** MOST_DIGITS:
        return number
    # Larger than any number that is written: no bound at all, or one that none can keep to.
    if number.is_nan() or (number > 0) == key.lower().endswith("minimum"):
        raise RequestError("bad_schema", reason=key, path=path)
    return None
