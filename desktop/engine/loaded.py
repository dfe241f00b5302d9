"""A model that is ready to answer: loaded, tried out, with its batcher. One thread's property."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from desktop.common.errors import EngineError, LoadError
from desktop.engine.adapters import Adapters
from desktop.engine.batch import Batch
from desktop.engine.batching.batcher import Batcher
from desktop.engine.batching.pace import Pace
from desktop.engine.batching.refuser import Refuser
from desktop.engine.cancel import CancelToken
from desktop.engine.embedding import EmbeddingRequest, Pooling, RerankRequest
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.guessing.drafter import Drafter
from desktop.engine.guessing.drafting import open_drafter
from desktop.engine.keeping import Keeper, Keeping
from desktop.engine.media.projection import Projector
from desktop.engine.model import Context, Model, Progress
from desktop.engine.vectors.embedder import Embedder
from desktop.engine.vocabulary import Vocabulary
from desktop.fit.types import Plan

# How long one step with a prompt may take. The CPU's backend and Metal's ask the abort flag all the
# time; others never do, so there a cancel waits for the step. Where layers lie on both sides each
# step moves the CPU's weights to the GPU, and short ones would waste most of their time on that.
_STEP_S = 1.0
_STEP_ON_GPU_S = 0.03
_STEP_ON_BOTH_S = 0.2

_Answer = TypeVar("_Answer")


class Loaded:
    """Model, context, vocabulary and batcher with one lifetime.

    One that makes vectors has an `embedder`, and a batcher that refuses everything; `media` are
    the eyes and ears of one that has them.
    """

    def __init__(
        self,
        path: Path,
        plan: Plan,
        on_progress: Progress | None = None,
        cancel: CancelToken | None = None,
        extras: Extras = NO_EXTRAS,
        keeping: Keeping | None = None,
    ) -> None:
        """Load and compute one token. Raises LoadError or CancelledError, and leaves nothing.

        `keeping` says where the states of idle conversations are kept, None: nowhere.
        """
        self.model = Model(path, plan, on_progress=on_progress, cancel=cancel)
        self.adapters: Adapters | None = None
        self.media: Projector | None = None
        self.embedder: Embedder | None = None
        self.keeper: Keeper | None = None
        self.drafter: Drafter | None = None
        self.batcher: Batcher
        try:
            self.vocabulary = _usable_vocabulary(self.model)
            _raise_if_cancelled(cancel)
            pooling = _pooling(self.model, extras)
            self.context = self.model.open_context(plan, pooling=pooling)
            if pooling is not None:
                self._make_vectors(pooling)
                return
            try_out(self.model, self.context, self.vocabulary)
            _raise_if_cancelled(cancel)
            self.adapters = Adapters(self.model, extras.adapters)
            if extras.projector is not None:
                self.media = Projector(self.model, self.context, extras.projector, plan)
            _raise_if_cancelled(cancel)
            self.drafter = open_drafter(self.model, self.context, path, plan, extras, cancel)
            if keeping is not None:
                self.keeper = Keeper(keeping, path, plan, extras, self.vocabulary.size)
            self.batcher = Batcher(
                self.model,
                self.context,
                self.vocabulary,
                pace=_pace(self.model, self.context, plan),
                adapters=self.adapters,
                drafter=self.drafter,
                states=None if self.keeper is None else self.keeper.states,
            )
            if self.keeper is not None:
                self.keeper.watch(self.batcher.cache)
        except BaseException:
            self.close()
            raise

    @property
    def beside(self) -> Sequence[tuple[Model, Context]]:
        """What guesses ahead, for whoever counts memory."""
        return () if self.drafter is None else self.drafter.contexts

    def close(self) -> None:
        """Before the model goes what stands on it."""
        if self.drafter is not None:
            self.drafter.close()
        if self.media is not None:
            self.media.close()
        if self.adapters is not None:
            self.adapters.close()
        self.model.close()

    def _make_vectors(self, pooling: Pooling) -> None:
        self.embedder = Embedder(self.model, self.context, self.vocabulary, pooling)
        _try_reading(self.embedder)
        # It has all that is asked of a batcher where nothing is ever written.
        refuser = Refuser(self.model.metadata("general.architecture") or "")
        self.batcher = refuser  # type: ignore[assignment]


def _pace(model: Model, context: Context, plan: Plan) -> Pace:
    if plan.gpu_layers == 0 or "MTL" in model.llama.backends():
        return Pace(context.batch_tokens, _STEP_S)
    layers: int = model.llama.lib.llama_model_n_layer(model.handle)
    if plan.gpu_layers > layers and plan.expert_layers_on_cpu == 0:
        return Pace(context.batch_tokens, _STEP_ON_GPU_S)
    return Pace(context.batch_tokens, _STEP_ON_BOTH_S, copies=True)


def _usable_vocabulary(model: Model) -> Vocabulary:
    """Raises LoadError for a model that cannot write text token by token."""
    lib = model.llama.lib
    if (
        not lib.llama_model_has_decoder(model.handle)
        or lib.llama_model_has_encoder(model.handle)
        or lib.llama_model_is_diffusion(model.handle)
    ):
        raise _not_generative(model)
    vocabulary = Vocabulary(model)
    if vocabulary.size <= 0 or lib.llama_vocab_type(model.vocab) == lib.LLAMA_VOCAB_TYPE_NONE:
        raise LoadError("no_tokenizer")
    return vocabulary


def _pooling(model: Model, extras: Extras) -> Pooling | None:
    """How vectors are made of texts; None for a model that writes, and is meant to."""
    own = model.pooling
    if own is None and not extras.embeddings:
        return None
    return extras.pooling or own or "last"


def _try_reading(embedder: Embedder) -> None:
    """Raises LoadError("first_step_failed") or LoadError("broken_numbers")."""
    try:
        if embedder.scores:
            embedder.rerank(RerankRequest("1", ("1",)), _at_once)
        else:
            embedder.embed(EmbeddingRequest(("1",)), _at_once)
    except EngineError as error:
        kind = error.kind if error.kind == "broken_numbers" else "first_step_failed"
        raise LoadError(kind, detail=f"{error}", code=error.params.get("code", 0)) from error


def _at_once(function: Callable[[], _Answer]) -> _Answer:
    return function()


def _raise_if_cancelled(cancel: CancelToken | None) -> None:
    if cancel is not None:
        cancel.raise_if_cancelled()


def try_out(model: Model, context: Context, vocabulary: Vocabulary) -> None:
    """Compute one token and look at every logit: NaN weights load without a word.

    Raises LoadError("first_step_failed") or LoadError("broken_numbers").
    """
    lib, mark = model.llama.lib, model.llama.log.mark()
    if not context.memory:
        raise _not_generative(model)
    batch = Batch(lib, 1)
    place = batch.add_one(vocabulary.first_token, 0, 0)
    code = lib.llama_decode(context.handle, batch.seal())
    if code != 0:
        raise LoadError("first_step_failed", code=code, detail=model.llama.log.complaints(mark))
    logits = lib.llama_get_logits_ith(context.handle, place)[: vocabulary.size]
    lib.llama_memory_seq_rm(context.memory, 0, -1, -1)
    if any(map(math.isnan, logits)):
        raise LoadError("broken_numbers")


def _not_generative(model: Model) -> LoadError:
    architecture = model.metadata("general.architecture") or ""
    return LoadError("not_generative", architecture=architecture)
