"""What a person would rather have: speed, a longer context, or a more precise one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from desktop.fit.types import KvType, Plan, Priority, Speed

_PROMPT_TOKENS = 500  # of a usual turn: a question with a page of text
ANSWER_TOKENS = 300
LONG_TOKENS = 4_096  # ten pages to be read
_CONTEXT_WORTH = (
    # A longer context is worth less the longer it is.
    (9.0, -1.2),  # 512 tokens: log2
    (11.0, 0.0),
    (12.0, 0.5),
    (13.0, 0.75),
    (14.0, 0.85),
    (15.0, 0.9),
)
_KV_COST: Mapping[KvType, float] = {"f16": 0.0, "q8_0": 0.2, "q4_0": 0.6}
_WORTH_SPLITTING = math.log(1.1)  # a split must be that much faster than the processor alone
_WORTH_FREEING = 0.1  # a card of its own leaves processor and main memory to everything else
_UNNOTICED_S = 0.5

Where = Literal["card", "shared", "split", "cpu"]
"""Wholly on graphics with memory of its own, or on graphics without; partly; not at all."""

_PLACE_WORTH: Mapping[Where, float] = {
    "card": _WORTH_FREEING,
    "shared": 0.0,
    "split": -_WORTH_SPLITTING,
    "cpu": 0.0,
}


@dataclass(frozen=True, slots=True)
class _Weights:
    context: float
    precision: float


_WEIGHTS: Mapping[Priority, _Weights] = {
    "balanced": _Weights(1.0, 1.0),
    "quality": _Weights(2.5, 3.0),
    "speed": _Weights(0.4, 0.4),
}


@dataclass(frozen=True, slots=True)
class Preference:
    """Plans compared as one number: twice the speed is worth log 2."""

    priority: Priority

    def worth(self, plan: Plan, speed: Speed, where: Where) -> float:
        """The larger, the better; only differences mean anything."""
        settings = self.settings_worth(plan.context // plan.parallel, plan.kv_type)
        return settings + placed_worth(speed, where)

    def settings_worth(self, context_tokens: int, kv_type: KvType) -> float:
        """Of a conversation's context and how precisely it is kept."""
        weights = _WEIGHTS[self.priority]
        context = weights.context * _context_worth(context_tokens)
        return context - weights.precision * _KV_COST[kv_type]


def placed_worth(speed: Speed, where: Where) -> float:
    """Of how soon a usual turn is over (minus the seconds' logarithm), and of where it runs."""
    worth = _PLACE_WORTH[where]
    if not speed.tokens_per_s or not speed.prompt_tokens_per_s:
        return worth
    seconds = _PROMPT_TOKENS / speed.prompt_tokens_per_s + ANSWER_TOKENS / speed.tokens_per_s
    return worth - math.log(seconds + _UNNOTICED_S)


def _context_worth(tokens: int) -> float:
    size = math.log2(max(1, tokens))
    if size <= _CONTEXT_WORTH[0][0]:
        return _CONTEXT_WORTH[0][1]
    for (low, low_worth), (high, high_worth) in pairwise(_CONTEXT_WORTH):
        if size <= high:
            return low_worth + (high_worth - low_worth) * (size - low) / (high - low)
    return _CONTEXT_WORTH[-1][1]
