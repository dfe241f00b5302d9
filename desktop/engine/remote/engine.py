"""A model on a server behind the `Engine` protocol: any server that speaks OpenAI's dialect."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from desktop.common.errors import EngineError, HausgeistError, RemoteError, RequestError
from desktop.engine.chat import Chat, Rendered
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.elsewhere import Elsewhere
from desktop.engine.embedding import EmbeddingRequest, Embeddings, Ranking, RerankRequest
from desktop.engine.engine import Abilities, ModelInfo
from desktop.engine.events import Failed
from desktop.engine.remote.dialect import ServerFacts, look_at_server
from desktop.engine.remote.fit import Learned
from desktop.engine.remote.link import RemoteLink
from desktop.engine.remote.models import RemoteModel
from desktop.engine.remote.turn import RemoteTurn, Target
from desktop.engine.remote.vectors import embed, rerank
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream

MOST_OPEN = 64
"""Requests at once; each has a connection and two threads of its own."""

_CLOSING_S = 2.0


class RemoteEngine(Elsewhere):
    """See `Engine`. Made by `open_remote`; nothing is loaded here, and nothing is asked unasked.

    Prompts are rendered by the server: `submit` takes a chat, or text as it stands. Where the
    context's size is not known (`info.context_tokens` 0) the server's refusal tells it.
    """

    def __init__(self, link: RemoteLink, model: RemoteModel, facts: ServerFacts) -> None:
        self._link = link
        # Whoever does not choose a sampling takes this very object: then the server's own counts.
        self._server_sampling = Sampling()
        self._target = Target(link, model.id, facts.dialect, Learned(model.context_tokens))
        self._info = _info(model, facts, self._server_sampling)
        self._lock = threading.Lock()
        self._turns: dict[str, RemoteTurn] = {}
        self._closed = False

    @property
    def info(self) -> ModelInfo:
        context = self._target.learned.context_tokens  # some servers tell only once they answer
        if context == self._info.context_tokens:
            return self._info
        return replace(self._info, context_tokens=context)

    @property
    def alive(self) -> bool:
        """A server that is down may come back; only `close` is for good."""
        return not self._closed

    def submit(self, request: Request) -> Stream:
        stream = Stream(request.id, self._cancel)
        turn = RemoteTurn(
            self._target,
            request,
            stream.inbox,
            self._ended,
            own_sampling=request.sampling is self._server_sampling,
        )
        try:
            request.check()
            self._add(turn, request.id)
        except HausgeistError as error:
            stream.put(Failed(request.id, error.kind, error.params, error.detail))
        else:
            turn.start()
        return stream

    def _add(self, turn: RemoteTurn, request_id: str) -> None:
        with self._lock:
            self._require_open()
            if request_id in self._turns:
                raise RequestError("duplicate_request", request_id=request_id)
            if len(self._turns) >= MOST_OPEN:
                raise RequestError("engine_busy", limit=MOST_OPEN)
            self._turns[request_id] = turn

    def count_tokens(self, text: str) -> int:
        """An estimate, the better the more the server has answered: the tokenizer is there."""
        return self._target.learned.tokens(len(text))

    def embed(self, request: EmbeddingRequest) -> Embeddings:
        """See `remote_vectors.embed`."""
        self._require_open()
        return embed(self._link, self._target.model, request)

    def rerank(self, request: RerankRequest) -> Ranking:
        """See `remote_vectors.rerank`."""
        self._require_open()
        return rerank(self._link, self._target.model, request)

    def render(self, chat: Chat) -> Rendered:  # noqa: ARG002
        raise EngineError("not_offered", what="template")

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        return None

    def close(self) -> None:
        with self._lock:
            self._closed = True
            turns = list(self._turns.values())
        for turn in turns:
            turn.cancel("engine_closed")
        until = time.monotonic() + _CLOSING_S
        for turn in turns:
            turn.join(max(0.0, until - time.monotonic()))

    def _require_open(self) -> None:
        if self._closed:
            raise EngineError("engine_closed")

    def _cancel(self, request_id: str) -> None:
        with self._lock:
            turn = self._turns.get(request_id)
        if turn is not None:
            turn.cancel()

    def _ended(self, request_id: str) -> None:
        with self._lock:
            self._turns.pop(request_id, None)


def open_remote(
    link: RemoteLink, model: str, is_cancelled: Callable[[], bool] | None = None
) -> RemoteEngine:
    """Look at the server and take `model` there, "" for its only one; blocks.

    Raises NetworkError, CancelledError, RemoteError: remote_no_model, remote_which_model and
    those of `remote_errors`.
    """
    facts = look_at_server(link if is_cancelled is None else link.until(is_cancelled))
    return RemoteEngine(link, choose_model(facts, model, link.name), facts)


def choose_model(facts: ServerFacts, model: str, server: str) -> RemoteModel:
    """The model of that name. Servers with one model often answer by any name, so a list that
    does not have it is believed only where it is no list of one."""
    for one in facts.models:
        if one.id == model:
            return one
    if not model and len(facts.models) == 1:
        return facts.models[0]
    if not model:
        chats = [one for one in facts.models if one.kind == "chat"]
        if len(chats) == 1:
            return chats[0]
        raise RemoteError("remote_which_model", server=server, count=len(facts.models))
    raise RemoteError("remote_no_model", server=server, reason=model)


def _info(model: RemoteModel, facts: ServerFacts, sampling: Sampling) -> ModelInfo:
    vision = model.vision if model.vision is not None else facts.vision
    talks = model.kind == "chat"
    return ModelInfo(
        path=None,
        name=model.id,
        architecture="",
        context_tokens=model.context_tokens,
        plan=None,
        vocab_size=0,
        template_name="server",
        sampling=sampling,
        kind="remote",
        # What nobody tells is tried: the server's refusal says it in words.
        abilities=Abilities(
            chat=talks,
            tools=talks,
            reasoning=talks,
            reasoning_switch=talks and facts.dialect.kind != "other",
            vision=talks and vision is not False,
            audio=talks and bool(facts.audio),
            embeddings=model.kind == "embedding",
            reranking=model.kind == "reranker",
        ),
    )
