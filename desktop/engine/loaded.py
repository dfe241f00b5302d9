"""A model that is ready to answer: loaded, tried out, with its batcher. One thread's property."""

from __future__ import annotations

import math
from pathlib import Path

from desktop.common.errors import LoadError
from desktop.engine.batch import Batch
from desktop.engine.batcher import Batcher
from desktop.engine.cancel import CancelToken
from desktop.engine.model import Context, Model, Progress
from desktop.engine.pace import Pace
from desktop.engine.vocabulary import Vocabulary
from desktop.fit.types import Plan

_STEP_S = 1.0
_STEP_WITHOUT_ABORT_S = 0.03


class Loaded:
    """Model, context, vocabulary and batcher with one lifetime."""

    def __init__(
        self,
        path: Path,
        plan: Plan,
        on_progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Load and compute one token. Raises LoadError or CancelledError, and leaves nothing."""
        self.model = Model(path, plan, on_progress=on_progress, cancel=cancel)
        try:
            self.vocabulary = _usable_vocabulary(self.model)
            if cancel is not None:
                cancel.raise_if_cancelled()
            self.context = self.model.open_context(plan)
            try_out(self.model, self.context, self.vocabulary)
            if cancel is not None:
                cancel.raise_if_cancelled()
            # Only these backends ask the abort flag; elsewhere a step has to be short instead.
            stoppable = plan.gpu_layers == 0 or "MTL" in self.model.llama.backends()
            pace = Pace(self.context.batch_tokens, _STEP_S if stoppable else _STEP_WITHOUT_ABORT_S)
            self.batcher = Batcher(self.model, self.context, self.vocabulary, pace=pace)
        except BaseException:
            self.model.close()
            raise

    def close(self) -> None:
        self.model.close()


def _usable_vocabulary(model: Model) -> Vocabulary:
    lib = model.llama.lib
    if not lib.llama_model_has_decoder(model.handle) or lib.llama_model_has_encoder(model.handle):
        raise LoadError("not_generative", architecture=model.metadata("general.architecture") or "")
    vocabulary = Vocabulary(model)
    if vocabulary.size <= 0 or lib.llama_vocab_type(model.vocab) == lib.LLAMA_VOCAB_TYPE_NONE:
        raise LoadError("no_tokenizer")
    return vocabulary


def try_out(model: Model, context: Context, vocabulary: Vocabulary) -> None:
    """Compute one token and look at every logit: NaN weights load without a word.

    Raises LoadError("first_step_failed") or LoadError("broken_numbers").
    """
    lib, mark = model.llama.lib, model.llama.log.mark()
    if not context.memory:
        raise LoadError("not_generative", architecture=model.metadata("general.architecture") or "")
    batch = Batch(lib, 1)
    place = batch.add_one(vocabulary.first_token, 0, 0)
    code = lib.llama_decode(context.handle, batch.seal())
    if code != 0:
        raise LoadError("first_step_failed", code=code, detail=model.llama.log.complaints(mark))
    logits = lib.llama_get_logits_ith(context.handle, place)[: vocabulary.size]
    lib.llama_memory_seq_rm(context.memory, 0, -1, -1)
    if any(map(math.isnan, logits)):
        raise LoadError("broken_numbers")
