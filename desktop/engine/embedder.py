"""Vectors and scores: a context of its own beside, or instead of, the one that writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from desktop.engine.embedding import EmbeddingRequest, Embeddings, Ranking, RerankRequest

Answer = TypeVar("Answer")


class Turns(Protocol):
    """Runs something on the engine's thread between two steps, and gives its result back."""

    def __call__(self, function: Callable[[], Answer], /) -> Answer: ...


class Embedder:
    """Belongs to one loaded model. `embed` and `rerank` are called in the caller's thread and
    compute in the engine's, a piece of the work each turn, so that answers go on meanwhile."""

    def embed(self, request: EmbeddingRequest, turns: Turns) -> Embeddings:
        """Raises RequestError: no_embeddings, context_exceeded, bad_request; EngineError."""
        raise NotImplementedError

    def rerank(self, request: RerankRequest, turns: Turns) -> Ranking:
        """Raises RequestError: no_reranking, context_exceeded, bad_request; EngineError."""
        raise NotImplementedError
