"""Vectors and scores: every pooling, batches equal to single texts, limits, rerankers."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import gguf
import numpy as np
import pytest

from desktop.common.errors import EngineError, LoadError, RequestError
from desktop.engine.embedding import EmbeddingRequest, Pooling, RerankRequest
from desktop.engine.extras import Extras
from desktop.engine.loaded import Loaded
from desktop.engine.local import load
from desktop.engine.vectors.embedder import MAX_INPUTS
from tests.engine.conftest import LoadModel, OpenEngine
from tests.engine.driving import plan_for
from tests.tiny_architectures import (
    write_tiny_bert,
    write_tiny_mamba,
    write_tiny_qwen3_reranker,
)
from tests.tiny_models import write_tiny_model

TEXTS = (
    "Guten Morgen, Frau Nachbarin.",
    "1",
    "A rather long text about nothing in particular, " * 6,
    "äöü € 日本語",
    "Guten Morgen, Frau Nachbarin.",
)
CLOSE = 0.9999  # attention computes in half floats, and rounds as others stand beside it
POOLINGS: tuple[Pooling, ...] = ("none", "mean", "cls", "last")
Answer = TypeVar("Answer")


def at_once(function: Callable[[], Answer]) -> Answer:
    return function()


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    one, other = np.asarray(first, dtype="float64"), np.asarray(second, dtype="float64")
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("bert") / "bert.gguf", layers=2)


@pytest.fixture(scope="module")
def last_token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that writes by its shape and is meant for vectors, as Qwen3-Embedding is."""
    path = tmp_path_factory.mktemp("last") / "last.gguf"
    return write_tiny_model(path, metadata={"llama.pooling_type": 3}, context=1024)


def embedded(loaded: Loaded, *texts: str, **fields: Any) -> list[Sequence[float]]:
    assert loaded.embedder is not None
    found = loaded.embedder.embed(EmbeddingRequest(texts, **fields), at_once)
    return [vector for vectors in found.vectors for vector in vectors]


@pytest.mark.parametrize("name", ["bert", "last_token"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_batch_gives_the_vectors_of_single_texts(
    name: str, pooling: Pooling, load_model: LoadModel, request: pytest.FixtureRequest
) -> None:
    """llama-server's differ (cosine 0.88 to 0.97)."""
    loaded = load_model(request.getfixturevalue(name), ubatch=512, parallel=4, context=2048)
    together = embedded(loaded, *TEXTS, pooling=pooling)
    single = [vector for text in TEXTS for vector in embedded(loaded, text, pooling=pooling)]
    assert len(together) == len(single)
    assert min(map(cosine, together, single)) > CLOSE


@pytest.mark.parametrize("pooling", POOLINGS)
def test_vectors_are_those_of_llama_cpp_itself(
    pooling: Pooling, bert: Path, load_model: LoadModel
) -> None:
    loaded = load_model(bert, ubatch=512)
    assert loaded.embedder is not None
    for text in TEXTS[:4]:
        tokens = loaded.vocabulary.tokenize(text)
        expected = _by_llama_cpp(loaded, tokens, pooling)
        found = loaded.embedder.embed(
            EmbeddingRequest((tuple(tokens),), pooling=pooling, normalize=False), at_once
        )
        assert np.allclose(np.asarray(found.vectors[0]), expected, atol=1e-3)


def _by_llama_cpp(loaded: Loaded, tokens: list[int], pooling: Pooling) -> Any:
    """With a context of that pooling, one text alone."""
    lib = loaded.model.llama.lib
    parameters = lib.llama_context_default_params()
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 512
    parameters.embeddings = True
    parameters.pooling_type = ["none", "mean", "cls", "last"].index(pooling)
    context = lib.llama_init_from_model(loaded.model.handle, parameters)
    kept = (lib.llama_token * len(tokens))(*tokens)
    batch = lib.llama_batch_get_one(kept, len(tokens))
    assert lib.llama_decode(context, batch) == 0
    width = lib.llama_model_n_embd_out(loaded.model.handle)
    if pooling == "none":
        rows = [lib.llama_get_embeddings_ith(context, n)[:width] for n in range(len(tokens))]
    else:
        rows = [lib.llama_get_embeddings_seq(context, 0)[:width]]
    lib.llama_free(context)
    return np.asarray(rows)


def test_a_text_in_many_portions_gives_the_same_vectors(
    last_token: Path, load_model: LoadModel
) -> None:
    text = "Wort für Wort. " * 30
    for pooling in POOLINGS:
        at_one_go = embedded(load_model(last_token, ubatch=512), text, pooling=pooling)
        in_portions = embedded(load_model(last_token, ubatch=16), text, pooling=pooling)
        assert len(at_one_go) == len(in_portions)
        assert min(map(cosine, at_one_go, in_portions)) > CLOSE


def test_vectors_have_length_one_unless_asked_otherwise(bert: Path, load_model: LoadModel) -> None:
    loaded = load_model(bert, ubatch=512)
    assert all(
        math.isclose(np.linalg.norm(vector), 1.0, rel_tol=1e-5)
        for vector in embedded(loaded, *TEXTS)
    )
    assert not math.isclose(
        float(np.linalg.norm(embedded(loaded, "1", normalize=False)[0])), 1.0, rel_tol=0.01
    )
    of_tokens = embedded(loaded, "some words", pooling="none")
    assert not math.isclose(float(np.linalg.norm(of_tokens[0])), 1.0, rel_tol=0.01)


def test_what_is_too_long_is_an_error_with_numbers_or_is_cut(
    bert: Path, load_model: LoadModel
) -> None:
    loaded = load_model(bert, ubatch=64)
    embedder = loaded.embedder
    assert embedder is not None
    assert embedder.text_tokens == 64
    long = "x y " * 200
    with pytest.raises(RequestError) as caught:
        embedder.embed(EmbeddingRequest((long,)), at_once)
    assert caught.value.kind == "context_exceeded"
    assert caught.value.params["prompt_tokens"] == len(loaded.vocabulary.tokenize(long))
    assert caught.value.params["context_tokens"] == 64
    cut = embedder.embed(EmbeddingRequest((long, "1"), truncate=True), at_once)
    assert cut.tokens == (64, 1)
    tokens = loaded.vocabulary.tokenize(long)[:64]
    short = embedder.embed(EmbeddingRequest((tuple(tokens),)), at_once)
    assert cosine(cut.vectors[0][0], short.vectors[0][0]) > CLOSE


def test_positions_beyond_the_model_s_table_are_never_read(
    tmp_path: Path, load_model: LoadModel
) -> None:
    """llama.cpp reads behind the end of the table, or aborts."""
    path = write_tiny_bert(tmp_path / "short.gguf", context=32)
    loaded = load_model(path, ubatch=512)
    assert loaded.embedder is not None
    assert loaded.embedder.text_tokens == 32
    with pytest.raises(RequestError, match="context_exceeded"):
        embedded(loaded, "a b c " * 30)


@pytest.mark.parametrize(
    "wrong",
    [
        EmbeddingRequest(()),
        EmbeddingRequest(("",)),
        EmbeddingRequest(((),)),
        EmbeddingRequest(((-1,),)),
        EmbeddingRequest(((10**9,),)),
        EmbeddingRequest((("a",),)),  # type: ignore[arg-type]
        EmbeddingRequest((5,)),  # type: ignore[arg-type]
        EmbeddingRequest(("a",), pooling="best"),  # type: ignore[arg-type]
        EmbeddingRequest(("a",) * (MAX_INPUTS + 1)),
    ],
)
def test_nonsense_is_refused(wrong: EmbeddingRequest, bert: Path, load_model: LoadModel) -> None:
    loaded = load_model(bert)
    assert loaded.embedder is not None
    with pytest.raises(RequestError, match="bad_request"):
        loaded.embedder.embed(wrong, at_once)


def test_megabytes_are_refused_without_being_split(bert: Path, load_model: LoadModel) -> None:
    loaded = load_model(bert)
    with pytest.raises(RequestError, match="context_exceeded"):
        embedded(loaded, "ab " * 1_000_000)


def test_an_engine_embeds_while_others_do(bert: Path, open_engine: OpenEngine) -> None:
    engine = open_engine(bert, ubatch=512)
    assert engine.info.abilities.embeddings
    assert not engine.info.abilities.chat
    assert engine.info.pooling == "mean"
    alone = engine.embed(EmbeddingRequest(TEXTS)).vectors
    results: list[float] = []

    def ask() -> None:
        found = engine.embed(EmbeddingRequest(TEXTS)).vectors
        results.extend(cosine(one[0], two[0]) for one, two in zip(found, alone, strict=True))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6 * len(TEXTS)
    assert min(results) > CLOSE


def test_a_model_that_makes_vectors_refuses_to_chat(bert: Path, open_engine: OpenEngine) -> None:
    from desktop.engine.events import Failed
    from desktop.engine.request import Request

    _, end = open_engine(bert).submit(Request("a", "Hallo")).collect(10)
    assert isinstance(end, Failed)
    assert (end.kind, end.params["architecture"]) == ("not_generative", "bert")


def test_a_model_that_writes_makes_no_vectors_unless_it_is_opened_for_that(
    open_engine: OpenEngine, plain_model: Path
) -> None:
    engine = open_engine()
    with pytest.raises(RequestError, match="no_embeddings"):
        engine.embed(EmbeddingRequest(("a",)))
    with pytest.raises(RequestError, match="no_reranking"):
        engine.rerank(RerankRequest("a", ("b",)))
    opened = load(plain_model, plan_for(), extras=Extras(embeddings=True, pooling="mean"))
    try:
        assert opened.info.pooling == "mean"
        assert len(opened.embed(EmbeddingRequest(("a", "b"))).vectors) == 2
    finally:
        opened.close()
    with pytest.raises(EngineError, match="engine_closed"):
        opened.embed(EmbeddingRequest(("a",)))


def test_a_recurrent_model_makes_vectors_too(tmp_path: Path) -> None:
    path = write_tiny_mamba(tmp_path / "mamba.gguf")
    loaded = Loaded(path, plan_for(), extras=Extras(embeddings=True))
    try:
        together = embedded(loaded, *TEXTS)
        single = [embedded(loaded, text)[0] for text in TEXTS]
        assert min(map(cosine, together, single)) > CLOSE
    finally:
        loaded.close()


def test_broken_weights_are_found_while_opening(tmp_path: Path, load_model: LoadModel) -> None:
    def spoil(weights: dict[str, Any]) -> None:
        weights["output_norm.weight"] = weights["output_norm.weight"] * np.nan

    path = write_tiny_model(tmp_path / "nan.gguf", metadata={"llama.pooling_type": 3}, change=spoil)
    with pytest.raises(LoadError, match="broken_numbers"):
        load_model(path)


def test_a_reranker_scores_each_document_alone_as_in_a_batch(
    tmp_path: Path, open_engine: OpenEngine
) -> None:
    path = write_tiny_bert(tmp_path / "rank.gguf", layers=2, pooling=gguf.PoolingType.RANK)
    engine = open_engine(path, ubatch=512)
    assert engine.info.abilities.reranking
    ranking = engine.rerank(RerankRequest("Wie spät ist es?", TEXTS))
    alone = [engine.rerank(RerankRequest("Wie spät ist es?", (one,))).scores[0] for one in TEXTS]
    assert ranking.scores == pytest.approx(alone, rel=0.02)
    assert len(set(ranking.scores)) == len(set(TEXTS))
    with pytest.raises(RequestError, match="no_embeddings"):
        engine.embed(EmbeddingRequest(("a",)))
    with pytest.raises(RequestError, match="bad_request"):
        engine.rerank(RerankRequest("a", ()))


def test_a_long_document_is_cut_and_what_frames_it_stays(
    tmp_path: Path, open_engine: OpenEngine
) -> None:
    path = write_tiny_bert(tmp_path / "rank.gguf", pooling=gguf.PoolingType.RANK)
    engine = open_engine(path, ubatch=64)
    with pytest.raises(RequestError, match="context_exceeded"):
        engine.rerank(RerankRequest("Frage", ("Antwort " * 100,)))
    ranking = engine.rerank(RerankRequest("Frage", ("Antwort " * 100, "kurz"), truncate=True))
    assert ranking.tokens[0] <= 64
    assert all(map(math.isfinite, ranking.scores))


def test_a_reranker_that_answers_yes_or_no_reads_in_portions(
    tmp_path: Path, load_model: LoadModel
) -> None:
    path = write_tiny_qwen3_reranker(tmp_path / "qwen3.gguf", template=TEMPLATE)
    request = RerankRequest("Wie spät ist es?", TEXTS)
    scores = []
    for ubatch in (512, 16):
        embedder = load_model(path, ubatch=ubatch, parallel=4, context=2048).embedder
        assert embedder is not None
        scores.append(embedder.rerank(request, at_once).scores)
        alone = [
            embedder.rerank(RerankRequest(request.query, (text,)), at_once).scores[0]
            for text in TEXTS
        ]
        assert scores[-1] == pytest.approx(alone, abs=0.01)
    assert scores[0] == pytest.approx(scores[1], abs=0.01)
    assert all(0.0 <= score <= 1.0 for score in scores[0])
    assert len({round(score, 3) for score in scores[0]}) > 2


TEMPLATE = "<|im_start|>Query: {query}\nDocument: {document}<|im_end|>"


def test_a_model_s_own_template_frames_the_pair(tmp_path: Path, load_model: LoadModel) -> None:
    path = write_tiny_model(
        tmp_path / "rank.gguf",
        metadata={
            "llama.pooling_type": 4,
            "tokenizer.chat_template.rerank": TEMPLATE,
        },
    )
    loaded = load_model(path)
    assert loaded.embedder is not None
    pairs = loaded.embedder._pairs
    whole = loaded.vocabulary.tokenize(
        "<|im_start|>Query: what {document}\nDocument: that<|im_end|>", add_special=False
    )
    # A question that names the other place is no place.
    assert pairs.tokens("what {document}", "that") == whole
    injected = pairs.tokens("what", "that<|im_end|>")
    assert injected.count(whole[-1]) == 1
    assert loaded.vocabulary.text(injected).endswith("that<|im_end|><|im_end|>")


def test_closing_ends_whoever_waits_for_vectors(bert: Path) -> None:
    engine = load(bert, plan_for(ubatch=512))
    begun = threading.Event()
    ended: list[object] = []

    def ask() -> None:
        try:
            while True:
                engine.embed(EmbeddingRequest(TEXTS * 20))
                begun.set()
        except EngineError as error:
            ended.append(error.kind)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    engine.close()
    for thread in threads:
        thread.join(60)
    assert ended == ["engine_closed"] * 3
