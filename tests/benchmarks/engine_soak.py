"""Twenty thousand mixed requests on eight sequences: each ends in an answer or the right error.

    python tests/benchmarks/engine_soak.py [requests] [seed]

Lengths, stops, cancels, readers that go away, grammars, schemas, choices, tools, adapters, log
probabilities, prompts that do not fit, chats whose oldest turns are left out, wrong parameters.
Prints one JSON line; exits with 1 where one request did not end as it must, memory grew by 2 % or
more after the first quarter, or a sequence is still taken at the end.
"""

from __future__ import annotations

import gc
import itertools
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from desktop.engine.chat import Chat, Message, Tool
from desktop.engine.constraint import Constraint
from desktop.engine.events import EndEvent, Failed, Finished, Text, ToolCallPart
from desktop.engine.extras import AdapterFile, Extras
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Adapter, Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream
from tests.engine.driving import plan_for
from tests.tiny_lora import write_tiny_lora
from tests.tiny_models import write_tiny_model

SEQUENCES, CLIENTS = 8, 12
CONTEXT_TOKENS = 2048
MOST_WAIT_S = 120.0
WORDS = (
    *("das", "Haus", "ist", "alt", "und", "the", "garden", "grows", "12", "7", "ä", "ß", "🙂"),
    *("{", "}", "[", "]", '"', "\\", "<tool_call>", "</think>"),
)
KINDS = {
    "plain": 20,
    "stop": 5,
    "leave": 10,
    "drop": 5,
    "schema": 6,
    "grammar": 6,
    "choice": 4,
    "chat": 10,
    "tools": 6,
    "must_call": 4,
    "adapter": 6,
    "chances": 6,
    "too_long": 3,
    "overflow": 3,
    "wrong": 6,
}
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 8}, "n": {"type": "integer"}},
    "required": ["name", "n"],
}
TOOL = Tool("add", "adds", {"type": "object", "properties": {"a": {"type": "integer"}}})
GRAMMAR = 'root ::= ("ja" | "nein") " " [0-9]{1,3}'
WRONG = (
    {"sampling": Sampling(temperature=-1.0)},
    {"sampling": Sampling(top_p=7.0)},
    {"max_tokens": -3},
    {"stop": ("",)},
    {"constraint": Constraint("grammar", "root ::= missing")},
    {"constraint": Constraint("json_schema", '{"type": "nonsense"}')},
    {"adapters": (Adapter("nobody"),)},
    {"logprobs": 10_000},
)


@dataclass(frozen=True)
class Case:
    """A request, and whether its end is as it must be."""

    kind: str
    request: Request
    is_right: Callable[[str, EndEvent], bool]
    leave_after: int | None = None  # events, then the reader cancels or goes away
    drops: bool = False


def words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(count))


def finished(_text: str, end: EndEvent) -> bool:
    return isinstance(end, Finished) and end.reason in ("stop", "length")


def left(_text: str, end: EndEvent) -> bool:
    return isinstance(end, Finished)


def refused(_text: str, end: EndEvent) -> bool:
    return isinstance(end, Failed) and end.kind not in ("engine_failed", "internal")


def fits_schema(text: str, end: EndEvent) -> bool:
    if isinstance(end, Finished) and end.reason == "length":
        return True
    found = json.loads(text)
    return set(found) == {"name", "n"} and isinstance(found["n"], int)


def fits_grammar(text: str, end: EndEvent) -> bool:
    if not isinstance(end, Finished):
        return False
    head, _, number = text.partition(" ")
    return end.reason == "length" or (head in ("ja", "nein") and number.isdigit())


def one_of(text: str, end: EndEvent) -> bool:
    return isinstance(end, Finished) and (end.reason == "length" or text in ("rot", "grün"))


def called(_text: str, end: EndEvent) -> bool:
    return isinstance(end, Finished) and end.reason in ("tool_calls", "length")


def too_long(_text: str, end: EndEvent) -> bool:
    return isinstance(end, Failed) and end.kind == "context_exceeded"


def make(chance: random.Random, number: int) -> Case:
    """The request of that number: always the same for one seed."""
    sampling = Sampling(
        temperature=chance.choice((0.0, 0.7, 1.5)),
        top_k=chance.choice((0, 5, 40)),
        repeat_penalty=chance.choice((1.0, 1.2)),
        seed=chance.randrange(1 << 30),
        dry_multiplier=chance.choice((0.0, 0.8)),
        xtc_probability=chance.choice((0.0, 0.3)),
        mirostat=chance.choice((0, 0, 0, 2)),
    )
    base = Request(
        f"r{number}",
        words(chance, chance.choice((1, 5, 30, 120))),
        max_tokens=chance.choice((1, 8, 24, 60)),
        sampling=sampling,
        conversation=f"c{chance.randrange(40)}",
        priority=chance.choice((0, 0, 0, 1)),
        keep_state=chance.random() < 0.8,
    )
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    return _case(kind, base, chance)


def _case(kind: str, base: Request, chance: random.Random) -> Case:
    question = Message("user", base.prompt)
    chat = Chat((Message("system", "kurz"), question))
    match kind:
        case "stop":
            return Case(kind, replace(base, stop=("a", "zz", " ")), finished)
        case "leave":
            asked = replace(base, max_tokens=400, ignore_eos=True)
            return Case(kind, asked, left, leave_after=chance.randrange(4))
        case "drop":
            asked = replace(base, max_tokens=400, ignore_eos=True)
            return Case(kind, asked, left, leave_after=chance.randrange(3), drops=True)
        case "schema":
            constraint = Constraint("json_schema", json.dumps(SCHEMA))
            return Case(kind, replace(base, constraint=constraint, max_tokens=80), fits_schema)
        case "grammar":
            constraint = Constraint("grammar", GRAMMAR)
            return Case(kind, replace(base, constraint=constraint), fits_grammar)
        case "choice":
            constraint = Constraint("choice", choices=("rot", "grün"))
            return Case(kind, replace(base, constraint=constraint), one_of)
        case "chat":
            return Case(kind, replace(base, prompt="", chat=chat), finished)
        case "tools":
            tooled = replace(chat, tools=(TOOL,))
            right = lambda text, end: finished(text, end) or called(text, end)  # noqa: E731
            return Case(kind, replace(base, prompt="", chat=tooled), right)
        case "must_call":
            tooled = replace(chat, tools=(TOOL,), tool_choice="required", parallel_tools=False)
            return Case(kind, replace(base, prompt="", chat=tooled, max_tokens=120), called)
        case "adapter":
            scales = chance.choice(((Adapter("one", 1.0),), (Adapter("one", 0.5), Adapter("two"))))
            return Case(kind, replace(base, adapters=scales), finished)
        case "chances":
            return Case(kind, replace(base, logprobs=chance.choice((0, 3, 20))), finished)
        case "too_long":
            return Case(kind, replace(base, prompt=words(chance, CONTEXT_TOKENS)), too_long)
        case "overflow":
            turns = [
                Message("user" if turn % 2 == 0 else "assistant", words(chance, 60))
                for turn in range(31)
            ]
            long = Chat(tuple(turns), overflow="drop_oldest")
            return Case(kind, replace(base, prompt="", chat=long), finished)
        case "wrong":
            return Case(kind, replace(base, **chance.choice(WRONG)), refused)
        case _:
            return Case(kind, base, finished)


class Soak:
    """Clients that ask one after another until all requests are asked."""

    def __init__(self, engine: LocalEngine, count: int, seed: int) -> None:
        self._engine = engine
        self._count = count
        self._seed = seed
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self.kinds: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.memory: list[int] = []
        self.longest_s = 0.0

    def run(self) -> None:
        clients = [threading.Thread(target=self._client) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()

    def _client(self) -> None:
        while (number := next(self._numbers)) < self._count:
            case = make(random.Random(self._seed * 1_000_003 + number), number)
            began_s = time.monotonic()
            try:
                told = self._ask(case)
            except Exception as error:  # noqa: BLE001 - whatever it is, the figure must show it
                told = f"{type(error).__name__}: {error}"
            with self._lock:
                self.kinds[case.kind] += 1
                self.longest_s = max(self.longest_s, time.monotonic() - began_s)
                if told:
                    self.wrong.append(f"{number} {case.kind}: {told}")
                if number % max(1, self._count // 40) == 0:
                    gc.collect()
                    self.memory.append(psutil.Process().memory_info().rss)

    def _ask(self, case: Case) -> str:
        """What was wrong with the end, "" for nothing."""
        stream = self._engine.submit(case.request)
        if case.leave_after is not None:
            for _ in range(case.leave_after):
                stream.get(MOST_WAIT_S)
            if case.drops:
                return ""
            stream.cancel()
        text, end = self._read(stream)
        if end is None:
            return "no end"
        with self._lock:
            self.ends[end.reason if isinstance(end, Finished) else end.kind] += 1
        return "" if case.is_right(text, end) else f"{end} after {text[:80]!r}"

    @staticmethod
    def _read(stream: Stream) -> tuple[str, EndEvent | None]:
        """The answer's text; the pieces of a call together must be JSON."""
        text: list[str] = []
        calls: dict[int, str] = {}
        while stream.end is None:
            event = stream.get(MOST_WAIT_S)
            if event is None:
                break
            if isinstance(event, Text):
                text.append(event.text)
            elif isinstance(event, ToolCallPart):
                calls[event.index] = calls.get(event.index, "") + event.arguments
        if isinstance(stream.end, Finished) and stream.end.reason == "tool_calls":
            for arguments in calls.values():
                json.loads(arguments)
        return "".join(text), stream.end


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        path = write_tiny_model(Path(folder) / "model.gguf")
        adapters = tuple(
            AdapterFile(write_tiny_lora(Path(folder) / f"{name}.gguf", seed=place), name, 0.0)
            for place, name in enumerate(("one", "two"))
        )
        plan = plan_for(context=CONTEXT_TOKENS * 2, parallel=SEQUENCES, ubatch=128, threads=2)
        engine = load(path, plan, extras=Extras(adapters=adapters))
        soak = Soak(engine, count, seed)
        began_s = time.monotonic()
        soak.run()
        seconds = time.monotonic() - began_s
        _, last = engine.submit(Request("last", "Ende", max_tokens=3)).collect(60)
        taken = [state for state in engine.sequences() if state.state != "idle"]
        engine.close()
    quarter, rest = soak.memory[len(soak.memory) // 4], soak.memory[len(soak.memory) // 4 :]
    growth = rest[-1] / quarter - 1
    print(
        json.dumps(
            {
                "benchmark": "engine_soak",
                "requests": sum(soak.kinds.values()),
                "wrong": len(soak.wrong),
                "examples": soak.wrong[:10],
                "kinds": soak.kinds,
                "ends": soak.ends,
                "sequences_taken": len(taken),
                "answers_afterwards": isinstance(last, Finished),
                "rss_bytes": [quarter, rest[-1]],
                "rss_growth": round(growth, 4),
                "longest_s": round(soak.longest_s, 2),
                "seconds": round(seconds, 1),
            }
        )
    )
    good = not soak.wrong and not taken and isinstance(last, Finished) and growth < 0.02
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
