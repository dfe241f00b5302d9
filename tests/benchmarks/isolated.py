"""What the pipe costs: a model in a child process against the same model in this one.

Both are loaded by the same plan, one after the other and turn about, so that both meet the same
disturbances. Prints one JSON line: ratios of the tokens per second (isolated ÷ local) at 1 and 4
sequences, and of the processor's seconds a token (local ÷ isolated, both processes counted), which
say more on a busy machine; the milliseconds from a cancel to its last event, and the loads.

    python tests/benchmarks/isolated.py MODEL.gguf [--rounds 20] [--tokens 32] [--threads 2]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.engine import Engine
from desktop.engine.events import Finished, Text
from desktop.engine.isolated import IsolatedEngine, load_isolated
from desktop.engine.local import load
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Plan

_GREEDY = Sampling(temperature=0.0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    plan = Plan(
        gpu_layers=0,
        context=8192,
        kv_type="f16",
        parallel=4,
        flash_attention=True,
        expert_layers_on_cpu=0,
        ubatch=512,
        threads=given.threads,
        use_mmap=False,
    )
    found: dict[str, object] = {"model": given.model.name, "tokens": given.tokens}
    started = time.perf_counter()
    with closing(load_isolated(given.model, plan)) as isolated:
        found["load_isolated_s"] = round(time.perf_counter() - started, 3)
        started = time.perf_counter()
        with closing(load(given.model, plan)) as local:
            found["load_local_s"] = round(time.perf_counter() - started, 3)
            for sequences in (1, 4):
                found[f"sequences_{sequences}"] = _compared(
                    isolated, local, sequences, given.tokens, given.rounds
                )
            for name, engine in (("isolated", isolated), ("local", local)):
                found[f"cancel_{name}_ms"] = _cancels(engine, given.rounds)
    print(json.dumps(found))


def _compared(
    isolated: Engine, local: Engine, sequences: int, tokens: int, rounds: int
) -> dict[str, float]:
    speeds: dict[str, list[float]] = {"isolated": [], "local": []}
    costs: dict[str, list[float]] = {"isolated": [], "local": []}
    for turn in range(rounds + 1):
        pairs = [("isolated", isolated), ("local", local)]
        for name, engine in pairs if turn % 2 else reversed(pairs):
            before = _processor_s(engine)
            speed = _speed(engine, sequences, tokens, turn)
            if turn > 0:  # the first one warms up
                speeds[name].append(speed)
                costs[name].append((_processor_s(engine) - before) / (sequences * tokens))
    ratios = [a / b for a, b in zip(speeds["isolated"], speeds["local"], strict=True)]
    return {
        "isolated_tokens_per_s": round(statistics.median(speeds["isolated"]), 2),
        "local_tokens_per_s": round(statistics.median(speeds["local"]), 2),
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_of_processor_s": round(min(costs["local"]) / min(costs["isolated"]), 3),
        "ratio_of_best": round(max(speeds["isolated"]) / max(speeds["local"]), 3),
    }


def _processor_s(engine: Engine) -> float:
    """Of this process, and of the child where the engine is one."""
    pids = [os.getpid(), engine.pid] if isinstance(engine, IsolatedEngine) else [os.getpid()]
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(one.user + one.system for one in times)


def _speed(engine: Engine, sequences: int, tokens: int, turn: int) -> float:
    """Tokens a second of all sequences together, from the first text to the last event."""
    streams = [
        engine.submit(
            Request(
                f"{turn}.{number}",
                f"{number} Hallo",
                tokens,
                sampling=_GREEDY,
                ignore_eos=True,
                conversation=f"{turn}.{number}",
            )
        )
        for number in range(sequences)
    ]
    started = time.perf_counter()
    written = 0
    for stream in streams:
        for event in stream:
            if isinstance(event, Finished):
                written += event.stats.completion_tokens
    return written / (time.perf_counter() - started)


def _cancels(engine: Engine, rounds: int) -> dict[str, float]:
    """While an answer is written, and while a long prompt is read."""
    took: dict[str, list[float]] = {"writing": [], "reading": []}
    for turn in range(2 * rounds):
        writing = turn % 2 == 0
        prompt = "Hallo" if writing else f"{turn} " + "Ein langer Text. " * 400
        stream = engine.submit(Request(f"c{turn}", prompt, 4000, ignore_eos=True))
        while (event := stream.get()) is not None:
            if isinstance(event, Text) or not writing:
                break
        if not writing:
            time.sleep(0.1)  # in the middle of a step
        started = time.perf_counter()
        stream.cancel()
        for _ in stream:
            pass
        took["writing" if writing else "reading"].append(time.perf_counter() - started)
    return {
        f"{name}_{what}": round(1000 * value, 2)
        for name, seconds in took.items()
        for what, value in (("median", statistics.median(seconds)), ("worst", max(seconds)))
    }


if __name__ == "__main__":
    main()
