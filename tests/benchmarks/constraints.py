"""What a grammar costs: generation under a JSON schema against free generation, side by side.

`python tests/benchmarks/constraints.py [--tokens 96] [--rounds 7] [--sequences 1 4]` prints one
JSON line. The model is the random one with 128,000 words, for which nearly every token outside of
a string is refused: the worst case, since a real model mostly writes what it should. Free and
bound rounds alternate, and the median of the ratios of neighbours counts: the machine may be busy.
`per_token` are microseconds of this thread's own time: choosing a token, and the grammar's part.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.constraint import Constraint, Grammar
from desktop.engine.events import Finished
from desktop.engine.grammar.grammar import grammar_for
from desktop.engine.loaded import Loaded
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.sampler import Sampler
from desktop.engine.sampling import Sampling
from desktop.fit.types import Plan
from tests.benchmarks.big_model import big_model

PROMPT = "Tell me about this person."
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "mail": {"type": "string", "format": "email"},
        "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}, "minItems": 3},
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "zip": {"type": "string"}},
            "required": ["street", "zip"],
        },
    },
    "required": ["name", "age", "mail", "tags", "address"],
}
# Short strings: else a random model stays in the first one, where nearly all is allowed.
SHORT = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "word": {"type": "string", "maxLength": 12},
            "share": {"type": "number"},
            "kind": {"enum": ["one", "two", "three"]},
        },
        "required": ["id", "word", "share", "kind"],
    },
    "minItems": 50,
}
CONSTRAINTS = {
    "person": Constraint("json_schema", json.dumps(PERSON)),
    "short": Constraint("json_schema", json.dumps(SHORT)),
    "object": Constraint("json_object"),
}


_class: Any = Sampler


class Clocked:
    """Counts the time that samplers take to choose."""

    def __init__(self) -> None:
        self.seconds, self.tokens = 0.0, 0
        self._sample: Any = Sampler.sample

    def __enter__(self) -> Clocked:
        inner, clocked = self._sample, self

        def sample(sampler: Sampler, context: object, place: int) -> int:
            started_s = time.thread_time()
            token: int = inner(sampler, context, place)
            clocked.seconds += time.thread_time() - started_s
            clocked.tokens += 1
            return token

        _class.sample = sample
        return self

    def __exit__(self, *_: object) -> None:
        _class.sample = self._sample

    @property
    def us(self) -> float:
        return self.seconds / max(self.tokens, 1) * 1e6


def generate(
    loaded: Loaded, count: int, tokens: int, grammar: Grammar | None, logprobs: int | None = None
) -> tuple[float, float]:
    """Tokens a second of `count` sequences together, and microseconds to choose a token."""
    ids = loaded.vocabulary.tokenize(PROMPT)
    for number in range(count):
        request = Request(
            f"r{number}",
            PROMPT,
            tokens,
            sampling=Sampling(temperature=1.0, seed=number + 1),
            ignore_eos=True,
            logprobs=logprobs,
        )
        loaded.batcher.add(Prepared(request, list(ids), PROMPT, grammar=grammar))
    written = 0
    with Clocked() as clocked:
        started_s = time.perf_counter()
        while loaded.batcher.busy:
            for event in loaded.batcher.step():
                if isinstance(event, Finished):
                    written += event.stats.completion_tokens
        return written / (time.perf_counter() - started_s), clocked.us


def compare(
    loaded: Loaded, count: int, tokens: int, rounds: int, grammar: Grammar
) -> dict[str, float]:
    generate(loaded, count, tokens, grammar)  # what the grammar allows is found out once
    ratios, free_us, bound_us = [], [], []
    for _ in range(rounds):
        free, us = generate(loaded, count, tokens, None)
        free_us.append(us)
        bound, us = generate(loaded, count, tokens, grammar)
        bound_us.append(us)
        ratios.append(bound / free)
    return {
        "ratio": round(statistics.median(ratios), 3),
        "free_us": round(statistics.median(free_us)),
        "bound_us": round(statistics.median(bound_us)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sequences", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kinds", nargs="*", choices=CONSTRAINTS, default=list(CONSTRAINTS))
    chosen = parser.parse_args()
    plan = Plan(
        gpu_layers=0,
        context=4096,
        kv_type="f16",
        parallel=max(chosen.sequences),
        ubatch=128,
        flash_attention=True,
        expert_layers_on_cpu=0,
        threads=chosen.threads,
        use_mmap=True,
    )
    found: dict[str, object] = {}
    with closing(Loaded(big_model(), plan)) as loaded:
        started_s = time.process_time()
        loaded.vocabulary.table()
        found["table_s"] = round(time.process_time() - started_s, 3)
        for name in chosen.kinds:
            constraint = CONSTRAINTS[name]
            started_s = time.process_time()
            grammar = grammar_for(constraint)
            result: dict[str, object] = {"compile_s": round(time.process_time() - started_s, 4)}
            _, first = generate(loaded, 1, chosen.tokens, grammar)
            result["first_us"] = round(first)
            for count in chosen.sequences:
                result[str(count)] = compare(loaded, count, chosen.tokens, chosen.rounds, grammar)
            found[name] = result
        plain, _ = generate(loaded, 1, chosen.tokens, None)
        told, _ = generate(loaded, 1, chosen.tokens, None, logprobs=5)
        found["logprobs_ratio"] = round(told / plain, 3)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
