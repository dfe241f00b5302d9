"""Thousands of mixed requests over eight sequences: every one ends, nothing grows, nothing leaks.

`python tests/benchmarks/soak.py [--requests 20000] [--kind llama|mamba|gemma2]` prints one JSON
line and exits with 1 where a promise was broken. Lengths, cancels, readers that go away, grammars,
schemas, tools, adapters, pictures of probability, priorities, chats that go on, echoes and prompts
that are too long come mixed, from several threads.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.chat import Chat, Message, Tool, ToolChoice
from desktop.engine.constraint import Constraint
from desktop.engine.events import Failed, Finished, TokenChances
from desktop.engine.extras import AdapterFile, Extras
from desktop.engine.keeping import Keeping
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Adapter, Request
from desktop.engine.sampling import Sampling
from tests.engine.driving import plan_for
from tests.tiny_architectures import write_tiny_gemma2, write_tiny_mamba
from tests.tiny_lora import write_tiny_lora
from tests.tiny_models import write_tiny_model

ASKERS = 12
SOON_S = 300.0
ALLOWED = {"context_exceeded", "bad_sampling", "engine_busy", "bad_schema", "no_such_adapter"}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "maxItems": 3},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
TOOLS = (Tool("weather", "Says the weather", {"type": "object", "properties": {}}),)
CHOICES: tuple[ToolChoice, ...] = ("auto", "required", "none")
SYSTEMS = ("", "Du bist ein Geist. " * 3, "Du bist ein Haus. " * 12)


class Soak:
    def __init__(self, engine: LocalEngine, requests: int, seed: int) -> None:
        self.engine = engine
        self.requests = requests
        self._chance = random.Random(seed)
        self._work: queue.SimpleQueue[tuple[Request, str, int] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.ends: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._told: list[str] = []
        self._process = psutil.Process()
        self.sizes: list[int] = []

    def run(self) -> None:
        askers = [threading.Thread(target=self._ask_all) for _ in range(ASKERS)]
        for asker in askers:
            asker.start()
        for number in range(self.requests):
            self._work.put(self._one(number))
            while self._work.qsize() > 4 * ASKERS:
                time.sleep(0.002)
            if number % max(1, self.requests // 50) == 0:
                self.sizes.append(self._process.memory_info().rss)
        for _ in askers:
            self._work.put(None)
        for asker in askers:
            asker.join()
        self.sizes.append(self._process.memory_info().rss)

    def _one(self, number: int) -> tuple[Request, str, int]:
        """A request, what its reader does, and after how many events."""
        chance = self._chance
        fields: dict[str, Any] = {
            "max_tokens": chance.choice((0, 1, 4, 12, 40, 90)),
            "sampling": self._sampling(number),
            "conversation": chance.choice(("", "", "chat a", "chat b", f"chat {number % 40}")),
            "client": chance.choice(("", "one", "two", "three")),
            "priority": chance.choice((0, 0, 0, 1)),
            "ignore_eos": chance.random() < 0.3,
            "stop": chance.choice(((), (), ("a",), ("<|im_start|>", "zz"))),
            "keep_state": chance.random() < 0.9,
            "draft": chance.choice(("auto", "off")),
        }
        kind = chance.random()
        if kind < 0.06:
            fields |= {"prompt": "zu lang " * 400}
        elif kind < 0.14:
            fields |= {"prompt": self._prompt(), "constraint": self._constraint()}
        elif kind < 0.22:
            choice: ToolChoice = chance.choice(CHOICES)
            fields |= {"chat": Chat(self._messages(), TOOLS, choice)}
        elif kind < 0.30:
            fields |= {"prompt": self._prompt(), "adapters": self._adapters()}
        elif kind < 0.34:
            fields |= {"prompt": "Hallo du da", "echo": True, "logprobs": 2}
        elif kind < 0.40:
            fields |= {"prompt": self._prompt(), "logprobs": chance.choice((0, 5))}
        elif kind < 0.48:
            chat = Chat(self._messages(chance.choice((1, 9, 60))), overflow="drop_oldest")
            fields |= {"chat": chat}
        elif kind < 0.52:
            fields |= {"prompt": self._prompt(), "sampling": Sampling(top_p=7.0)}
        else:
            fields |= {"prompt": self._prompt()}
        action = chance.choices(("read", "cancel", "leave"), (80, 12, 8))[0]
        return Request(f"{number}", **fields), action, chance.choice((0, 1, 2, 5))

    def _prompt(self) -> str:
        chance = self._chance
        with self._lock:
            known = self._told[-30:]
        if known and chance.random() < 0.35:
            return chance.choice(known) + "<|im_end|>\nUnd dann?"
        return chance.choice(SYSTEMS) + "wort " * chance.choice((0, 1, 3, 9, 30, 60))

    def _messages(self, count: int = 1) -> tuple[Message, ...]:
        words = "wort " * self._chance.choice((1, 5, 20))
        turns = [(Message("user", words), Message("assistant", "Ja. " * 4)) for _ in range(count)]
        return (*(one for turn in turns for one in turn), Message("user", "Und?"))

    def _constraint(self) -> Constraint:
        kinds = (
            Constraint("json_object"),
            Constraint("json_schema", json.dumps(SCHEMA)),
            Constraint("choice", choices=("ja", "nein", "vielleicht")),
            Constraint("grammar", 'root ::= [a-z]+ "." | "x" root "y"'),
        )
        return self._chance.choice(kinds)

    def _adapters(self) -> tuple[Adapter, ...]:
        kinds = (
            (),
            (Adapter("one", 1.0),),
            (Adapter("one", 0.5), Adapter("two", 1.0)),
            (Adapter("none such", 1.0),),
        )
        return self._chance.choice(kinds)

    def _sampling(self, seed: int) -> Sampling:
        chance = self._chance
        return Sampling(
            temperature=chance.choice((0.0, 0.8, 1.5)),
            top_k=chance.choice((0, 1, 40)),
            repeat_penalty=chance.choice((1.0, 1.2)),
            dry_multiplier=chance.choice((0.0, 0.0, 0.8)),
            xtc_probability=chance.choice((0.0, 0.3)),
            mirostat=chance.choice((0, 0, 0, 2)),
            seed=seed,
        )

    def _ask_all(self) -> None:
        while (work := self._work.get()) is not None:
            self._ask(*work)

    def _ask(self, request: Request, action: str, after: int) -> None:
        stream = self.engine.submit(request)
        if action == "leave":
            for _ in range(after):
                stream.get(0.05)
            del stream
            self._count("left")
            return
        parts: list[str] = []
        seen = 0
        while stream.end is None:
            event = stream.get(SOON_S)
            if event is None:
                self._complain(f"{request.id}: silent for {SOON_S} s")
                return
            seen += 1
            if hasattr(event, "text"):
                parts.append(event.text)
            assert not isinstance(event, TokenChances) or request.logprobs is not None
            if action == "cancel" and seen == after + 1:
                stream.cancel()
        self._judge(request, "".join(parts), stream.end, action)

    def _judge(self, request: Request, text: str, end: Finished | Failed, action: str) -> None:
        if isinstance(end, Failed):
            self._count(end.kind)
            if end.kind not in ALLOWED:
                self._complain(f"{request.id}: {end.kind} {dict(end.params)} {end.detail}")
            return
        self._count(end.reason)
        if end.reason == "cancelled" and action != "cancel":
            self._complain(f"{request.id}: cancelled, but by nobody")
        limit = request.max_tokens
        if limit is not None and end.stats.completion_tokens > limit:
            self._complain(f"{request.id}: {end.stats.completion_tokens} tokens of {limit}")
        constraint = request.constraint
        if constraint is not None and end.reason == "stop" and not end.stop_string:
            if constraint.kind.startswith("json"):
                json.loads(text)
            if constraint.kind == "choice" and text not in constraint.choices:
                self._complain(f"{request.id}: {text!r} is no choice")
        if request.prompt and len(request.prompt) < 400:
            with self._lock:
                self._told = [*self._told[-60:], request.prompt + text]

    def _count(self, name: str) -> None:
        with self._lock:
            self.ends[name] += 1

    def _complain(self, text: str) -> None:
        with self._lock:
            self.wrong.append(text)


def leaks(engine: LocalEngine) -> list[str]:
    """What the engine still holds when nobody asks for anything."""
    worker = engine._worker
    deadline = time.monotonic() + 30
    while any(one.state != "idle" for one in engine.sequences()) and time.monotonic() < deadline:
        time.sleep(0.05)
    loaded = worker._loaded
    assert loaded is not None
    found = [f"sequence {one.place} is {one.state}" for one in engine.sequences() if one.request_id]
    found += [f"still waiting: {task.request.id}" for task in loaded.batcher.queue]
    found += [f"still open: {name}" for name in worker._open_ids]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=["llama", "mamba", "gemma2"], default="llama")
    options = parser.parse_args(arguments)
    writers = {"llama": write_tiny_model, "mamba": write_tiny_mamba, "gemma2": write_tiny_gemma2}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = writers[options.kind](home / "model.gguf", seed=3)
        files: tuple[AdapterFile, ...] = ()
        if options.kind == "llama":
            files = tuple(
                AdapterFile(write_tiny_lora(home / f"{name}.gguf", seed=number), name, 0.0)
                for number, name in enumerate(("one", "two"))
            )
        keeping = Keeping(8 << 20, home / "states", 32 << 20)
        engine = load(
            path,
            plan_for(context=2048, parallel=8, ubatch=128),
            extras=Extras(adapters=files),
            keeping=keeping,
        )
        soak = Soak(engine, options.requests, options.seed)
        began = time.monotonic()
        soak.run()
        left = leaks(engine)
        engine.close()
    warm = max(soak.sizes[len(soak.sizes) // 4 : len(soak.sizes) // 2] or soak.sizes)
    last = max(soak.sizes[-len(soak.sizes) // 4 :])
    found = {
        "requests": sum(soak.ends.values()),
        "ends": dict(soak.ends),
        "wrong": soak.wrong[:10],
        "leaks": left[:10],
        "rss_growth": round(last / warm - 1, 4),
        "rss_bytes": last,
        "rss_mb": [size >> 20 for size in soak.sizes[:: max(1, len(soak.sizes) // 25)]],
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(found))
    raise SystemExit(bool(soak.wrong or left or found["requests"] != options.requests))


if __name__ == "__main__":
    main()
