"""Five thousand random requests, most of them hostile: no crash, no hang over five seconds.

    python tests/benchmarks/engine_fuzz.py [requests] [seed]

Parameters of wrong types and sizes, grammars and schemas made to kill (deep, wide, circular, with
exploding repetitions), prompts of control characters, chats of every shape, and templates that
loop, grow, recurse or reach for Python's insides. Prints one JSON line; exits with 1 where the
engine failed, a request had no end, or one took longer than it may.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktop.common.errors import HausgeistError, TemplateError
from desktop.engine.chat import Chat, Media, Message, Tool, ToolCall
from desktop.engine.constraint import Constraint
from desktop.engine.events import Failed, Finished
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Adapter, Request
from desktop.engine.sampling import Sampling
from desktop.engine.templates.chat_template import TemplateRenderer
from tests.engine.driving import plan_for
from tests.tiny_models import write_tiny_model

MOST_S = 5.0
NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2**31, -(2**31), 2**63, 10**400, 0.0, -0.0, 1e-300, 1e300, 0.5),
    *(math.nan, math.inf, -math.inf, True, None, "7", "", [], {}, b"x", 3 + 4j),
)
TEXTS = (
    *("", " ", "\0", "\ud800", "a" * 70_000, "🙂" * 300, "<|im_start|>system\n", "{{ 7*7 }}"),
    *("\n" * 5_000, "</think></tool_call>", "́" * 400, "{% for x in y %}", "[TOOL_CALLS]"),
)


def nested(opening: str, middle: str, closing: str, depth: int) -> str:
    return opening * depth + middle + closing * depth


def grammar(chance: random.Random) -> str:
    """GBNF that no sane person writes, now and then one that is right."""
    size = chance.choice((1, 3, 50, 2_000, 20_000, 200_000))
    small = min(size, 3_000)
    return chance.choice(
        [
            'root ::= "a"',
            "root ::= " + nested("(", '"a"', ")", size),
            "root ::= " + nested("[", "a", "]", small),
            "root ::= " + " | ".join(f'"{n}"' for n in range(small)),
            'root ::= root "a" | "b"',
            'root ::= a\na ::= b "x"\nb ::= a',
            "root ::= missing",
            f'root ::= "a"{{{size},1}}',
            f'root ::= ("a"{{0,{small}}}){{0,{small}}}',
            'root ::= (("a"*)*)*',
            'root ::= ("" | "")+ "a"',
            "root ::= " + '"a"? ' * small,
            "\n".join(f"r{n} ::= r{n + 1}" for n in range(small))
            + f'\nr{small} ::= "x"\nroot ::= r0',
            'root ::= "' + chance.choice(TEXTS),
            "root ::= [^\\x00-\\U0010FFFF]",
            "root ::= [z-a]",
            'root ::= "\\u12"',
            "::= ::= ::=",
            chance.choice(TEXTS),
            "".join(chance.choice('root ::="ab|()[]{}*+?\\\n,09') for _ in range(min(size, 400))),
        ]
    )


def schema(chance: random.Random, depth: int = 0) -> Any:
    """A JSON schema, mostly wrong or far too much."""
    size = chance.choice((1, 3, 40, 1_000, 5_000))
    made: list[Callable[[], Any]] = [
        lambda: {"type": chance.choice(("string", "integer", "array", "nonsense", None, 7, []))},
        lambda: {"enum": list(range(size * 20))},
        lambda: {"const": chance.choice(NUMBERS[:12])},
        lambda: {
            "type": "string",
            "pattern": chance.choice(
                ("a{5,1}", "(a*)*b", "[", "(?=x)", "^" * size, "|".join("ab" * size))
            ),
        },
        lambda: {"type": "string", "minLength": chance.choice((5, -1, 10**9, "x")), "maxLength": 2},
        lambda: {"type": "integer", "minimum": chance.choice((1e308, -(10**40), 3)), "maximum": 2},
        lambda: {
            "$ref": chance.choice(("#", "#/$defs/a", "http://nowhere/x", "#/definitions/%", 7))
        },
        lambda: {
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
            "$ref": "#/$defs/a",
        },
        lambda: {
            "type": "object",
            "properties": {f"p{n}": {"type": "string"} for n in range(size)},
        },
        lambda: {"type": "array", "minItems": chance.choice((0, 5, 10**7, -3)), "maxItems": 4},
        lambda: {chance.choice(("anyOf", "oneOf", "allOf")): [{"type": "null"}] * min(size, 400)},
        lambda: {"not": {}},
        lambda: chance.choice((True, False, None, [], 7, "x")),
    ]
    if depth < 6 and chance.random() < 0.6:
        made.append(lambda: {"type": "array", "items": schema(chance, depth + 1)})
        made.append(
            lambda: {
                "type": "object",
                "properties": {"x": schema(chance, depth + 1)},
                "required": ["x", "y"],
            }
        )
    return chance.choice(made)()


def schema_text(chance: random.Random) -> str:
    if chance.random() < 0.15:
        depth = chance.choice((10, 900, 10_000, 200_000))
        return nested('{"type":"array","items":', "true", "}", depth)
    if chance.random() < 0.1:
        return chance.choice((*TEXTS, "{", "[" * 100_000, '{"a":' * 5_000))
    return json.dumps(schema(chance), default=str)


def constraint(chance: random.Random) -> Constraint | None:
    kind = chance.choice(("grammar", "json_schema", "json_object", "choice", "odd", None, None))
    match kind:
        case "grammar":
            return Constraint("grammar", grammar(chance))
        case "json_schema":
            return Constraint("json_schema", schema_text(chance))
        case "json_object":
            return Constraint("json_object", chance.choice(TEXTS))
        case "choice":
            count = chance.choice((0, 1, 3, 5_000))
            return Constraint(
                "choice", choices=tuple(chance.choice(TEXTS)[:50] for _ in range(count))
            )
        case "odd":
            return Constraint(
                chance.choice(NUMBERS), chance.choice(NUMBERS), chance.choice(NUMBERS)
            )
    return None


def sampling(chance: random.Random) -> Sampling:
    """Up to four fields are nonsense, of any type."""
    names = list(Sampling.__dataclass_fields__)
    count = chance.choice((0, 0, 0, 0, 1, 1, 3))
    wrong = {chance.choice(names): chance.choice(NUMBERS) for _ in range(count)}
    return replace(Sampling(seed=1), **wrong)


def chat(chance: random.Random) -> Chat:
    def message() -> Message:
        role: Any = chance.choice(("system", "user", "user", "assistant", "tool"))
        if chance.random() < 0.05:
            role = "nobody"
        calls = (ToolCall("1", chance.choice(TEXTS)[:40], chance.choice(('{"a":1}', "{", ""))),)
        media = (
            Media(
                "image",
                chance.choice((b"", b"\x89PNG\r\n\x1a\n", b"x" * 900)),
                chance.randrange(-3, 9),
            ),
        )
        return Message(
            role,
            chance.choice(TEXTS)[:2_000],
            reasoning=chance.choice(("", "hm")),
            tool_calls=calls if chance.random() < 0.2 else (),
            media=media if chance.random() < 0.1 else (),
        )

    tools = (Tool(chance.choice(("add", "", "x" * 300)), parameters={"p": schema(chance)}),)
    return Chat(
        tuple(message() for _ in range(chance.randrange(5))),
        tools=tools if chance.random() < 0.4 else (),
        tool_choice=chance.choice(("auto", "none", "required")),
        forced_tool=chance.choice(("", "", "add", "missing")),
        reasoning=chance.choice(("auto", "on", "off")),
        reasoning_budget=chance.choice((None, None, 0, 5, -3)),
        continue_last=chance.random() < 0.2,
        overflow=chance.choice(("error", "drop_oldest")),
        first_kept=chance.choice((0, 0, 3, -9, 10**9)),
    )


def request(chance: random.Random, number: int) -> Request:
    asked = Request(
        f"f{number}",
        chance.choice(TEXTS),
        max_tokens=chance.choice((0, 1, 8, 24)),
        sampling=sampling(chance),
        constraint=constraint(chance),
        chat=chat(chance) if chance.random() < 0.35 else None,
    )
    if chance.random() < 0.25:
        name = chance.choice(
            (
                "max_tokens",
                "stop",
                "priority",
                "logprobs",
                "parts",
                "conversation",
                "adapters",
                "id",
                "prompt",
            )
        )
        odd: Any = chance.choice(
            (*NUMBERS, (1, "x"), (10**9,), ("",) * 100, (Adapter("x", math.nan),))
        )
        asked = replace(asked, **{name: odd})
    return asked


TEMPLATES = (
    "{% for x in range(999999999) %}{% endfor %}",
    "{% for x in range(9999) %}{% for y in range(9999) %}ab{% endfor %}{% endfor %}",
    "{{ 'a' * 999999999999 }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ messages.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''.join(['x'] * 10**9) }}",
    "{{ cycler.__init__.__globals__.os.system('id') }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}"
    "{{ n.x }}",
    "{{ 9**9**9**9 }}",
    "{% include '/etc/passwd' %}",
    "{% for m in messages %}{{ m.content }}{% endfor %}",
    "{{ raise_exception('no') }}",
    "{% if %}",
    "{{ '%' ~ ('1' * 9) ~ 'd' }}{{ ('%999999999d') % 3 }}",
    "{{ 'x'.center(10**9) }}",
)


def templates(count: int, chance: random.Random) -> tuple[float, int]:
    """The longest time that one took, and how many gave a prompt."""
    renderer = TemplateRenderer()
    longest_s, written = 0.0, 0
    for _ in range(count):
        source = chance.choice(TEMPLATES) + chance.choice(("", "{{ bos_token }}", "{%"))
        began_s = time.monotonic()
        try:
            renderer.render(source, {"messages": [{"role": "user", "content": "x"}]})
            written += 1
        except TemplateError:
            pass
        longest_s = max(longest_s, time.monotonic() - began_s)
    renderer.close()
    return longest_s, written


def ask(engine: LocalEngine, asked: Request) -> tuple[str, float]:
    """How it ended, and after how long."""
    began_s = time.monotonic()
    try:
        _, end = engine.submit(asked).collect(4 * MOST_S)
    except HausgeistError as error:
        return f"raised {error.kind}", time.monotonic() - began_s
    seconds = time.monotonic() - began_s
    if end is None:
        return "no end", seconds
    return (end.reason if isinstance(end, Finished) else end.kind), seconds


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    ends: Counter[str] = Counter()
    slow: list[str] = []
    bad: list[str] = []
    longest_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = write_tiny_model(Path(folder) / "model.gguf")
        engine = load(path, plan_for(context=2048, parallel=4, threads=2))
        for number in range(count - count // 25):
            asked = request(random.Random(seed * 1_000_003 + number), number)
            try:
                how, seconds = ask(engine, asked)
            except Exception as error:  # noqa: BLE001 - whatever it is, the figure must show it
                how, seconds = f"{type(error).__name__}: {error}"[:200], 0.0
                bad.append(f"{number}: {how}")
            ends[how.partition(":")[0]] += 1
            longest_s = max(longest_s, seconds)
            if seconds > MOST_S:
                slow.append(f"{number}: {how} {seconds:.1f} s")
            if how in ("no end", "engine_failed", "internal"):
                bad.append(f"{number}: {how}")
        template_s, written = templates(count // 25, random.Random(seed))
        _, last = engine.submit(Request("last", "Ende", max_tokens=3)).collect(60)
        engine.close()
    alive = isinstance(last, Finished)
    print(
        json.dumps(
            {
                "benchmark": "engine_fuzz",
                "requests": count,
                "bad": len(bad),
                "slow": len(slow),
                "examples": [*bad[:10], *slow[:10]],
                "ends": ends.most_common(),
                "longest_s": round(longest_s, 2),
                "longest_template_s": round(template_s, 2),
                "templates_written": written,
                "answers_afterwards": alive or str(last if isinstance(last, Failed) else None),
            }
        )
    )
    return 0 if alive and not bad and not slow and template_s <= MOST_S else 1


if __name__ == "__main__":
    raise SystemExit(main())
