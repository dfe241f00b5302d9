"""What a step costs besides llama.cpp: Python's own time, at 1, 2, 4 and 8 sequences.

`python tests/benchmarks/step_time.py [--steps 300]` prints one JSON line, in microseconds. A step
is timed as a whole; the time inside llama_decode and llama_sampler_sample is taken off. The clock
is that of the thread, which stands still while other programs have the core. The model is tiny
(its layers do not count) with 128,256 words (sampling does).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.batching.outbox import Outbox
from desktop.engine.llama import llama
from desktop.engine.loaded import Loaded
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream
from desktop.fit.types import Plan
from tests.benchmarks.big_model import Shape, big_model

SMALL = Shape(layers=1, width=256, feed_forward=512, heads=4, kv_heads=4)
COUNTS = (1, 2, 4, 8)


class Clock:
    """Adds up the time inside functions of llama.cpp."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        now = time.thread_time

        def timed(*arguments: Any) -> Any:
            began = now()
            result = function(*arguments)
            self.seconds += now() - began
            return result

        return timed


def python_time(path: Path, sequences: int, steps: int, clock: Clock) -> dict[str, float]:
    """Median microseconds of a step of the batcher with the delivery of its events."""
    plan = Plan(
        gpu_layers=0,
        context=8192,
        kv_type="f16",
        parallel=sequences,
        flash_attention=True,
        expert_layers_on_cpu=0,
        ubatch=512,
        threads=1,
        use_mmap=True,
    )
    with closing(Loaded(path, plan)) as loaded:
        batcher, outbox = loaded.batcher, Outbox(set())
        streams = [Stream(str(n), lambda _: None) for n in range(sequences)]
        for number, stream in enumerate(streams):
            outbox.open(stream.request_id, stream.inbox)
            sampling = Sampling(seed=number)
            request = Request(str(number), f"{number} Hallo", sampling=sampling, ignore_eos=True)
            outbox.deliver(batcher.add(request), 0.0)
        for _ in range(20):
            outbox.deliver(batcher.step(), time.perf_counter())
        own = []
        for _ in range(steps):
            clock.seconds = 0.0
            began = time.thread_time()
            events = batcher.step()
            outbox.deliver(events, time.perf_counter())
            own.append(1e6 * (time.thread_time() - began - clock.seconds))
        outbox.deliver(batcher.close(), time.perf_counter())
    own.sort()
    return {"median_us": round(statistics.median(own), 1), "least_us": round(own[0], 1)}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args(arguments)
    clock, engine = Clock(), llama()
    real = engine.keeping_the_lock
    timed = {"llama_sampler_sample"}

    def keeping_the_lock(name: str) -> Any:
        return clock.around(real(name)) if name in timed else real(name)

    engine.keeping_the_lock = keeping_the_lock  # type: ignore[method-assign]
    engine.lib.llama_decode = clock.around(engine.lib.llama_decode)
    path = big_model(SMALL)
    found = {str(n): python_time(path, n, options.steps, clock) for n in COUNTS}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
