"""A model in this process behind the `Engine` protocol: the normal case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from desktop.common.errors import HausgeistError, RequestError
from desktop.engine.batching.batcher import failed
from desktop.engine.cancel import CancelToken
from desktop.engine.chat import Chat, Rendered
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.elsewhere import Elsewhere
from desktop.engine.embedding import EmbeddingRequest, Embeddings, Ranking, RerankRequest
from desktop.engine.engine import Abilities, ModelInfo, SequenceState
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.keeping import DEFAULT_KEEPING, Keeping
from desktop.engine.loaded import Loaded
from desktop.engine.model import Model, Progress
from desktop.engine.prepare import Preparer
from desktop.engine.request import Adapter, Request
from desktop.engine.sampling import Sampling
from desktop.engine.stream import Stream
from desktop.engine.templates.chat_format import ChatFormat
from desktop.engine.templates.chat_template import TemplateRenderer
from desktop.engine.vectors.embedder import Answer
from desktop.engine.worker import Worker
from desktop.fit.types import Plan

_TEMPLATE_KEY = "tokenizer.chat_template"
_FOR_TOOLS = "tool_use"


class LocalEngine(Elsewhere):
    """See `Engine`. Made by `load`; `close` it, or it lives as long as the process."""

    def __init__(
        self, info: ModelInfo, worker: Worker, preparer: Preparer, renderer: TemplateRenderer
    ) -> None:
        self._info = info
        self._worker = worker
        self._renderer = renderer
        self._preparer = preparer

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def alive(self) -> bool:
        return self._worker.alive

    def submit(self, request: Request) -> Stream:
        try:
            prepared = self._preparer.prepare(request)
        except HausgeistError as error:
            stream = Stream(request.id, self._worker.cancel)
            stream.put(failed(request.id, error))
            return stream
        return self._worker.submit(prepared)

    def count_tokens(self, text: str) -> int:
        return len(self.tokenize(text, add_special=False))

    def tokenize(self, text: str, *, add_special: bool = True, special: bool = True) -> list[int]:
        with self._worker.reading() as loaded:
            return loaded.vocabulary.tokenize(text, add_special=add_special, special=special)

    def detokenize(self, tokens: Sequence[int], *, special: bool = False) -> str:
        with self._worker.reading() as loaded:
            return loaded.vocabulary.text(tokens, special=special)

    def render(self, chat: Chat) -> Rendered:
        return self._preparer.render(chat)

    def embed(self, request: EmbeddingRequest) -> Embeddings:
        with self._worker.reading() as loaded:
            if loaded.embedder is None:
                raise RequestError("no_embeddings")
            return loaded.embedder.embed(request, self._turn)

    def rerank(self, request: RerankRequest) -> Ranking:
        with self._worker.reading() as loaded:
            if loaded.embedder is None:
                raise RequestError("no_reranking")
            return loaded.embedder.rerank(request, self._turn)

    def adapters(self) -> tuple[Adapter, ...]:
        with self._worker.reading() as loaded:
            return () if loaded.adapters is None else loaded.adapters.defaults

    def sequences(self) -> tuple[SequenceState, ...]:
        return self._worker.sequences()

    def forget(self, conversation: str) -> None:
        self._worker.forget(conversation)

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        return self._worker.usage

    def _turn(self, function: Callable[[], Answer]) -> Answer:
        return self._worker.call(lambda _: function())

    def close(self) -> None:
        self._worker.close()
        self._renderer.close()


def load(
    path: Path,
    plan: Plan,
    *,
    on_progress: Progress | None = None,
    cancel: CancelToken | None = None,
    template: str | None = None,
    extras: Extras = NO_EXTRAS,
    keeping: Keeping | None = DEFAULT_KEEPING,
) -> LocalEngine:
    """Load `path` as `plan` says; blocks. Raises LoadError or CancelledError.

    `template` (Jinja) is used in the place of the model's own. `extras` are files that are opened
    with it, which must have been checked too. `keeping` says where the states of idle
    conversations go.

    `on_progress` gets 0.0 to 1.0 from the engine's thread. Memory is taken as soon as the
    context is made, so the plan must have been checked against the machine before.
    """
    worker = Worker(path, plan, extras, keeping)
    renderer = TemplateRenderer()
    try:
        loaded = worker.start(on_progress, cancel)
        own = loaded.model.metadata(_TEMPLATE_KEY)
        chat = ChatFormat(renderer, template or own, loaded.vocabulary)
        tooled = None if template or chat.takes_tools else _tool_format(renderer, loaded)
        info = _info(path, plan, loaded, chat, tooled or chat)
        preparer = Preparer(worker.reading, chat, info.context_tokens, tooled)
        return LocalEngine(info, worker, preparer, renderer)
    except BaseException:
        worker.close()
        renderer.close()
        raise


def _tool_format(renderer: TemplateRenderer, loaded: Loaded) -> ChatFormat | None:
    """For chats with tools, where the file has a second template that knows them."""
    template = loaded.model.metadata(f"{_TEMPLATE_KEY}.{_FOR_TOOLS}")
    if template is None:
        return None
    found = ChatFormat(renderer, template, loaded.vocabulary)
    return found if found.takes_tools else None


def _info(
    path: Path, plan: Plan, loaded: Loaded, chat: ChatFormat, tooled: ChatFormat
) -> ModelInfo:
    model, lib = loaded.model, loaded.model.llama.lib
    return ModelInfo(
        path=path,
        name=model.metadata("general.name") or path.stem,
        architecture=model.metadata("general.architecture") or "",
        context_tokens=_text_tokens(loaded),
        plan=plan,
        vocab_size=loaded.vocabulary.size,
        template_name=chat.name,
        template_problem=chat.problem,
        sampling=recommended_sampling(model),
        trained_context_tokens=lib.llama_model_n_ctx_train(model.handle),
        parameters=lib.llama_model_n_params(model.handle),
        abilities=_abilities(loaded, chat, tooled),
        pooling=None if loaded.embedder is None else loaded.embedder.pooling,
    )


def _text_tokens(loaded: Loaded) -> int:
    """What one conversation, or one text to make a vector of, may hold."""
    embedder = loaded.embedder
    return loaded.context.sequence_tokens if embedder is None else embedder.text_tokens


def _abilities(loaded: Loaded, chat: ChatFormat, tooled: ChatFormat) -> Abilities:
    embedder, media = loaded.embedder, loaded.media
    reasons = embedder is None and chat.reasoning is not None
    return Abilities(
        chat=embedder is None,
        tools=embedder is None and tooled.takes_tools,
        reasoning=reasons,
        # Where the template knows no switch, reasoning is begun or skipped in the prompt itself.
        reasoning_switch=reasons,
        vision=media is not None and media.vision,
        audio=media is not None and media.audio,
        embeddings=embedder is not None and not embedder.scores,
        reranking=embedder is not None and embedder.scores,
    )


def recommended_sampling(model: Model) -> Sampling | None:
    """The file's ``general.sampling.*`` over our defaults; None where it says nothing usable."""
    fields = {
        "temperature": ("temp", float),
        "top_k": ("top_k", int),
        "top_p": ("top_p", float),
        "min_p": ("min_p", float),
        "repeat_penalty": ("penalty_repeat", float),
        "repeat_last_n": ("penalty_last_n", int),
        "xtc_probability": ("xtc_probability", float),
        "xtc_threshold": ("xtc_threshold", float),
        "mirostat": ("mirostat", int),
        "mirostat_tau": ("mirostat_tau", float),
        "mirostat_eta": ("mirostat_eta", float),
    }
    values: dict[str, float | int] = {}
    for field, (key, kind) in fields.items():
        text = model.metadata(f"general.sampling.{key}")
        if text is None:
            continue
        try:
            values[field] = kind(text)
        except ValueError:
            return None
    if not values:
        return None
    sampling = Sampling(**values)  # type: ignore[arg-type]
    try:
        sampling.check()
    except RequestError:
        return None
    return sampling
