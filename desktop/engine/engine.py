"""What every engine can do, wherever its model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from desktop.engine.chat import Chat, Rendered
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.embedding import EmbeddingRequest, Embeddings, Pooling, Ranking, RerankRequest
from desktop.engine.request import Adapter, Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream
from desktop.fit.types import Plan

EngineKind = Literal["local", "isolated", "pooled", "remote"]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What may be asked of an open model."""

    chat: bool = True
    tools: bool = False
    reasoning: bool = False
    reasoning_switch: bool = False
    vision: bool = False
    audio: bool = False
    embeddings: bool = False
    reranking: bool = False


@dataclass(frozen=True, slots=True)
class SequenceState:
    """One of the engine's sequences now, for whoever watches it."""

    place: int
    request_id: str
    conversation: str
    state: Literal["idle", "reading", "writing"]
    cached_tokens: int
    pending_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The open model. `template_name` is "chatml" where the file's own template is of no use.

    `template_problem` says why (``missing``, or the error of the template), `sampling` is what
    the file recommends, `context_tokens` what one conversation may hold, 0 where a
    server does not tell. A model on a server ("remote") has no path and no plan here.
    """

    path: Path | None
    name: str
    architecture: str
    context_tokens: int
    plan: Plan | None
    vocab_size: int
    template_name: Literal["model", "chatml", "server"]
    template_problem: str = ""
    sampling: Sampling | None = None
    trained_context_tokens: int = 0
    parameters: int = 0
    kind: EngineKind = "local"
    abilities: Abilities = Abilities()
    pooling: Pooling | None = None


class Engine(Protocol):
    """An open model that answers. All methods may be called from any thread."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def alive(self) -> bool:
        """False once it can never answer again: closed, or its process has died."""
        ...

    def submit(self, request: Request) -> Stream:
        """Never raises for a request that is wrong in itself: its stream ends with Failed."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is as a part of a prompt."""
        ...

    def tokenize(self, text: str, *, add_special: bool = True, special: bool = True) -> list[int]:
        """`add_special` puts the model's own first token before it, `special` reads the names of
        control tokens as such. Raises EngineError("not_offered") where the model is elsewhere."""
        ...

    def detokenize(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """The text of `tokens`. Raises RequestError("bad_request"), EngineError("not_offered")."""
        ...

    def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Vectors for texts; blocks, between the answers of others. Raises RequestError,
        EngineError("not_offered")."""
        ...

    def rerank(self, request: RerankRequest) -> Ranking:
        """Scores for documents; blocks. Raises RequestError, EngineError("not_offered")."""
        ...

    def adapters(self) -> tuple[Adapter, ...]:
        """The LoRA adapters that are loaded, with the scale of a request that names none."""
        ...

    def sequences(self) -> tuple[SequenceState, ...]:
        """What each sequence is doing; empty where nobody tells."""
        ...

    def forget(self, conversation: str) -> None:
        """A conversation was deleted: keep nothing of it, in no memory and no file."""
        ...

    def render(self, chat: Chat) -> Rendered:
        """The conversation by the model's chat template, cut to the context where the chat allows
        that. Raises TemplateError, RequestError, EngineError("not_offered")."""
        ...

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        """What the model holds of each device: at the load, and after `close` what it held last.

        None where nobody tells.
        """
        ...

    def close(self) -> None:
        """End every stream with an event and free the model; a second call does nothing."""
        ...
