"""What somebody asks of an embedding or reranking model, and what comes back: plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Pooling = Literal["none", "mean", "cls", "last", "rank"]
Vector = Sequence[float]


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts (or their tokens) to be turned into vectors.

    `pooling` None takes the model's own; "none" gives one vector a token, never normalized.
    `normalize` makes a vector's length 1. A text longer than the model reads is an error, or is
    cut at its end where `truncate` allows it.
    """

    inputs: tuple[str | tuple[int, ...], ...]
    pooling: Pooling | None = None
    normalize: bool = True
    truncate: bool = False


@dataclass(frozen=True, slots=True)
class Embeddings:
    """For each input its vectors (one, or one a token where nothing is pooled) and its tokens."""

    vectors: tuple[tuple[Vector, ...], ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """How well does each of `documents` answer `query`? Raw scores; the higher the better."""

    query: str
    documents: tuple[str, ...]
    truncate: bool = False


@dataclass(frozen=True, slots=True)
class Ranking:
    """A score for each document, in their order, and the tokens that were read for it."""

    scores: tuple[float, ...]
    tokens: tuple[int, ...]
