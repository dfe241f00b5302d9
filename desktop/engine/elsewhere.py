"""What engines answer that have no tokens, vectors or sequences of their own to show."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.common.errors import EngineError
from desktop.engine.embedding import EmbeddingRequest, Embeddings, Ranking, RerankRequest
from desktop.engine.engine import SequenceState
from desktop.engine.request import Adapter


class Elsewhere:
    """For an `Engine` to inherit from; what it does have it overrides."""

    @property
    def alive(self) -> bool:
        return True

    def tokenize(
        self,
        text: str,  # noqa: ARG002
        *,
        add_special: bool = True,  # noqa: ARG002
        special: bool = True,  # noqa: ARG002
    ) -> list[int]:
        raise EngineError("not_offered", what="tokenize")

    def detokenize(self, tokens: Sequence[int], *, special: bool = False) -> str:  # noqa: ARG002
        raise EngineError("not_offered", what="detokenize")

    def embed(self, request: EmbeddingRequest) -> Embeddings:  # noqa: ARG002
        raise EngineError("not_offered", what="embeddings")

    def rerank(self, request: RerankRequest) -> Ranking:  # noqa: ARG002
        raise EngineError("not_offered", what="reranking")

    def adapters(self) -> tuple[Adapter, ...]:
        return ()

    def sequences(self) -> tuple[SequenceState, ...]:
        return ()

    def forget(self, conversation: str) -> None:
        """Nothing is kept here."""
