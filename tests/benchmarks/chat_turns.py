"""What a long chat costs: its tenth turn, going back to it, a restart, and others beside it.

`python tests/benchmarks/chat_turns.py [--threads 2] [--rounds 3]` prints one JSON line. All times
are by the clock, from `submit` to the first text; ratios are within one run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.chat import Chat, Message
from desktop.engine.events import Finished, PromptProgress, Text
from desktop.engine.keeping import Keeping
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Plan
from tests.benchmarks.big_model import big_model

SAMPLING = Sampling(seed=7)
CHAT_TOKENS = 4000
TURNS = 10
TOKENS_A_WORD = 5


class Bench:
    def __init__(self, path: Path, threads: int, rounds: int) -> None:
        self.path, self.threads, self.rounds = path, threads, rounds
        self._ids = 0

    def open(self, parallel: int, folder: Path | None = None, context: int = 8192) -> LocalEngine:
        plan = Plan(
            gpu_layers=0,
            context=context,
            kv_type="f16",
            parallel=parallel,
            flash_attention=True,
            expert_layers_on_cpu=0,
            ubatch=512,
            threads=self.threads,
            use_mmap=True,
        )
        return load(self.path, plan, keeping=Keeping(folder=folder))

    def ask(self, engine: LocalEngine, messages: Sequence[Message], tokens: int, name: str) -> Any:
        """Seconds to the first text, the text, and the statistics."""
        self._ids += 1
        request = Request(
            str(self._ids),
            max_tokens=tokens,
            sampling=SAMPLING,
            ignore_eos=True,
            conversation=name,
            chat=Chat(tuple(messages)),
        )
        started_s = time.perf_counter()
        stream = engine.submit(request)
        first_s, parts = 0.0, []
        for event in stream:
            if isinstance(event, Text):
                first_s = first_s or time.perf_counter() - started_s
                parts.append(event.text)
        assert isinstance(stream.end, Finished), stream.end
        return first_s, "".join(parts), stream.end.stats

    def chat(self, engine: LocalEngine, name: str) -> list[Message]:
        """Nine turns that together with the tenth are about 4,000 tokens."""
        messages: list[Message] = []
        words = "wort " * ((CHAT_TOKENS // TURNS - 60) // TOKENS_A_WORD)
        for turn in range(TURNS - 1):
            messages.append(Message("user", f"{name} {turn}: {words}"))
            _, text, _ = self.ask(engine, messages, 16, name)
            messages.append(Message("assistant", text))
        return [*messages, Message("user", "Und weiter?")]

    def turns(self) -> dict[str, float]:
        warm, back, restart, cold = [], [], [], []
        stats: Any = None
        for number in range(self.rounds):
            with tempfile.TemporaryDirectory() as folder:
                name = f"chat {number}"
                with closing(self.open(1, Path(folder))) as engine:
                    messages = self.chat(engine, name)
                    warm.append(self.ask(engine, messages, 4, name)[0])
                    other = [Message("user", "Ein anderes Gespräch. " * 20)]
                    self.ask(engine, other, 4, "other")
                    seconds, _, stats = self.ask(engine, messages, 4, name)
                    assert stats.restored == "memory", stats
                    back.append(seconds)
                with closing(self.open(1, Path(folder))) as engine:
                    self.ask(engine, [Message("user", "Hallo.")], 4, "warm up")
                    seconds, _, stats = self.ask(engine, messages, 4, name)
                    assert stats.restored == "disk", stats
                    restart.append(seconds)
                with closing(self.open(1)) as engine:
                    self.ask(engine, [Message("user", "Hallo.")], 4, "warm up")
                    seconds, _, stats = self.ask(engine, messages, 4, name)
                    cold.append(seconds)
        whole = statistics.median(cold)
        return {
            "prompt_tokens": stats.prompt_tokens,
            "cold_s": round(whole, 3),
            "turn_10_ratio": round(statistics.median(warm) / whole, 4),
            "gone_back_ratio": round(statistics.median(back) / whole, 4),
            "restart_ratio": round(statistics.median(restart) / whole, 4),
        }

    def gaps(self) -> dict[str, float]:
        """How long somebody who writes waits for the next token while 4,000 tokens are read."""
        with closing(self.open(2)) as engine:
            steps: list[float] = []
            self._read_alone(engine, steps)
            writer = engine.submit(
                Request("writer", "Hallo", 4000, sampling=SAMPLING, ignore_eos=True)
            )
            reading = [Message("user", "anders " * (CHAT_TOKENS // TOKENS_A_WORD))]
            told_s: list[float] = []
            reader = None
            while reader is None or reader.end is None:
                event = writer.get(5.0)
                assert event is not None
                if not isinstance(event, Text):
                    continue
                told_s.append(time.perf_counter())
                if reader is None and len(told_s) == 20:
                    request = Request("reader", max_tokens=1, chat=Chat(tuple(reading)))
                    reader = engine.submit(request)
                while reader is not None and reader.get(0.0) is not None:
                    pass
            writer.cancel()
            writer.collect()
        gaps = [after - before for before, after in pairwise(told_s[20:])]
        micro_batch_s = max(steps)
        return {
            "gap_max_s": round(max(gaps), 3),
            "gap_median_s": round(statistics.median(gaps), 3),
            "micro_batch_s": round(micro_batch_s, 3),
            "gap_over_micro_batch": round(max(gaps) / micro_batch_s, 3),
        }

    def _read_alone(self, engine: LocalEngine, steps: list[float]) -> None:
        """Seconds of each micro-batch of a 4,000-token prompt with nobody beside it."""
        chat = Chat((Message("user", "lesen " * (CHAT_TOKENS // TOKENS_A_WORD)),))
        last_s, last = time.perf_counter(), 0
        for event in engine.submit(Request("alone", max_tokens=1, chat=chat)):
            now_s = time.perf_counter()
            if isinstance(event, PromptProgress):
                if event.done_tokens - last >= 512:
                    steps.append((now_s - last_s) * 512 / (event.done_tokens - last))
                last = event.done_tokens
            last_s = now_s


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs="*", default=["turns", "gaps"])
    options = parser.parse_args(arguments)
    bench = Bench(options.model or big_model(), options.threads, options.rounds)
    parts: dict[str, Callable[[], dict[str, float]]] = {"turns": bench.turns, "gaps": bench.gaps}
    print(json.dumps({name: part() for name, part in parts.items() if name in options.parts}))


if __name__ == "__main__":
    main()
