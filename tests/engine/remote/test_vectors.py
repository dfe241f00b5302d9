"""Vectors and rankings from servers."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.engine.chat import Chat, Message
from desktop.engine.embedding import EmbeddingRequest, RerankRequest
from tests.engine.model_server import (
    Answer,
    refuses,
    says,
    whole,
)
from tests.engine.remote_talk import (
    HELLO,
    Open,
    ask,
    failing,
)


def test_vectors(talk_to: Open) -> None:
    data = [{"index": 1, "embedding": [0, 2.0]}, {"index": 0, "embedding": "AACAPwAAAAA="}]
    engine, server = talk_to(whole({"data": data, "usage": {"prompt_tokens": 10}}))
    found = engine.embed(EmbeddingRequest(("abc", "abcdefg")))
    assert [list(one) for vectors in found.vectors for one in vectors] == [[1.0, 0.0], [0.0, 1.0]]
    assert found.tokens == (3, 7)
    raw_one = engine.embed(EmbeddingRequest(("abc", (1, 2)), normalize=False))
    assert list(raw_one.vectors[1][0]) == [0.0, 2.0]
    assert server.posted()[1].document["input"] == ["abc", [1, 2]]
    assert engine.embed(EmbeddingRequest(())).vectors == ()
    pooled = failing(lambda: engine.embed(EmbeddingRequest(("a",), pooling="mean")))
    assert pooled.kind == "not_offered"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"data": []},
        {"data": [{"embedding": []}]},
        {"data": [{"embedding": ["x"]}]},
        {"data": [{"embedding": [1e999]}]},
        {"data": [{"embedding": [1.0], "index": 5}]},
        {"data": [{"embedding": "???"}]},
        {"data": [{"embedding": "AAA="}]},
        {"data": [7]},
        [1],
    ],
)
def test_vectors_that_are_none(talk_to: Open, document: Any) -> None:
    engine, _ = talk_to(whole(document))
    assert failing(lambda: engine.embed(EmbeddingRequest(("a",)))).kind == "remote_nonsense"


def test_rankings(talk_to: Open) -> None:
    results = [
        {"index": 1, "relevance_score": 3.5},
        {"index": 0, "score": -2},
    ]
    engine, server = talk_to(whole({"results": results, "usage": {"total_tokens": 8}}))
    found = engine.rerank(RerankRequest("q", ("one", "two")))
    assert found.scores == (-2.0, 3.5)
    assert sum(found.tokens) == 8
    assert server.posted()[0].path == "/v1/rerank"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuses(404, {"detail": "Not Found"}), "not_offered"),
        (whole({"results": []}), "remote_nonsense"),
        (whole({"results": [{"index": 9, "score": 1}]}), "remote_nonsense"),
        (whole({"results": [{"index": 0, "score": "high"}]}), "remote_nonsense"),
    ],
)
def test_rankings_that_are_none(talk_to: Open, answer: Answer, kind: str) -> None:
    engine, _ = talk_to(answer)
    assert failing(lambda: engine.rerank(RerankRequest("q", ("one",)))).kind == kind


def test_what_a_server_keeps_to_itself(talk_to: Open) -> None:
    engine, _ = talk_to(says("Hi", usage={"prompt_tokens": 100, "completion_tokens": 1}))
    assert failing(lambda: engine.render(HELLO)).kind == "not_offered"
    assert failing(lambda: engine.tokenize("x")).kind == "not_offered"
    assert engine.memory_usage() is None
    assert engine.sequences() == ()
    before = engine.count_tokens("x" * 1000)
    ask(engine, Chat((Message("user", "x" * 1000),)))
    assert 90 < engine.count_tokens("x" * 1000) < 110 < before  # learned from what it counted
