"""Who guesses ahead for a model that was just loaded, as its plan and what lies beside it say."""

from __future__ import annotations

from pathlib import Path

from desktop.engine.cancel import CancelToken
from desktop.engine.extras import Extras
from desktop.engine.guessing.draft_model import DraftModel
from desktop.engine.guessing.drafter import Drafter
from desktop.engine.guessing.mtp import Mtp
from desktop.engine.guessing.prompt_lookup import PromptLookup
from desktop.engine.guessing.proposer import Proposer
from desktop.engine.model import Context, Model
from desktop.fit.companions import draft_plan
from desktop.fit.memory import Footprint
from desktop.fit.types import Plan
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check


def open_drafter(
    model: Model,
    context: Context,
    path: Path,
    plan: Plan,
    extras: Extras,
    cancel: CancelToken | None = None,
) -> Drafter | None:
    """None where nothing is to be guessed, or where the memory cannot go back by a few tokens.

    Blocks while a draft model is loaded. Raises LoadError (no_mtp, draft_vocabulary,
    draft_recurrent, ...), ModelFileError for the draft model's file, CancelledError.
    """
    if plan.draft_tokens <= 0:
        return None
    sequence_limit = None
    if model.refuses_partial_removal:
        if context.rollback_tokens == 0:
            return None
        sequence_limit = context.rollback_tokens
    lookup = PromptLookup(model.llama.lib.llama_vocab_n_tokens(model.vocab))
    ahead = _ahead(model, context, path, plan, extras, cancel)
    if ahead is not None:
        for _, beside in ahead.contexts:
            beside.abort_with(context)  # a cancel must not wait for guesses
    return Drafter(
        lookup,
        ahead,
        limit=plan.draft_tokens,
        sequence_limit=sequence_limit,
    )


def _ahead(
    model: Model,
    context: Context,
    path: Path,
    plan: Plan,
    extras: Extras,
    cancel: CancelToken | None,
) -> Proposer | None:
    if extras.draft is not None:
        header = read_header(extras.draft)
        check(header)
        small = draft_plan(Footprint(header), plan)
        return DraftModel(extras.draft, small, model, cancel=cancel)
    if plan.mtp:
        return Mtp(model, read_header(path), context, plan)
    return None
