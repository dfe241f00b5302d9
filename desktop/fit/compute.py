"""An estimate of llama.cpp's compute buffers, for where its dry run cannot be asked.

There is no closed form (facts: mixtures of experts, partial offload). The graph's largest moment
is one of three: a layer's activations for a whole micro-batch, the attention mask over the whole
context, or the rows of logits. Fitted to dry runs of the architectures in tests/fit/data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from desktop.fit.memory import CPU, padded_context
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader

_FLOAT = 4
_MASK_BYTES = 6  # f32 as it is written and f16 as flash attention reads it
_BASE_BYTES = 2 << 20
_LIVE_ROWS = 5  # rows of the embedding's width alive at once


class ComputeEstimator(Protocol):
    """Asks llama.cpp: compute bytes by device for a plan, or None where it cannot be asked."""

    def __call__(self, plan: Plan, /) -> Mapping[str, int] | None: ...


def estimated_compute(header: ModelHeader, plan: Plan, devices: tuple[str, ...]) -> dict[str, int]:
    """Compute bytes on main memory and on each of `devices` that hold layers."""
    buffer = _graph_bytes(header, plan)
    logits = logits_bytes(header, plan)
    if not devices or plan.gpu_layers == 0:
        return {CPU: buffer + logits}
    # Main memory keeps the inputs of the graph, and the logits as they are read out.
    inputs = _FLOAT * plan.ubatch * header.embedding_length + _mask_bytes(plan)
    partly = plan.gpu_layers <= header.block_count or plan.expert_layers_on_cpu > 0
    host = buffer if partly else inputs
    return {CPU: host + logits, **dict.fromkeys(devices, buffer)}


def logits_bytes(header: ModelHeader, plan: Plan) -> int:
    """Where the results are read from: one row of logits a sequence, in main memory."""
    return _FLOAT * header.vocab_size * plan.parallel


def _graph_bytes(header: ModelHeader, plan: Plan) -> int:
    rows = min(plan.ubatch, padded_context(plan.context))
    width = header.embedding_length
    heads = header.head_count * max(
        header.arch_integer("attention.key_length"),
        width // header.head_count if header.head_count else 0,
    )
    feed_forward = header.arch_integer("feed_forward_length")
    experts = header.expert_used_count * header.arch_integer("expert_feed_forward_length")
    recurrent = 4 * header.arch_integer("ssm.inner_size")
    layer = max(2 * feed_forward, 3 * experts, 2 * heads, recurrent)
    activations = _FLOAT * rows * (_LIVE_ROWS * width + layer)
    logits = _FLOAT * plan.parallel * header.vocab_size
    return _BASE_BYTES + max(activations, logits) + _mask_bytes(plan)


def _mask_bytes(plan: Plan) -> int:
    context = padded_context(plan.context)
    return _MASK_BYTES * context * min(plan.ubatch, context)
