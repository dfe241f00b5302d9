"""The child's job behind `run_trial`: load, measure, tell each figure as soon as it is known."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktop.common.errors import HausgeistError, LoadError
from desktop.engine import rpc
from desktop.engine.batch import Batch
from desktop.engine.last_words import is_out_of_memory
from desktop.engine.llama import llama
from desktop.engine.loaded import Loaded
from desktop.engine.model import Context
from desktop.engine.others_load import OthersLoad
from desktop.engine.peak import peak_bytes
from desktop.engine.usage import device_free_bytes, memory_usage
from desktop.fit.types import Plan

Answer = Callable[[dict[str, Any]], None]

_TELL_EVERY = 0.02
_WARM_TOKENS = 16
_ROUNDS = 3
_LEAST_PROMPT = 32
_FEWEST = 2


def run(messages: Iterator[dict[str, Any]], answer: Answer) -> None:
    order = next(messages)
    try:
        _Job(order, answer).run()
    except HausgeistError as error:
        kind = "out_of_memory" if is_out_of_memory(error.detail) else "refused"
        answer(
            {
                "event": "refused",
                "kind": kind,
                "detail": error.detail or str(error),
                "error_kind": error.kind,
                "error_params": dict(error.params),
            }
        )
        return
    answer({"event": "done"})


class _Job:
    def __init__(self, order: dict[str, Any], answer: Answer) -> None:
        self._order = order
        self._answer = answer
        self._plans = [Plan.from_json(plan) for plan in order["plans"]]
        self._told = -1.0

    def run(self) -> None:
        engine = llama()
        rpc.connect(engine, self._order["servers"])
        free_before = device_free_bytes(engine)
        started = time.perf_counter()
        loaded = Loaded(Path(self._order["path"]), self._plans[0], on_progress=self._loading)
        self._answer({"event": "loaded", "load_s": time.perf_counter() - started})
        context = loaded.context
        load = OthersLoad()
        for number, group in enumerate(_by_context(self._plans)):
            if number > 0:
                context.close()
                try:
                    context = loaded.model.open_context(group[0])
                except LoadError:
                    continue  # a context that cannot be had is one possibility less
            for measured in self._measure(context, loaded.vocabulary.size, group):
                self._answer(measured)
            if number == 0:
                usage = memory_usage(loaded.model, context)
                self._answer(
                    {
                        "event": "held",
                        "usage": None if usage is None else [row.to_json() for row in usage],
                        "peak_bytes": peak_bytes(),
                        "free_before": free_before,
                        "free_loaded": device_free_bytes(engine),
                        "others_load": load.share(),
                    }
                )

    def _loading(self, fraction: float) -> None:
        if fraction >= self._told + _TELL_EVERY:
            self._told = fraction
            self._answer({"event": "loading", "fraction": fraction})

    def _measure(
        self, context: Context, vocabulary: int, plans: Sequence[Plan]
    ) -> Iterator[dict[str, Any]]:
        """Plans that share a context and differ in threads: turn about, so that all meet the same
        disturbances."""
        bench = Bench(context, vocabulary)
        seconds = self._order["measure_s"]
        prompts = {
            threads: bench.read(threads, self._order["prompt_tokens"], seconds)
            for threads in dict.fromkeys(_prompt_threads(plan) for plan in plans)
        }
        counts = tuple(dict.fromkeys(plan.threads for plan in plans))
        written = bench.write(counts, self._order["gen_tokens"], seconds)
        for plan in plans:
            yield {
                "event": "measured",
                "plan": plan.to_json(),
                "tokens_per_s": written[plan.threads],
                "prompt_tokens_per_s": prompts[_prompt_threads(plan)],
            }


class Bench:
    """Reads and writes made-up tokens in one sequence of a context, against the clock.

    Of several rounds the fastest counts: what else runs can only make one slower.
    """

    def __init__(
        self, context: Context, vocabulary: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._context = context
        self._vocabulary = vocabulary
        self._clock = clock
        self._position = 0
        self._tokens = context.sequence_tokens
        # Always other tokens: a mixture of experts must not stay with the same few of them.
        self._random = random.Random(0)
        self._batch = Batch(context.llama.lib, context.batch_tokens)

    def read(self, threads: int, most: int, seconds: float) -> float:
        """Prompt tokens per second, from at most `most` tokens and about `seconds`."""
        self._use(threads)
        room = self._tokens // 2
        portion = max(1, min(self._context.batch_tokens, most, room))
        self._clear()
        warm = min(portion, _WARM_TOKENS)
        self._decode(warm)  # kernels are compiled and memory is touched at the first step
        took_s = self._decode(warm)
        while portion > _LEAST_PROMPT and took_s * portion / warm > 4 * seconds:
            portion //= 2
        rates: list[float] = []
        spent_s = 0.0
        while not rates or (spent_s < seconds and len(rates) < _ROUNDS):
            if self._position + portion > 2 * room:
                self._clear()
            took_s = self._decode(portion)
            spent_s += took_s
            rates.append(portion / took_s)
        return max(rates)

    def write(self, threads: Sequence[int], most: int, seconds: float) -> dict[int, float]:
        """Tokens per second one by one, by count of threads."""
        rates: dict[int, list[float]] = {count: [] for count in threads}
        self._use(threads[0])
        self._one(_FEWEST)
        token_s = self._one(_FEWEST) / _FEWEST
        each = int(seconds / (_ROUNDS * token_s)) if token_s > 0 else most
        each = max(_FEWEST, min(most, each))
        for _ in range(_ROUNDS):
            for count in threads:
                self._use(count)
                rates[count].append(each / self._one(each))
        return {count: max(found) for count, found in rates.items()}

    def _one(self, tokens: int) -> float:
        return sum(self._decode(1) for _ in range(tokens))

    def _decode(self, tokens: int) -> float:
        """Seconds for `tokens` more in one step. Raises LoadError("first_step_failed")."""
        if self._position + tokens > self._tokens:
            self._clear()
        lib = self._context.llama.lib
        self._batch.clear()
        chosen = [self._random.randrange(self._vocabulary) for _ in range(tokens)]
        self._batch.add(chosen, self._position, 0, output=True)
        mark = self._context.llama.log.mark()
        started = self._clock()
        code = lib.llama_decode(self._context.handle, self._batch.seal())
        lib.llama_synchronize(self._context.handle)
        took_s = self._clock() - started
        if code != 0:
            detail = self._context.llama.log.complaints(mark)
            raise LoadError("first_step_failed", code=code, detail=detail)
        self._position += tokens
        return max(took_s, 1e-9)

    def _use(self, threads: int) -> None:
        count = threads or os.cpu_count() or 1
        self._context.llama.lib.llama_set_n_threads(self._context.handle, count, count)

    def _clear(self) -> None:
        self._context.llama.lib.llama_memory_seq_rm(self._context.memory, 0, -1, -1)
        self._position = 0


def _prompt_threads(plan: Plan) -> int:
    return plan.threads_batch or plan.threads


def _by_context(plans: Sequence[Plan]) -> list[list[Plan]]:
    """Plans in groups that differ in their threads alone; the first plan's group first."""
    groups: dict[Plan, list[Plan]] = {}
    for plan in plans:
        groups.setdefault(replace(plan, threads=0, threads_batch=0), []).append(plan)
    return list(groups.values())
