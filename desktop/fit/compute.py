"""An estimate of llama.cpp's compute buffers, for where its dry run cannot be asked.

There is no closed form (mixtures of experts, partial offload). What follows counts the values of
a micro-batch at the graph's widest place and the attention mask over the context; with it the
sums of twelve architectures' dry runs on the CPU are met within a few per cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from desktop.fit.memory import CPU, Footprint, padded_context
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader

_FLOAT = 4
_MASK_BYTES = 2  # flash attention reads the mask as f16
_BASE_BYTES = 1 << 20


class ComputeEstimator(Protocol):
    """Asks llama.cpp: compute bytes by device for a plan, or None where it cannot be asked."""

    def __call__(self, plan: Plan, /) -> Mapping[str, int] | None: ...


def estimated_compute(footprint: Footprint, plan: Plan, devices: tuple[str, ...]) -> dict[str, int]:
    """Compute bytes on main memory and on each of `devices` that hold layers."""
    header = footprint.header
    masks = _mask_bytes(footprint, plan)
    rows = min(plan.ubatch, padded_context(plan.context))
    buffer = _BASE_BYTES + _FLOAT * rows * _row_values(header) + masks
    if not devices or plan.gpu_layers == 0:
        return {CPU: buffer}
    # Main memory keeps the inputs of the graph, and the logits as they are read out.
    width = _FLOAT * rows * header.embedding_length
    host = 2 * width + _FLOAT * rows * _per_layer_values(header) + masks
    copied = 0
    if plan.gpu_layers < footprint.all_layers or plan.expert_layers_on_cpu > 0:
        # Long prompts are computed on the GPU with weights copied there one at a time.
        host = buffer
        blocks = (tensor.nbytes for tensor in header.tensors if "blk." in tensor.name)
        copied = max(blocks, default=0)
    return {CPU: host, **dict.fromkeys(devices, buffer - width + copied)}


def logits_bytes(header: ModelHeader, plan: Plan) -> int:
    """Where the results are read from: one row of logits a sequence, in main memory."""
    return _FLOAT * header.vocab_size * plan.parallel


def _row_values(header: ModelHeader) -> int:
    """f32 values that one token has in the air at the graph's widest place."""
    width = header.embedding_length
    dense = 4 * width + 3 * header.arch_integer("feed_forward_length")
    expert_width = header.arch_integer("expert_feed_forward_length")
    experts = 2 * header.expert_used_count * (width + expert_width) if expert_width else 0
    recurrent = 4 * width + 5 * header.arch_integer("ssm.inner_size")
    if experts:
        dense = experts + 2 * width
    return max(dense + 2 * _per_layer_values(header), recurrent)


def _per_layer_values(header: ModelHeader) -> int:
    """Gemma looks up a row for each layer before the first."""
    return header.arch_integer("embedding_length_per_layer_input") * header.block_count


def _mask_bytes(footprint: Footprint, plan: Plan) -> int:
    if not any(cache.k_values for cache in footprint.caches):
        return 0
    context = padded_context(plan.context)
    cells = context + (footprint.window_cells(plan) if footprint.window else 0)
    return _MASK_BYTES * cells * min(plan.ubatch, context)
