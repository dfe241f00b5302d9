"""The least that generation can cost: llama_decode and llama_sampler_sample, nothing else.

Same weights, plan, sampling chain and batch shape as the engine, but no text, events, threads or
prefix cache. What the engine reaches is compared with this, in the same process and minute.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from typing import Any

from desktop.engine.model import Context, Model
from desktop.engine.sampler import Sampler
from desktop.engine.sampling import Sampling
from desktop.engine.vocabulary import Vocabulary
from desktop.fit.types import Plan


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall time and this process's computing time: the latter hardly minds a busy machine."""

    wall: float
    cpu: float


class Stopwatch:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Seconds:
        return Seconds(time.perf_counter() - self._wall, time.process_time() - self._cpu)


class BareLoop:
    """A context of its own, on a model that is loaded already, for `plan.parallel` sequences.

    The weights must be the same memory: where the system puts them makes up to 5 % of the speed.
    """

    def __init__(self, model: Model, plan: Plan, sampling: Sampling) -> None:
        self._model = model
        self._context = Context(model, plan)
        self._vocabulary = Vocabulary(model)
        self._plan, self._sampling = plan, sampling

    def close(self) -> None:
        """Before the model is closed."""
        self._context.close()

    def tokenize(self, text: str) -> list[int]:
        return self._vocabulary.tokenize(text)

    def generate(self, prompt: list[int], tokens: int) -> Seconds:
        """From the first sampled token of all sequences to the last."""
        lib, context = self._model.llama.lib, self._context.handle
        count = self._plan.parallel
        lib.llama_memory_clear(self._context.memory, True)  # noqa: FBT003
        samplers = [
            Sampler(self._model.llama, self._sampling, self._vocabulary) for _ in range(count)
        ]
        handles = [sampler.handle for sampler in samplers]
        batch = lib.llama_batch_init(max(count, len(prompt)), 0, 1)
        latest: list[int] = []
        for sequence in range(count):
            for place, token in enumerate(prompt):
                _put(batch, place, token, place, sequence, place == len(prompt) - 1)
            batch.n_tokens = len(prompt)
            _checked(lib.llama_decode(context, batch))
            latest.append(lib.llama_sampler_sample(handles[sequence], context, len(prompt) - 1))
        for sequence in range(count):
            _put(batch, sequence, 0, 0, sequence, output=True)
        batch.n_tokens = count
        token_at, position_at = batch.token, batch.pos
        watch = Stopwatch()
        for step in range(tokens - 1):
            position = len(prompt) + step
            for sequence in range(count):
                token_at[sequence] = latest[sequence]
                position_at[sequence] = position
            _checked(lib.llama_decode(context, batch))
            for sequence in range(count):
                latest[sequence] = lib.llama_sampler_sample(handles[sequence], context, sequence)
        seconds = watch.read()
        lib.llama_batch_free(batch)
        for sampler in samplers:
            sampler.close()
        return seconds


def _put(batch: Any, place: int, token: int, position: int, sequence: int, output: bool) -> None:
    batch.token[place] = token
    batch.pos[place] = position
    batch.n_seq_id[place] = 1
    batch.seq_id[place][0] = ctypes.c_int32(sequence)
    batch.logits[place] = output


def _checked(code: int) -> None:
    if code != 0:
        raise RuntimeError(f"llama_decode: {code}")
