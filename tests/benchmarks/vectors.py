"""How fast texts become vectors, and how alike a batch's are to single ones'.

    python tests/benchmarks/vectors.py MODEL.gguf [POOLING]

Prints a JSON line: tokens a second of short and of long texts, in batches and one by one, and of a
bare llama_decode of as many tokens a step; the smallest cosine between the two ways.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.batch import Batch
from desktop.engine.embedding import EmbeddingRequest, Pooling
from desktop.engine.extras import Extras
from desktop.engine.loaded import Loaded
from desktop.fit.types import Plan

SHORT, LONG, TEXTS = 24, 400, 16
Answer = TypeVar("Answer")


def main(path: Path, pooling: Pooling) -> None:
    plan = Plan(
        gpu_layers=0,
        context=4096,
        kv_type="f16",
        parallel=TEXTS,
        flash_attention=True,
        expert_layers_on_cpu=0,
        ubatch=512,
        threads=2,
        use_mmap=True,
    )
    extras = Extras(embeddings=True, pooling=pooling)
    with closing(Loaded(path, plan, extras=extras)) as loaded:
        chance = random.Random(1)
        size = loaded.vocabulary.size
        figures: dict[str, float] = {}
        for name, length in (("short", SHORT), ("long", LONG)):
            texts = [tuple(chance.randrange(size) for _ in range(length)) for _ in range(TEXTS)]
            together, batched_s = _timed(partial(_vectors, loaded, texts))
            single, single_s = _timed(partial(_one_by_one, loaded, texts))
            figures[f"{name}_batched_tokens_per_s"] = round(TEXTS * length / batched_s, 1)
            figures[f"{name}_single_tokens_per_s"] = round(TEXTS * length / single_s, 1)
            figures[f"{name}_least_cosine"] = min(
                _cosine(one, other) for one, other in zip(together, single, strict=True)
            )
        figures["bare_tokens_per_s"] = round(_bare(loaded, TEXTS * LONG), 1)
    print(json.dumps({"model": path.name, "pooling": pooling, **figures}))


def _vectors(loaded: Loaded, texts: Sequence[tuple[int, ...]]) -> list[Any]:
    assert loaded.embedder is not None
    found = loaded.embedder.embed(EmbeddingRequest(tuple(texts)), _at_once)
    return [np.asarray(vectors[0], dtype="float64") for vectors in found.vectors]


def _one_by_one(loaded: Loaded, texts: Sequence[tuple[int, ...]]) -> list[Any]:
    return [_vectors(loaded, [text])[0] for text in texts]


def _bare(loaded: Loaded, tokens: int) -> float:
    """Steps of as many tokens, straight through llama.cpp."""
    lib, context = loaded.model.llama.lib, loaded.context
    batch = Batch(lib, context.batch_tokens)
    started, done = time.perf_counter(), 0
    while done < tokens:
        batch.clear()
        count = min(batch.capacity, tokens - done, LONG)
        batch.add_each([5] * count, 0, 0)
        if context.memory:
            lib.llama_memory_clear(context.memory, 0)
        assert lib.llama_decode(context.handle, batch.seal()) == 0
        lib.llama_synchronize(context.handle)
        done += count
    return tokens / (time.perf_counter() - started)


def _timed(function: Callable[[], Answer]) -> tuple[Answer, float]:
    started = time.perf_counter()
    result = function()
    return result, time.perf_counter() - started


def _at_once(function: Callable[[], Answer]) -> Answer:
    return function()


def _cosine(one: Any, other: Any) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


if __name__ == "__main__":
    wanted: Pooling = "last"
    if len(sys.argv) > 2:
        assert sys.argv[2] in get_args(Pooling)
        wanted = sys.argv[2]  # type: ignore[assignment]
    main(Path(sys.argv[1]), wanted)
