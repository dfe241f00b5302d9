"""What telling calls apart costs: microseconds a token, milliseconds a template and a grammar.

python tests/benchmarks/tool_calls.py
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.constraint import Gate
from desktop.engine.grammar.grammar import graph_of
from desktop.engine.output.learn import learn_output
from desktop.engine.output.output_format import OutputFormat
from desktop.engine.templates.tool_grammar import tool_grammar
from tests.engine.output.call_templates import TEMPLATES
from tests.engine.output.reading import SCHEMA, TOOLS, parser
from tests.engine.output.writing import Template

KINDS = ("hermes", "llama", "named", "tagged", "pythonic", "gemma", "channels")
TOKEN_CHARACTERS = 4
TEXT = "The quick brown fox jumps over the lazy dog, {said} <b>he</b>.\n" * 300
ARGUMENTS = json.dumps({"city": "word " * 4000, "tags": ["abc"] * 2000})


def seconds(work: Callable[[], object], repeat: int = 5) -> float:
    """The fastest of several rounds."""
    best = float("inf")
    for _ in range(repeat):
        started_s = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started_s)
    return best


def per_token_us(output: OutputFormat, text: str) -> float:
    portions = [text[at : at + TOKEN_CHARACTERS] for at in range(0, len(text), TOKEN_CHARACTERS)]

    def read() -> None:
        made = parser(output, gate=Gate("<think>", "</think>"))
        for portion in portions:
            made.feed(portion)
        made.finish()

    return round(1e6 * seconds(read) / len(portions), 2)


def main() -> None:
    found: dict[str, dict[str, float]] = {}
    many = tuple(Tool(f"tool_{number}", "Does something", SCHEMA) for number in range(20))
    for name in KINDS:
        template = Template(TEMPLATES[name])

        def learn(made: Template = template) -> OutputFormat:
            return learn_output(made.writes, made.opening(), made.with_tools())

        output = learn()
        call = output.calls.write([ToolCall("qIdentA01", TOOLS[0].name, ARGUMENTS)])
        grammar = tool_grammar(output.calls, many)
        found[name] = {
            "text_us_per_token": per_token_us(output, TEXT),
            "call_us_per_token": per_token_us(output, call),
            "learn_ms": round(1e3 * seconds(learn), 2),
            "grammar_of_20_tools_ms": round(
                1e3 * seconds(partial(tool_grammar, output.calls, many)), 2
            ),
            "grammar_checked_ms": round(1e3 * seconds(partial(graph_of.__wrapped__, grammar)), 2),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
