"""Vectors and rankings from a model server."""

from __future__ import annotations

import base64
import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from desktop.common.errors import EngineError, RemoteError
from desktop.engine.embedding import EmbeddingRequest, Embeddings, Ranking, RerankRequest, Vector
from desktop.engine.remote.link import RemoteLink

_RERANK_PATHS = ("/rerank", "/reranking")
_MOST_DIMENSIONS = 1 << 17


def embed(link: RemoteLink, model: str, request: EmbeddingRequest) -> Embeddings:
    """The vectors of each input, pooled as the server does it: one, or one a token.

    A server tells only how many tokens all inputs had: they are shared out by length. Raises
    RequestError, RemoteError, NetworkError, EngineError("not_offered") for another pooling.
    """
    if request.pooling is not None:
        raise EngineError("not_offered", what=f"pooling {request.pooling}")
    if not request.inputs:
        return Embeddings((), ())
    inputs = [one if isinstance(one, str) else list(one) for one in request.inputs]
    document: dict[str, Any] = {"model": model, "input": inputs, "encoding_format": "float"}
    if request.truncate:
        document["truncate"] = True
    found = link.ask("/embeddings", document, timeout_s=link.patience.first_token_s)
    data = found.get("data") if isinstance(found, Mapping) else None
    if not isinstance(data, list) or len(data) != len(inputs):
        raise _nonsense(link, "not one vector for each input")
    vectors: list[tuple[Vector, ...]] = [()] * len(inputs)
    for place, entry in enumerate(data):
        if not isinstance(entry, Mapping):
            raise _nonsense(link, "no vector")
        index = entry.get("index", place)
        if not isinstance(index, int) or not 0 <= index < len(inputs) or vectors[index]:
            raise _nonsense(link, "an index of no input")
        vectors[index] = _vectors(link, entry.get("embedding"), normalize=request.normalize)
    tokens = _shared_out(_tokens(found), [len(one) for one in inputs])
    return Embeddings(tuple(vectors), tokens)


def rerank(link: RemoteLink, model: str, request: RerankRequest) -> Ranking:
    """The server's scores as they are. Raises as `embed`; remote_not_there where it cannot."""
    if not request.documents:
        return Ranking((), ())
    document = {
        "model": model,
        "query": request.query,
        "documents": list(request.documents),
        "top_n": len(request.documents),
    }
    found = _ranked(link, document)
    results = found.get("results", found.get("data")) if isinstance(found, Mapping) else found
    scores: list[float | None] = [None] * len(request.documents)
    for entry in results if isinstance(results, list) else ():
        if not isinstance(entry, Mapping):
            raise _nonsense(link, "no score")
        index, score = entry.get("index"), entry.get("relevance_score", entry.get("score"))
        if not isinstance(index, int) or not 0 <= index < len(scores):
            raise _nonsense(link, "an index of no document")
        if not isinstance(score, int | float) or not math.isfinite(score):
            raise _nonsense(link, "no number")
        scores[index] = float(score)
    if any(score is None for score in scores):
        raise _nonsense(link, "not one score for each document")
    lengths = [len(request.query) + len(one) for one in request.documents]
    told = tuple(score for score in scores if score is not None)
    return Ranking(told, _shared_out(_tokens(found), lengths))


def _ranked(link: RemoteLink, document: Mapping[str, Any]) -> Any:
    last: RemoteError | None = None
    for path in _RERANK_PATHS:
        try:
            return link.ask(path, document, timeout_s=link.patience.first_token_s)
        except RemoteError as error:
            if error.kind != "remote_not_there":
                raise
            last = error
    raise EngineError("not_offered", what="reranking", detail=str(last)) from last


def _vectors(link: RemoteLink, found: Any, *, normalize: bool) -> tuple[Vector, ...]:
    """Those of each token are never normalized, as everywhere in the house."""
    if isinstance(found, list) and found and isinstance(found[0], list):
        return tuple(_vector(link, one) for one in found)
    vector = _vector(link, found)
    return (_normalized(vector) if normalize else vector,)


def _vector(link: RemoteLink, found: Any) -> Vector:
    if isinstance(found, str):  # 32-bit floats in base64, asked or not
        try:
            raw = base64.b64decode(found, validate=True)
        except ValueError as error:
            raise _nonsense(link, "no base64") from error
        numbers: Sequence[float] = array("f", raw) if len(raw) % 4 == 0 else ()
    else:
        numbers = found if isinstance(found, list) else ()
    usable = 0 < len(numbers) <= _MOST_DIMENSIONS
    if not usable or not all(_is_number(one) for one in numbers):
        raise _nonsense(link, "no vector")
    return array("f", numbers)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _normalized(vector: Vector) -> Vector:
    length = math.sqrt(math.fsum(one * one for one in vector))
    return vector if length == 0.0 else array("f", [one / length for one in vector])


def _tokens(found: Any) -> int:
    usage = found.get("usage") if isinstance(found, Mapping) else None
    tokens: Any = 0
    if isinstance(usage, Mapping):
        tokens = usage.get("prompt_tokens") or usage.get("total_tokens") or 0
    return tokens if isinstance(tokens, int) and 0 < tokens < 1 << 40 else 0


def _shared_out(total: int, lengths: Sequence[int]) -> tuple[int, ...]:
    """`total` by `lengths`, exact in sum."""
    whole = sum(lengths)
    if not whole or not total:
        return (total, *(0 for _ in lengths[1:]))
    shares: list[int] = []
    passed = 0
    for length in lengths:
        before, passed = passed, passed + length
        shares.append(total * passed // whole - total * before // whole)
    return tuple(shares)


def _nonsense(link: RemoteLink, detail: str) -> RemoteError:
    return RemoteError("remote_nonsense", server=link.name, detail=detail)
