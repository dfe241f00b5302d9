"""An engine around another one: what it does not do otherwise, it hands on."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.engine.chat import Chat, Rendered
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.embedding import EmbeddingRequest, Embeddings, Ranking, RerankRequest
from desktop.engine.engine import Engine, ModelInfo, SequenceState
from desktop.engine.request import Adapter, Request
from desktop.engine.stream import Stream


class WrappedEngine:
    """See `Engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def info(self) -> ModelInfo:
        return self._engine.info

    @property
    def alive(self) -> bool:
        return self._engine.alive

    def submit(self, request: Request) -> Stream:
        return self._engine.submit(request)

    def count_tokens(self, text: str) -> int:
        return self._engine.count_tokens(text)

    def tokenize(self, text: str, *, add_special: bool = True, special: bool = True) -> list[int]:
        return self._engine.tokenize(text, add_special=add_special, special=special)

    def detokenize(self, tokens: Sequence[int], *, special: bool = False) -> str:
        return self._engine.detokenize(tokens, special=special)

    def embed(self, request: EmbeddingRequest) -> Embeddings:
        return self._engine.embed(request)

    def rerank(self, request: RerankRequest) -> Ranking:
        return self._engine.rerank(request)

    def adapters(self) -> tuple[Adapter, ...]:
        return self._engine.adapters()

    def sequences(self) -> tuple[SequenceState, ...]:
        return self._engine.sequences()

    def forget(self, conversation: str) -> None:
        self._engine.forget(conversation)

    def render(self, chat: Chat) -> Rendered:
        return self._engine.render(chat)

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        return self._engine.memory_usage()

    def close(self) -> None:
        self._engine.close()
