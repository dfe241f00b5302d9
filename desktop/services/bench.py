"""Measure an open model's speed through the engine that the window uses.

Comparable with llama-bench: `pp` reads a prompt of so many tokens into an empty context, `tg`
writes so many after a start of one or two; each figure is the median of its repeats.
"""

from __future__ import annotations

import random
import statistics
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from desktop.common.errors import CancelledError, EngineError, RequestError
from desktop.engine.cancel import CancelToken
from desktop.engine.engine import Engine
from desktop.engine.events import Failed, Finished, Stats
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream

_GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Medians in tokens per second; None where that part was not asked for.

    `tokens_per_s` is one conversation's, `aggregate_tokens_per_s` all parallel ones' together.
    """

    prompt_tokens: int
    gen_tokens: int
    parallel: int
    repeat: int
    prompt_tokens_per_s: float | None
    tokens_per_s: float | None
    aggregate_tokens_per_s: float | None
    first_token_s: float | None
    prompt_samples: tuple[float, ...] = ()
    gen_samples: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchProgress:
    done: int
    total: int


def bench(
    engine: Engine,
    prompt: int = 512,
    gen: int = 128,
    parallel: int = 1,
    repeat: int = 5,
    *,
    on_progress: Callable[[BenchProgress], None] | None = None,
    cancel: CancelToken | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> BenchResult:
    """Run both tests `repeat` times after one warm-up each.

    A server may end its answers when it likes; what it does not count has no speed (None).
    Raises RequestError("bench_too_long") if the context cannot hold it, EngineError if the engine
    fails, CancelledError.
    """
    context = engine.info.context_tokens
    if 0 < context < max(prompt + 1, gen + 2):  # 0: a server that does not tell
        raise RequestError("bench_too_long", tokens=max(prompt + 1, gen + 2), context=context)
    runner = _Runner(engine, cancel or CancelToken(), clock)
    total = (repeat + 1) * ((prompt > 0) + (gen > 0))
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(BenchProgress(done, total))

    reads: list[Stats] = []
    writes: list[_Written] = []
    for turn in range(repeat + 1):
        if prompt > 0:
            reads.append(runner.read(prompt, seed=turn))
            tick()
        if gen > 0:
            writes.append(runner.write(gen, parallel, seed=turn))
            tick()
    speeds = tuple(stats.prompt_tokens_per_s for stats in reads[1:])
    singles = tuple(written.tokens_per_s for written in writes[1:])
    return BenchResult(
        prompt_tokens=prompt,
        gen_tokens=gen,
        parallel=parallel,
        repeat=repeat,
        prompt_tokens_per_s=_median([speed for speed in speeds if speed > 0]),
        tokens_per_s=_median([speed for speed in singles if speed > 0]),
        aggregate_tokens_per_s=_median([w.aggregate_tokens_per_s for w in writes[1:]]),
        first_token_s=_median([stats.first_token_s for stats in reads[1:]]),
        prompt_samples=speeds,
        gen_samples=singles,
    )


@dataclass(frozen=True, slots=True)
class _Written:
    tokens_per_s: float
    aggregate_tokens_per_s: float


class _Runner:
    def __init__(self, engine: Engine, cancel: CancelToken, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._cancel = cancel
        self._clock = clock
        self._added_tokens = 0

    def read(self, tokens: int, seed: int) -> Stats:
        """Another text each time, so that nothing of it is known to the engine already.

        What the tokenizer adds by itself (a start token) is learned in the warm-up and made room
        for: one token more than a batch would cost a whole step.
        """
        wanted = max(1, tokens - self._added_tokens)
        stats = self._finish(self._submit(text_of(self._engine, wanted, seed), 1))
        self._added_tokens = max(0, self._added_tokens + stats.prompt_tokens - tokens)
        return stats

    def write(self, tokens: int, parallel: int, seed: int) -> _Written:
        texts = [text_of(self._engine, 1, seed * parallel + n) for n in range(parallel)]
        started = self._clock()
        streams = [self._submit(text, tokens) for text in texts]
        stats = [self._finish(stream) for stream in streams]
        wall_s = self._clock() - started
        written = sum(s.completion_tokens for s in stats)
        single = statistics.median(s.tokens_per_s for s in stats)
        if parallel == 1:
            return _Written(single, single)
        return _Written(single, written / wall_s if wall_s > 0 else 0.0)

    def _submit(self, text: str, max_tokens: int) -> Stream:
        self._cancel.raise_if_cancelled()
        return self._engine.submit(
            Request(
                uuid.uuid4().hex,
                text,
                max_tokens,
                sampling=_GREEDY,
                ignore_eos=self._engine.info.kind != "remote",  # few servers offer it
                draft="off",  # made-up text that repeats itself would look fast
            )
        )

    def _finish(self, stream: Stream) -> Stats:
        while True:
            event = stream.get(0.1)
            if isinstance(event, Finished):
                if event.reason == "cancelled":
                    raise CancelledError
                return event.stats
            if isinstance(event, Failed):
                raise EngineError(event.kind, detail=event.detail, **event.params)
            if self._cancel.cancelled:
                stream.cancel()


# An ordinary word is at least one token; a vocabulary that knows nothing of it gives none.
MOST_WORDS_A_TOKEN = 8


def text_of(engine: Engine, tokens: int, seed: int) -> str:
    """Made-up text of `tokens` tokens as this model's tokenizer counts (at most one less).

    Raises EngineError("no_tokens") for a vocabulary that leaves ordinary words out.
    """
    random_words = random.Random(seed)
    words: list[str] = []
    while engine.count_tokens(" ".join(words)) < tokens:
        if len(words) > MOST_WORDS_A_TOKEN * tokens:
            raise EngineError("no_tokens")
        words.extend(_word(random_words) for _ in range(max(1, tokens // 8)))
    low, high = 1, len(" ".join(words))
    text = " ".join(words)
    while low < high:  # the longest start of the text that is not too long
        middle = (low + high + 1) // 2
        if engine.count_tokens(text[:middle]) <= tokens:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def _word(source: random.Random) -> str:
    return "".join(source.choice("abcdefghijklmnoprstuvwz") for _ in range(source.randint(2, 8)))


def _median(values: list[float] | tuple[float, ...]) -> float | None:
    return statistics.median(values) if values else None
