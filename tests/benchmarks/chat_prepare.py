"""What a chat costs before the engine's thread hears of it: rendered, split, its reader made.

`python tests/benchmarks/chat_prepare.py [--tokens 4000]` prints one JSON line, milliseconds each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from contextlib import closing

from desktop.engine.chat import Chat, Message, Role, Tool
from desktop.engine.local import load
from desktop.engine.request import Request
from desktop.engine.templates.chat_format import ChatFormat
from desktop.engine.templates.chat_template import TemplateRenderer
from tests.benchmarks.big_model import Shape, big_model
from tests.engine import template_texts as templates
from tests.engine.driving import plan_for

SENTENCE = "Die Katze sitzt auf dem Dach und schaut den Vögeln zu, bis es dunkel wird. "
SMALL = Shape(layers=1, width=256, feed_forward=512, heads=4, kv_heads=1)
ROLES: tuple[Role, ...] = ("user", "assistant")
TOOL = Tool(
    "weather",
    "Tells the weather",
    {
        "type": "object",
        "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["place"],
    },
)


def median_ms(work: Callable[[], object], rounds: int = 15) -> float:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return round(1000 * statistics.median(taken), 2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, default=4000)
    given = parser.parse_args()
    plan = plan_for(context=2 * given.tokens, parallel=1, ubatch=512)
    with (
        closing(load(big_model(SMALL), plan, template=templates.HYBRID)) as engine,
        closing(TemplateRenderer()) as renderer,
    ):
        each = engine.count_tokens(SENTENCE)
        turn = SENTENCE * max(1, given.tokens // (20 * each))
        said = [Message(ROLES[number % 2], f"{number} {turn}") for number in range(21)]
        chat = Chat(tuple(said))
        tooled = Chat(tuple(said), (TOOL,) * 1, tool_choice="required")
        prompt = engine.render(chat).prompt
        preparer = engine._preparer
        with engine._worker.reading() as loaded:
            vocabulary = loaded.vocabulary
            figures = {
                "prompt_tokens": engine.count_tokens(prompt),
                "messages": len(said),
                "render_ms": median_ms(lambda: engine.render(chat)),
                "split_ms": median_ms(lambda: engine.tokenize(prompt)),
                "whole_ms": median_ms(lambda: preparer.prepare(Request("r", chat=chat))),
                "forced_call_ms": median_ms(lambda: preparer.prepare(Request("r", chat=tooled))),
                "trying_a_template_ms": median_ms(
                    lambda: ChatFormat(renderer, templates.HYBRID, vocabulary), rounds=5
                ),
            }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
