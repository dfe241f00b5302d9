"""What guessing ahead brings: tokens a second with it over those without, in one run.

`python tests/benchmarks/speculative.py [--rounds 5] [--draft-tokens N]` prints one JSON line. The
models recite (see reciting_model.py), so that a text can be one that repeats its prompt:
`repeat` does so throughout, `edited` leaves it about every twelfth token, `new` never comes back to
what was said, and `luring` has many like places that lead nowhere. `draft` writes what never came
before, guessed by a small model. `_by_four`: four such answers at once. In float32 the time goes
into reading the weights; with `_q4` into computing on most processors, so that nothing is to be
won: there it must not cost anything. `ratio_of_cpu_time` hardly minds a busy machine.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.events import Finished, Text
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.worker import Worker
from desktop.fit.types import Plan
from tests.benchmarks.bare_loop import Seconds, Stopwatch
from tests.benchmarks.big_model import big_model
from tests.benchmarks.reciting_model import CHORUS, FLOATS, SMALL, reciting_model

GREEDY = Sampling(temperature=0.0)
EDITING = Sampling(temperature=2.1, top_k=40, top_p=1.0, min_p=0.0, seed=3)
_LURING_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked, of which model, by how many at once."""

    model: Path
    prompt: Callable[[int], tuple[int, ...]]
    sampling: Sampling
    count: int = 1
    draft: Path | None = None


def chorus(number: int) -> tuple[int, ...]:
    """All of it once, and the beginning of it again."""
    start = CHORUS.start + 7 * number
    return (*range(start, CHORUS.stop), *CHORUS, *range(CHORUS.start, start + 12))


def novel(number: int) -> tuple[int, ...]:
    return tuple(range(5_000 + 3_000 * number, 5_400 + 3_000 * number))


def luring(number: int) -> tuple[int, ...]:
    """So few different tokens in random order that three alike are found again and again."""
    source = random.Random(number)
    return tuple(source.randrange(_LURING_TOKENS) + 2_000 for _ in range(400))


def plan(draft_tokens: int, parallel: int, threads: int) -> Plan:
    return Plan(
        gpu_layers=0,
        context=4096,
        kv_type="f16",
        parallel=parallel,
        flash_attention=True,
        expert_layers_on_cpu=0,
        ubatch=512,
        threads=threads,
        use_mmap=True,
        draft_tokens=draft_tokens,
    )


class Bench:
    def __init__(self, *, draft_tokens: int, rounds: int, threads: int, tokens: int) -> None:
        self.draft_tokens = draft_tokens
        self.rounds = rounds
        self.threads = threads
        self.tokens = tokens
        self._ids = 0

    def measure(self, case: Case) -> dict[str, float]:
        """Two engines on the same file take turns."""
        extras = NO_EXTRAS if case.draft is None else Extras(draft=case.draft)
        with ExitStack() as opened:
            engines = []
            for count, more in ((0, NO_EXTRAS), (self.draft_tokens, extras)):
                worker = Worker(case.model, plan(count, case.count, self.threads), more)
                opened.enter_context(closing(worker))
                worker.start()
                engines.append(worker)
            ratios, cpu_ratios, speeds, drafted, accepted = [], [], [], 0, 0
            for number in range(self.rounds + 1):
                runs = [partial(self._run, engine, case, number) for engine in engines]
                order = (0, 1) if number % 2 else (1, 0)
                taken: dict[int, Seconds] = {}
                for which in order:
                    taken[which], stats = runs[which]()
                    if which:
                        drafted, accepted = drafted + stats[0], accepted + stats[1]
                if number:  # the first round warms up
                    ratios.append(taken[0].wall / taken[1].wall)
                    cpu_ratios.append(taken[0].cpu / taken[1].cpu)
                    speeds.append(case.count * self.tokens / taken[1].wall)
        return {
            "ratio": round(statistics.median(ratios), 3),
            "ratio_min": round(min(ratios), 3),
            "ratio_of_cpu_time": round(statistics.median(cpu_ratios), 3),
            "tokens_per_s": round(statistics.median(speeds), 1),
            "drafted": drafted,
            "accepted": accepted,
        }

    def _run(self, engine: Worker, case: Case, number: int) -> tuple[Seconds, tuple[int, int]]:
        """Seconds from the first text to the last, and what was guessed and held."""
        streams = []
        for one in range(case.count):
            self._ids += 1
            prompt = case.prompt(number * case.count + one)
            request = Request(
                str(self._ids), max_tokens=self.tokens, sampling=case.sampling, ignore_eos=True
            )
            streams.append(engine.submit(Prepared(request, list(prompt), "", ())))
        for stream in streams:
            while not isinstance(stream.get(), Text):
                pass
        watch = Stopwatch()
        drafted = accepted = 0
        for stream in streams:
            _, end = stream.collect()
            assert isinstance(end, Finished), end
            assert end.stats.completion_tokens == self.tokens
            drafted += end.stats.draft_tokens
            accepted += end.stats.accepted_tokens
        return watch.read(), (drafted, accepted)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--draft-tokens", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--only", nargs="*")
    given = parser.parse_args()
    floats, reciter, noise = reciting_model(FLOATS, floats=True), reciting_model(), big_model()
    small = reciting_model(SMALL, floats=True)
    few = tuple((token, 100.0) for token in range(2_000, 2_000 + _LURING_TOKENS))
    hot = Sampling(temperature=5.0, top_k=40, top_p=1.0, min_p=0.0, seed=9, logit_bias=few)
    cases = {
        "repeat": Case(floats, chorus, GREEDY),
        "edited": Case(floats, chorus, EDITING),
        "new": Case(floats, novel, GREEDY),
        "repeat_by_four": Case(floats, chorus, GREEDY, count=4),
        "draft": Case(floats, novel, GREEDY, draft=small),
        "repeat_q4": Case(reciter, chorus, GREEDY),
        "new_q4": Case(reciter, novel, GREEDY),
        "luring_q4": Case(noise, luring, hot),
    }
    bench = Bench(
        draft_tokens=given.draft_tokens,
        rounds=given.rounds,
        threads=given.threads,
        tokens=given.tokens,
    )
    found = {
        name: bench.measure(case)
        for name, case in cases.items()
        if not given.only or name in given.only
    }
    print(json.dumps({"draft_tokens": given.draft_tokens, "threads": given.threads, **found}))


if __name__ == "__main__":
    main()
