"""The next smaller plan: what to try when a load fails although it should have fitted."""

from __future__ import annotations

from dataclasses import replace

from desktop.fit.guessing import draft_tokens
from desktop.fit.memory import padded_context
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader

_SHORT_CONTEXT = 2_048
_SHORTEST_CONTEXT = 512
_SMALL_UBATCH = 128


def smaller(plan: Plan, header: ModelHeader) -> Plan | None:
    """Without prediction heads, less on the graphics, then a shorter context; None at the end.

    Every step needs less memory than `plan` on some device, and the steps end.
    """
    if plan.mtp:
        return replace(plan, mtp=False, draft_tokens=draft_tokens(header))
    if plan.gpu_layers > 0:
        return _less_on_gpu(plan, header)
    if plan.context > _SHORT_CONTEXT * plan.parallel:
        half = padded_context(plan.context // 2)
        return replace(plan, context=max(half, _SHORT_CONTEXT * plan.parallel))
    if plan.parallel > 1:
        return replace(plan, parallel=1, context=min(plan.context, _SHORT_CONTEXT))
    if plan.ubatch > _SMALL_UBATCH:
        return replace(plan, ubatch=_SMALL_UBATCH)
    if plan.context > _SHORTEST_CONTEXT:
        return replace(plan, context=_SHORTEST_CONTEXT)
    return None


def _less_on_gpu(plan: Plan, header: ModelHeader) -> Plan:
    layers = header.block_count + 1
    if header.expert_count and plan.expert_layers_on_cpu < header.block_count:
        return replace(plan, expert_layers_on_cpu=header.block_count)
    fewer = min(plan.gpu_layers, layers) * 2 // 3
    if fewer * 4 < layers:
        # A few layers on the graphics cost more in copying than they save.
        return replace(plan, gpu_layers=0, expert_layers_on_cpu=0, device="", split=())
    return replace(plan, gpu_layers=fewer, split=_shortened(plan.split, fewer))


def _shortened(split: tuple[tuple[str, int], ...], layers: int) -> tuple[tuple[str, int], ...]:
    """Every device gives up its part; together they keep `layers`."""
    whole = sum(count for _, count in split)
    reached = given = 0
    parts = []
    for device, count in split:
        reached += count
        kept = layers * reached // whole - given
        given += kept
        if kept:
            parts.append((device, kept))
    return tuple(parts)
