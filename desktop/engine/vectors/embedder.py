"""Vectors and scores of a model that reads and does not write."""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from desktop.common.errors import EngineError, RequestError
from desktop.engine.embedding import (
    EmbeddingRequest,
    Embeddings,
    Pooling,
    Ranking,
    RerankRequest,
    Vector,
)
from desktop.engine.extras import POOLINGS
from desktop.engine.model import Context, Model
from desktop.engine.vectors.pair_prompt import PairPrompt
from desktop.engine.vectors.pooling import Pooled
from desktop.engine.vectors.reading_batch import Group, ReadingBatch
from desktop.engine.vocabulary import Vocabulary

MAX_INPUTS = 10_000
MAX_CHARACTERS = 16 << 20
_CHARACTERS_PER_TOKEN = 32

Answer = TypeVar("Answer")


class Turns(Protocol):
    """Runs something on the engine's thread between two steps, and gives its result back."""

    def __call__(self, function: Callable[[], Answer], /) -> Answer: ...


class Embedder:
    """Belongs to one loaded model, whose `context` has the pooling "none", or "rank" for scores.

    `embed` and `rerank` are called in callers' threads and compute in the engine's, one step a
    turn, so that nobody else waits longer than for that. Texts are read together as far as they
    fit into a step; none looks at another.
    """

    def __init__(
        self, model: Model, context: Context, vocabulary: Vocabulary, pooling: Pooling
    ) -> None:
        self._vocabulary = vocabulary
        self._batch = ReadingBatch(model, context)
        self._pairs = PairPrompt(model, vocabulary)
        self.pooling = pooling
        self.text_tokens = self._batch.text_tokens
        # Two callers' texts must not be read into the same sequences in turn.
        self._lock = threading.Lock()

    @property
    def scores(self) -> bool:
        return self.pooling == "rank"

    def embed(self, request: EmbeddingRequest, turns: Turns) -> Embeddings:
        """Raises RequestError: no_embeddings, context_exceeded, bad_request; EngineError."""
        pooling = request.pooling or self.pooling
        if pooling not in POOLINGS:
            raise RequestError("bad_request", name="pooling")
        if self.scores or pooling == "rank":
            raise RequestError("no_embeddings")
        _check_inputs(request.inputs)
        texts = [self._tokens(one, truncate=request.truncate) for one in request.inputs]
        results = [Pooled(pooling) for _ in texts]
        for group in self._batch.groups(texts):
            with self._lock:
                self._read(group, turns, lambda place, rows: results[place].add(rows))
        normalize = request.normalize and pooling != "none"
        vectors = tuple(one.vectors(normalize=normalize) for one in results)
        if not all(_finite(vector) for found in vectors for vector in found):
            raise EngineError("broken_numbers")
        return Embeddings(vectors, tuple(len(text) for text in texts))

    def rerank(self, request: RerankRequest, turns: Turns) -> Ranking:
        """Raises RequestError: no_reranking, context_exceeded, bad_request; EngineError."""
        if not self.scores:
            raise RequestError("no_reranking")
        if not isinstance(request.query, str):
            raise RequestError("bad_request", name="query")
        _check_inputs(request.documents, name="documents")
        texts = [self._pair(request, document) for document in request.documents]
        scores: list[float] = [math.nan] * len(texts)

        def keep(place: int, rows: Any) -> None:
            scores[place] = float(rows[-1][0])

        for group in self._batch.groups(texts):
            with self._lock:
                self._read(group, turns, keep)
        if not all(map(math.isfinite, scores)):
            raise EngineError("broken_numbers")
        return Ranking(tuple(scores), tuple(len(text) for text in texts))

    def _read(self, group: Group, turns: Turns, keep: Callable[[int, Any], None]) -> None:
        """Every step of the group in a turn of its own; its memory is free again afterwards."""
        steps: Iterator[list[tuple[int, Any]]] = self._batch.steps(group)
        while (rows := turns(lambda: next(steps, None))) is not None:
            for place, values in rows:
                keep(place, values)

    def _tokens(self, text: str | Sequence[int], *, truncate: bool) -> list[int]:
        if isinstance(text, str):
            self._check_characters(text, truncate=truncate)
            most = self.text_tokens * _CHARACTERS_PER_TOKEN
            tokens = self._vocabulary.tokenize(text[:most] if truncate else text)
        else:
            tokens = list(text)
            if not all(map(self._is_token, tokens)):
                raise RequestError("bad_request", name="inputs")
        if not tokens:
            raise RequestError("bad_request", name="inputs")
        return self._cut(tokens, truncate=truncate, ends=isinstance(text, str))

    def _is_token(self, value: object) -> bool:
        return isinstance(value, int) and 0 <= value < self._vocabulary.size

    def _pair(self, request: RerankRequest, document: str) -> list[int]:
        for text in (request.query, document):
            self._check_characters(text, truncate=False)
        tokens = self._pairs.tokens(request.query, document)
        over = len(tokens) - self.text_tokens
        if over > 0 and request.truncate:
            # What frames the document must stay: of the document itself so much goes.
            own = self._vocabulary.tokenize(document, add_special=False, special=False)
            kept = self._vocabulary.text(own[: max(0, len(own) - over)])
            tokens = self._pairs.tokens(request.query, kept)
        return self._cut(tokens, truncate=False, ends=False)

    def _cut(self, tokens: list[int], *, truncate: bool, ends: bool) -> list[int]:
        if len(tokens) <= self.text_tokens:
            return tokens
        if not truncate:
            raise RequestError(
                "context_exceeded", prompt_tokens=len(tokens), context_tokens=self.text_tokens
            )
        if ends and self._vocabulary.is_control(tokens[-1]):
            return [*tokens[: self.text_tokens - 1], tokens[-1]]
        return tokens[: self.text_tokens]

    def _check_characters(self, text: str, *, truncate: bool) -> None:
        """Megabytes too much are not split to be counted; a token is rarely more than this."""
        most = self.text_tokens * _CHARACTERS_PER_TOKEN
        if truncate or len(text) <= most:
            return
        share = len(self._vocabulary.tokenize(text[:most])) * len(text) // most
        if share > self.text_tokens:
            raise RequestError(
                "context_exceeded", prompt_tokens=share, context_tokens=self.text_tokens
            )


def _check_inputs(inputs: Sequence[object], name: str = "inputs") -> None:
    if not inputs or len(inputs) > MAX_INPUTS:
        raise RequestError("bad_request", name=name)
    characters = 0
    for one in inputs:
        if not isinstance(one, str if name == "documents" else (str, tuple, list)):
            raise RequestError("bad_request", name=name)
        characters += len(one)
    if characters > MAX_CHARACTERS:
        raise RequestError("bad_request", name=name)


def _finite(vector: Vector) -> bool:
    # A sum is finite only where all are, short of sums that overflow a double: none do here.
    assert isinstance(vector, array)
    return math.isfinite(sum(vector))
