"""What models take that make vectors: llama.cpp keeps the logits of every token beside them."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from desktop.engine.embedding import EmbeddingRequest
from desktop.engine.loaded import Loaded
from desktop.engine.usage import memory_usage
from desktop.fit.planner import judge, plan
from desktop.fit.types import Plan, Wish
from desktop.fit.vectors import ROWS_A_STEP, makes_vectors, rows_read
from desktop.gguf.reader import read_header
from tests.engine.driving import plan_for
from tests.fit.machines import laptop
from tests.tiny_architectures import write_tiny_bert
from tests.tiny_models import write_tiny_model

WORDS = 6_000


def _bert(folder: Path) -> Path:
    return write_tiny_bert(folder / "bert.gguf", context=2048, vocab=WORDS)


def _last(folder: Path) -> Path:
    return write_tiny_model(
        folder / "last.gguf", vocab=WORDS, metadata={"llama.pooling_type": 3}, context=2048
    )


def _both_ways(folder: Path) -> Path:
    metadata = {"llama.attention.causal": False}
    return write_tiny_model(folder / "both.gguf", vocab=WORDS, metadata=metadata, context=2048)


@pytest.mark.parametrize("write", [_bert, _last, _both_ways])
@pytest.mark.parametrize("ubatch", [64, 512])
def test_the_plan_holds_what_the_model_takes(write: object, ubatch: int, tmp_path: Path) -> None:
    assert callable(write)
    path: Path = write(tmp_path)
    header = read_header(path)
    given = plan_for(context=2048, parallel=1, ubatch=ubatch, use_mmap=False)
    (row,) = judge(laptop(), header, given).memory
    loaded = Loaded(path, given)
    try:
        assert loaded.embedder is not None
        assert rows_read(header, given) == loaded.context.batch_tokens
        usage = memory_usage(loaded.model, loaded.context)
        assert usage is not None
        (held,) = usage
        assert row.output_bytes == held.output_bytes
        assert row.output_bytes == 4 * (WORDS + 64) * rows_read(header, given)
        assert row.context_bytes == held.context_bytes
        assert held.compute_bytes <= row.compute_bytes <= 1.35 * held.compute_bytes + (1 << 20)
    finally:
        loaded.close()


@pytest.mark.parametrize("pooling", [gguf.PoolingType.MEAN, gguf.PoolingType.RANK])
def test_a_planned_encoder_reads_texts_as_long_as_its_context(
    pooling: gguf.PoolingType, tmp_path: Path
) -> None:
    path = write_tiny_bert(tmp_path / "bert.gguf", context=2048, pooling=pooling)
    header = read_header(path)
    assert makes_vectors(header)
    chosen = plan(laptop(), header, Wish()).plan
    assert isinstance(chosen, Plan)
    loaded = Loaded(path, chosen)
    try:
        embedder = loaded.embedder
        assert embedder is not None
        assert embedder.text_tokens == 2048
        if not embedder.scores:
            text = (7,) * 2048
            assert embedder.embed(EmbeddingRequest((text,)), lambda step: step()).tokens == (2048,)
    finally:
        loaded.close()


def test_texts_that_may_be_read_in_parts_are_read_in_small_ones(tmp_path: Path) -> None:
    header = read_header(_last(tmp_path))
    assert rows_read(header, plan_for(ubatch=512, parallel=1)) == ROWS_A_STEP
    assert rows_read(header, plan_for(ubatch=32, parallel=1)) == 32
    assert rows_read(read_header(_both_ways(tmp_path)), plan_for(ubatch=512)) == 512


def test_a_model_that_writes_makes_no_vectors(tiny_model: Path) -> None:
    assert not makes_vectors(read_header(tiny_model))
