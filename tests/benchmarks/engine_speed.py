"""The engine against a bare llama_decode loop, the second turn of a chat, and cancelling.

`python tests/benchmarks/engine_speed.py [--threads 1] [--rounds 7]` prints one JSON line.
Everything is a ratio within one run, interleaved, because speeds on a shared machine are noise.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.chat import Chat, Message
from desktop.engine.events import Finished, Started, Stats, Text
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Plan
from tests.benchmarks.bare_loop import BareLoop, Seconds, Stopwatch
from tests.benchmarks.big_model import big_model

SAMPLING = Sampling(seed=7)
PROMPT = "Hello the world, once upon a time there was a model that wrote nothing but noise."


class Bench:
    def __init__(self, path: Path, threads: int, rounds: int) -> None:
        self.path, self.threads, self.rounds = path, threads, rounds
        self._ids = 0

    def plan(self, parallel: int, context: int = 4096) -> Plan:
        return Plan(
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

    def request(self, prompt: str, tokens: int, **more: Any) -> Request:
        self._ids += 1
        return Request(str(self._ids), prompt, tokens, sampling=SAMPLING, ignore_eos=True, **more)

    def generation(self, parallel: int, tokens: int) -> dict[str, float]:
        """Tokens a second through `submit` over those of the bare loop, by rounds."""
        plan = self.plan(parallel)
        engine = load(self.path, plan)
        loaded = engine._worker._loaded
        assert loaded is not None
        bare = BareLoop(loaded.model, plan, SAMPLING)
        prompt = bare.tokenize(PROMPT)
        wall, cpu, speeds = [], [], []
        for number in range(self.rounds + 1):
            # Who goes first changes, so that a slow minute hits both.
            runs = {"engine": partial(self._through_submit, engine, parallel, tokens)}
            runs["bare"] = partial(bare.generate, prompt, tokens)
            taken: dict[str, Seconds] = {}
            for name in sorted(runs, reverse=number % 2 == 0):
                taken[name] = runs[name]()
            if number > 0:  # the first round warms up
                wall.append(taken["bare"].wall / taken["engine"].wall)
                cpu.append(taken["bare"].cpu / taken["engine"].cpu)
                speeds.append(parallel * (tokens - 1) / taken["engine"].wall)
        bare.close()
        engine.close()
        return {
            "ratio": round(statistics.median(wall), 4),
            "ratio_min": round(min(wall), 4),
            "ratio_max": round(max(wall), 4),
            "ratio_of_cpu_time": round(statistics.median(cpu), 4),
            "tokens_per_s": round(statistics.median(speeds), 1),
        }

    def _through_submit(self, engine: LocalEngine, parallel: int, tokens: int) -> Seconds:
        """As a reader sees them: from the first text of the last sequence to the end."""
        # Another beginning for each: a shared one would keep fewer cells than the bare loop does.
        prompts = [f"{chr(ord('A') + n)}{PROMPT[1:]}" for n in range(parallel)]
        streams = [engine.submit(self.request(prompt, tokens)) for prompt in prompts]
        for stream in streams:
            while not isinstance(stream.get(), Text):
                pass
        watch = Stopwatch()
        for stream in streams:
            _, end = stream.collect()
            assert isinstance(end, Finished)
            assert end.stats.completion_tokens == tokens
        return watch.read()

    def second_turn(self, history_tokens: int = 2000) -> dict[str, float]:
        """Time to the first token of turn two, over reading the same prompt cold."""
        engine = load(self.path, self.plan(1))
        warm_s: list[float] = []
        cold_s: list[float] = []
        stats = Stats()
        for number in range(max(2, self.rounds // 3)):
            messages = [Message("user", f"Chat {number}: " + "wort " * (history_tokens // 5))]
            stream = engine.submit(self.request(engine.render(Chat(tuple(messages))).prompt, 32))
            answer, _ = stream.collect()
            messages += [Message("assistant", answer), Message("user", "Und weiter?")]
            prompt = engine.render(Chat(tuple(messages))).prompt
            for seconds in (warm_s, cold_s):
                if seconds is cold_s:  # another text pushes the chat out of the one sequence
                    engine.submit(self.request("anders " * 40, 1)).collect()
                _, end = engine.submit(self.request(prompt, 1)).collect()
                assert isinstance(end, Finished)
                stats = end.stats
                seconds.append(stats.first_token_s)
        engine.close()
        return {
            "ratio": round(statistics.median(warm_s) / statistics.median(cold_s), 4),
            "warm_s": round(statistics.median(warm_s), 4),
            "cold_s": round(statistics.median(cold_s), 4),
            "prompt_tokens": stats.prompt_tokens,
            "cached_tokens_when_cold": stats.cached_tokens,
        }

    def cancel(self) -> dict[str, float]:
        """Milliseconds from `cancel` to the last event, within a prompt and while writing."""
        engine = load(self.path, self.plan(1))
        found: dict[str, list[float]] = {"prompt": [], "writing": []}
        for number in range(3 * self.rounds):
            for place, times in found.items():
                long = f"{number} " + "wort " * 700
                prompt = long if place == "prompt" else f"{number} {PROMPT}"
                stream = engine.submit(self.request(prompt, 1000))
                awaited = Started if place == "prompt" else Text
                while not isinstance(stream.get(), awaited):
                    pass
                # Not at the same point of a step every time.
                time.sleep(0.01 + 0.013 * (number % 7))
                started_s = time.perf_counter()
                stream.cancel()
                _, end = stream.collect()
                assert isinstance(end, Finished)
                assert end.reason == "cancelled"
                times.append(1000 * (time.perf_counter() - started_s))
        engine.close()
        return {
            f"{place}_{name}_ms": round(value, 2)
            for place, times in found.items()
            for name, value in (("median", statistics.median(times)), ("max", max(times)))
        }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--parallel", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--parts", nargs="*", default=["generation", "second_turn", "cancel"])
    options = parser.parse_args(arguments)
    bench = Bench(options.model or big_model(), options.threads, options.rounds)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "generation": lambda: {
            str(count): bench.generation(count, options.tokens) for count in options.parallel
        },
        "second_turn": bench.second_turn,
        "cancel": bench.cancel,
    }
    figures = {name: part() for name, part in parts.items() if name in options.parts}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
