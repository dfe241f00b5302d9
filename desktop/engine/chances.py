"""How likely a token was, and what else might have stood there."""

from __future__ import annotations

from typing import Any

from desktop.engine.candidates import Candidates
from desktop.engine.events import TokenChance
from desktop.engine.vocabulary import Vocabulary

_LEAST = -9999.0
"""Stands for minus infinity, which JSON cannot say; OpenAI's number for it."""


def chances(
    vocabulary: Vocabulary, context: Any, place: int, token: int, count: int
) -> tuple[TokenChance, tuple[TokenChance, ...]]:
    """Log probabilities by the model's own distribution, before temperature and all the rest.

    `token` was taken at `place` of the context; of the likeliest tokens come `count`. One
    softmax and one cut by llama.cpp: 1 ms for 128,000 tokens.
    """
    candidates: Candidates = vocabulary.candidates()
    candidates.fill(context, place, {})
    log_sum, top = candidates.likeliest(count)
    logits = candidates.of(context, place)

    def chance(token: int) -> TokenChance:
        logprob = logits[token] - log_sum
        raw = vocabulary.piece(token)[0] or vocabulary.special_text(token).encode()
        return TokenChance(token, raw, logprob if logprob > _LEAST else _LEAST)

    return chance(token), tuple(chance(other) for other in top)
