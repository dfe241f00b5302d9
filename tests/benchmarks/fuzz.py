"""Thousands of requests that nobody should send: none may crash the engine or keep it for long.

`python tests/benchmarks/fuzz.py [--requests 5000]` prints one JSON line and exits with 1 where a
request took longer than five seconds or ended in no way that it may. Values out of range and of
wrong types, hostile grammars and schemas (those that kill others among them), hostile templates.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.chat import Chat, Message, Tool
from desktop.engine.constraint import Constraint
from desktop.engine.events import Failed
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from tests.engine.driving import plan_for
from tests.tiny_models import write_tiny_model

MOST_S = 5.0
NEVER_ALLOWED = {"engine_failed", "engine_closed", "decode_failed"}
ODD: tuple[Any, ...] = (
    None,
    -1,
    0,
    1,
    2**31,
    2**63,
    2**200,
    -(2**63),
    0.5,
    1e308,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    "x",
    "1",
    (),
    (1, 2),
    {},
    b"x",
    True,
)
GRAMMARS = (
    "(" * 200_000,
    "root ::= " + "(" * 5000 + '"a"' + ")" * 5000,
    'root ::= "a"{5,1}',
    'root ::= "a"{1000000}',
    'root ::= ("a"{1000}){1000}',
    'root ::= (("a"{100}){100}){100}',
    "root ::= root",
    "root ::= a\na ::= b\nb ::= a",
    'root ::= ("" | "a")*',
    'root ::= (("a"*)*)*',
    'root ::= "a"* "a"* "a"* "a"* "a"* "a"* "b"',
    "root ::= " + " | ".join(f'"{n}"' for n in range(100_000)),
    "root ::= [\\x00-\\U0010ffff]*",
    "root ::= [z-a]",
    "root ::=",
    "",
    "\x00",
    "root ::= undefined",
    'root ::= "' + "x" * 1_000_000 + '"',
    "\n".join(f"r{n} ::= r{n + 1} r{n + 1}" for n in range(60)) + '\nr60 ::= "a"\nroot ::= r0',
)


def schemas() -> Iterator[str]:
    """Texts of schemas; some are none."""
    deep: Any = {"type": "string"}
    for _ in range(400):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"]}
    yield json.dumps(deep)
    yield '{"type":"array","items":' * 10_000 + "{}" + "}" * 10_000
    yield json.dumps({"enum": [f"{n}" for n in range(100_000)]})
    yield json.dumps({"type": "object", "properties": {f"p{n}": {} for n in range(5000)}})
    yield json.dumps({"type": "string", "pattern": "a{5,1}"})
    yield json.dumps({"type": "string", "pattern": "(a|" * 5000 + "b" + ")" * 5000})
    yield json.dumps({"type": "string", "pattern": "|".join(f"{n}" for n in range(100_000))})
    yield json.dumps({"type": "string", "pattern": "((a+)+)+$"})
    yield json.dumps({"type": "string", "minLength": 2**40})
    yield json.dumps({"type": "array", "minItems": 10**9})
    yield json.dumps({"$ref": "#"})
    yield json.dumps({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}})
    yield json.dumps({"$ref": "https://example.org/schema"})
    yield json.dumps({"anyOf": [{"$ref": "#"}] * 1000})
    yield json.dumps({"allOf": [{"type": "string"}, {"type": "integer"}]})
    yield json.dumps({"type": "integer", "minimum": 10**400})
    yield json.dumps({"const": "x" * 1_000_000})
    yield from ("", "{", "null", "[]", "true", "5", '"x"', "\x00", '{"type": 5}', '{"enum": []}')


SCHEMAS: tuple[dict[str, Any], ...] = ({}, {"type": "object"}, {"type": 5}, {"$ref": "#"})
TEXTS = ("", "x" * 3000, "\x00", "\ud83d", "😀" * 500, "<|im_start|>" * 50, "{{ x }}", "a b")
TEMPLATES = (
    "{% for x in range(10**9) %}{{ x }}{% endfor %}",
    "{{ 'x' * 10**9 }}",
    "{{ ''.__class__.__mro__ }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% if %}",
    "{{ raise_exception('no') }}",
    "{{ messages[99].content }}",
    "{{ messages | tojson * 1000 }}",
    "plain",
    "",
)


class Fuzz:
    def __init__(self, engines: Sequence[LocalEngine], seed: int) -> None:
        self.engines = engines
        self.chance = random.Random(seed)
        self.ends: Counter[str] = Counter()
        self.slowest: list[tuple[float, str]] = []
        self.wrong: list[str] = []
        self.schemas = tuple(schemas())
        self._lock = threading.Lock()

    def one(self, number: int) -> tuple[LocalEngine, Request, str]:
        """A request with what is odd about it."""
        chance = self.chance
        kind = chance.choice(("field", "sampling", "grammar", "schema", "chat", "text", "mutated"))
        fields: dict[str, Any] = {"prompt": "Hallo", "max_tokens": chance.choice((1, 8, 24))}
        told = kind
        if kind == "field":
            name = chance.choice(list(Request.__dataclass_fields__)[1:])
            fields[name] = chance.choice(ODD)
            told = f"{name}={fields[name]!r:.40}"
        elif kind == "sampling":
            names = chance.sample(list(Sampling.__dataclass_fields__), chance.choice((1, 1, 3)))
            values = {name: chance.choice(ODD) for name in names}
            fields["sampling"] = Sampling(**values)
            told = f"{values!r:.80}"
        elif kind == "grammar":
            place = chance.randrange(len(GRAMMARS))
            fields["constraint"] = Constraint("grammar", GRAMMARS[place])
            told = f"grammar {place}"
        elif kind == "schema":
            place = chance.randrange(len(self.schemas))
            fields["constraint"] = Constraint("json_schema", self.schemas[place])
            told = f"schema {place}"
        elif kind == "mutated":
            text = chance.choice(GRAMMARS[4:14])[:2000]
            fields["constraint"] = Constraint("grammar", self._mutated(text))
            told = f"grammar {fields['constraint'].source!r:.60}"
        elif kind == "chat":
            fields = {"max_tokens": 4, "chat": self._chat()}
        else:
            fields["prompt"] = self._text()
            fields["stop"] = chance.choice(((), ("\x00",), ("😀",), ("a" * 1024,)))
        engine = chance.choice(self.engines) if kind == "chat" else self.engines[0]
        with contextlib.suppress(TypeError):
            return engine, Request(f"{number}", **fields), told
        return engine, Request(f"{number}", "Hallo", 1), told

    def _mutated(self, text: str) -> str:
        signs = list(text)
        for _ in range(self.chance.choice((1, 3, 10))):
            place = self.chance.randrange(len(signs) + 1)
            signs[place : place + self.chance.choice((0, 1, 2))] = self.chance.choice(
                ['"', "(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "\\", "\n", "::=", "root"]
            )
        return "".join(signs)

    def _chat(self) -> Chat:
        chance = self.chance
        texts = [self._text() for _ in range(3)]
        messages = tuple(
            Message(chance.choice(("user", "assistant", "system", "tool")), text) for text in texts
        )
        schema: dict[str, Any] = chance.choice(SCHEMAS)
        tools = chance.choice([(), (Tool("f", "x", schema),), (Tool("", "", schema),) * 40])
        return Chat(
            messages[: chance.choice((0, 1, 3))],
            tools,
            chance.choice(("auto", "none", "required")),
            forced_tool=chance.choice(("", "f", "missing")),
            reasoning_budget=chance.choice((None, 0, 5)),
            continue_last=chance.random() < 0.2,
        )

    def _text(self) -> str:
        texts = (
            "",
            "x" * 3000,
            "\x00",
            "\ud83d",
            "😀" * 500,
            "<|im_start|>" * 50,
            "{{ x }}",
            "a b",
        )
        return self.chance.choice(texts)

    def ask(self, engine: LocalEngine, request: Request, told: str) -> None:
        began = time.perf_counter()
        stream = engine.submit(request)
        _, end = stream.collect(60.0)
        took_s = time.perf_counter() - began
        name = "nothing" if end is None else end.kind if isinstance(end, Failed) else end.reason
        with self._lock:
            self.ends[name] += 1
            self.slowest = sorted([*self.slowest, (round(took_s, 2), told)])[-5:]
            if end is None or name in NEVER_ALLOWED or took_s > MOST_S:
                detail = end.detail if isinstance(end, Failed) else ""
                self.wrong.append(f"{told}: {name} after {took_s:.1f} s {detail}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
        path = write_tiny_model(Path(folder) / "model.gguf", seed=3)
        engines = []
        for template in (None, *TEMPLATES):
            engine = load(path, plan_for(context=2048, parallel=2), template=template)
            opened.callback(engine.close)
            engines.append(engine)
        fuzz = Fuzz(engines, options.seed)
        for number in range(options.requests):
            fuzz.ask(*fuzz.one(number))
    found = {
        "requests": sum(fuzz.ends.values()),
        "ends": dict(fuzz.ends),
        "slowest": fuzz.slowest,
        "wrong": fuzz.wrong[:20],
    }
    print(json.dumps(found))
    raise SystemExit(bool(fuzz.wrong))


if __name__ == "__main__":
    main()
