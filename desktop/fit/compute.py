"""An estimate of llama.cpp's compute buffers, for where its dry run cannot be asked.

There is no closed form, but the graph's widest place (`graph_width`) times the rows of a
micro-batch and the attention masks come near: over 870 recorded dry runs of 80 real shapes the
whole (weights, context and this) is met within 0.1 % in the median, and erring upward.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from desktop.fit.memory import CPU, Footprint, padded_context
from desktop.fit.types import Plan

_FLOAT = 4
_MASK_BYTES = 2  # flash attention reads the mask as f16
_BASE_BYTES = 1 << 20
_COPIES = 4  # of the graph's inputs on each of several cards that work at the same time
_OFFLOADS_LONG_PROMPTS = ("CUDA", "ROCm", "Vulkan", "SYCL", "MTL", "Metal", "GPU", "CANN", "MUSA")
_WORK_AHEAD = ("CUDA", "ROCm", "SYCL")


class ComputeEstimator(Protocol):
    """Asks llama.cpp: compute bytes by device for a plan, or None where it cannot be asked."""

    def __call__(self, plan: Plan, /) -> Mapping[str, int] | None: ...


def estimated_compute(footprint: Footprint, plan: Plan, devices: tuple[str, ...]) -> dict[str, int]:
    """Compute bytes on main memory and on each of `devices` that hold layers."""
    width = footprint.width
    context = padded_context(plan.context)
    rows = min(max(plan.ubatch, plan.parallel), context)
    masks = _mask_bytes(footprint, plan, rows)
    row = _row_values(footprint, plan, context, offloaded=bool(devices) and plan.gpu_layers > 0)
    states = _FLOAT * width.state_values * plan.parallel
    buffer = _BASE_BYTES + _FLOAT * rows * row + states + masks
    if not devices or plan.gpu_layers == 0:
        return {CPU: buffer}
    # Main memory keeps the inputs of the graph.
    embedding = _FLOAT * rows * max(0, footprint.header.embedding_length)
    host = _BASE_BYTES + _FLOAT * rows * width.host_values + masks
    copied = 0
    whole = plan.gpu_layers >= footprint.all_layers
    if not whole or plan.expert_layers_on_cpu > 0:
        host = buffer
        if devices[0].startswith(_OFFLOADS_LONG_PROMPTS):
            # Long prompts are computed on the GPU with weights copied there one at a time.
            copied = footprint.largest_block_bytes
    elif len(devices) > 1 and all(name.startswith(_WORK_AHEAD) for name in devices):
        copied = (_COPIES - 1) * (masks + embedding)
    on_card = max(0, buffer - embedding) + copied
    on_card += _FLOAT * rows * width.cell_values * context // (2 if whole else 5)
    if plan.gpu_layers == 1 and not devices[0].startswith(_OFFLOADS_LONG_PROMPTS):
        # Only results of whole sequences are worked out there.
        header = footprint.header
        results = rows if width.cell_values else plan.parallel  # T5 scores every token
        on_card = _FLOAT * results * (max(0, header.embedding_length) + max(0, header.vocab_size))
    return {CPU: host, **dict.fromkeys(devices, on_card)}


def _row_values(footprint: Footprint, plan: Plan, context: int, *, offloaded: bool) -> int:
    """f32 values that one token has in the air at the graph's widest place."""
    width = footprint.width
    values = width.values + width.cell_values * context
    flash = plan.flash_attention and footprint.flash_attention
    if flash and not (offloaded and footprint.flash_attention_fails(plan.gpu_layers)):
        return values
    return max(values, width.attention_values + width.unfused_cell_values * context)


def _mask_bytes(footprint: Footprint, plan: Plan, rows: int) -> int:
    if footprint.reads_whole:
        return _MASK_BYTES * rows * rows
    if not any(cache.k_values for cache in footprint.caches):
        return 0
    cells = padded_context(plan.context)
    cells += footprint.window_cells(plan) if footprint.window else 0
    return _MASK_BYTES * cells * rows
