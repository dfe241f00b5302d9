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
from desktop.fit.vectors import computes_logits, makes_vectors, output_rows, rows_read

_FLOAT = 4
_MASK_BYTES = 2  # flash attention reads the mask as f16, other attention as f32
_BASE_BYTES = 1 << 20
_COPIES = 4  # of the graph's inputs on each of several cards that work at the same time
_OFFLOADS_LONG_PROMPTS = ("CUDA", "ROCm", "Vulkan", "SYCL", "MTL", "Metal", "GPU", "CANN", "MUSA")
_WORK_AHEAD = ("CUDA", "ROCm", "SYCL")
_TWO_MASKS = frozenset({"gemma-embedding", "modern-bert"})  # encoders, some layers windowed
_OWN_TOKENS_ONLY = ("t5encoder",)  # biases for each pair of the text's tokens
_READS_FIRST = ("t5",)
_READ_WIDTHS = 5  # what was read, its keys and values, and copies of them


class ComputeEstimator(Protocol):
    """Asks llama.cpp: compute bytes by device for a plan, or None where it cannot be asked."""

    def __call__(self, plan: Plan, /) -> Mapping[str, int] | None: ...


def estimated_compute(footprint: Footprint, plan: Plan, devices: tuple[str, ...]) -> dict[str, int]:
    """Compute bytes on main memory and on each of `devices` that hold layers."""
    work = _Work(footprint, plan)
    if not devices or plan.gpu_layers == 0:
        return {CPU: work.buffer(unfused=not work.flash)}
    offloads = devices[0].startswith(_OFFLOADS_LONG_PROMPTS)
    fails = work.fails
    if not work.whole or min(plan.expert_layers_on_cpu, footprint.expert_layers) > 0:
        if offloads:
            # Long prompts are computed on the card, with weights copied there one or two at a
            # time; only the attention of the host's own layers stays.
            host = work.inputs(attends=True, unfused=fails or not work.flash)
            card = work.on_card(unfused=not work.flash) + work.embedding
            largest = footprint.largest_block_bytes
            # So is a layer's context, where the card attends for the host.
            attended = footprint.largest_context_bytes(plan) if not work.whole else 0
            card = max(card + largest, card // 2 + 2 * largest, card + attended + largest)
        else:
            attends = fails or not (work.flash or work.whole)
            host = work.buffer(unfused=attends)
            card = work.on_card(unfused=fails or not work.flash)
            if plan.gpu_layers == 1:
                card = work.results()
    else:
        host = work.inputs(attends=False, unfused=False)
        card = work.on_card(unfused=not work.flash)
        if len(devices) > 1 and all(name.startswith(_WORK_AHEAD) for name in devices):
            card += (_COPIES - 1) * (work.masks + work.embedding)
    return {CPU: host, **dict.fromkeys(devices, card)}


class _Work:
    """The parts of the buffers for one micro-batch of `plan`, in bytes."""

    def __init__(self, footprint: Footprint, plan: Plan) -> None:
        self._width = footprint.width
        self._parallel = plan.parallel
        self._output_rows = output_rows(footprint.header, plan)
        self._words = (
            max(0, footprint.header.vocab_size) if computes_logits(footprint.header) else 0
        )
        self._guesses = self._output_rows > plan.parallel and self._words > 0
        rows = min(max(plan.ubatch, plan.parallel), padded_context(plan.context))
        if makes_vectors(footprint.header):
            rows = rows_read(footprint.header, plan)
        own = footprint.header.architecture in _OWN_TOKENS_ONLY
        self._context = rows if own else padded_context(plan.context)
        self.whole = plan.gpu_layers >= footprint.all_layers
        self._rows = rows
        self._embedding_values = max(0, footprint.header.embedding_length)
        self.flash = plan.flash_attention and footprint.flash_attention
        self.fails = footprint.flash_attention_fails(plan.gpu_layers, plan.kv_type)
        self.embedding = _FLOAT * self._rows * self._embedding_values
        self.masks = _mask_bytes(footprint, plan, self._rows)
        self.masks *= 1 if self.flash and not self.fails else 2
        self._read = 0
        if footprint.header.architecture in _READS_FIRST:
            # As long as in training, until something is read.
            read = max(0, footprint.header.context_length)
            self._read = _FLOAT * read * self._embedding_values
            self.masks += self._read + _MASK_BYTES * read * rows

    def buffer(self, *, unfused: bool) -> int:
        """All of it on one device; `unfused`: attention writes its scores down."""
        width = self._width
        values = width.values + width.cell_values * self._context
        if width.index_cell_values:
            scores = width.index_cell_values * self._context + width.chosen_values(self._context)
            values = max(values, width.attention_values + scores)
        if unfused:
            scores = width.unfused_cell_values * self._context
            values = max(values, width.attention_values + scores)
        states = _FLOAT * width.state_values * self._parallel
        attended = _BASE_BYTES + _FLOAT * self._rows * values + states + self.masks
        scored = _BASE_BYTES + self.results() + self.masks if self._guesses else 0
        return max(attended, scored, _READ_WIDTHS * self._read)

    def on_card(self, *, unfused: bool) -> int:
        """What is computed there; the embedding's rows stay in main memory."""
        relative = self._width.cell_values * self._context // (2 if self.whole else 5)
        buffer = self.buffer(unfused=unfused) + _FLOAT * self._rows * relative
        return max(0, buffer - self.embedding)

    def inputs(self, *, attends: bool, unfused: bool) -> int:
        """What main memory keeps of a graph that is computed elsewhere."""
        values = self._width.host_values
        values += self._embedding_values + self._width.recurrent_values if attends else 0
        values += self._width.unfused_cell_values * self._context if unfused else 0
        if self._width.cell_values:
            # At least which bias belongs to which cell.
            values += (self._width.cell_values if attends else 1) * self._context
        return _BASE_BYTES + _FLOAT * self._rows * values + self.masks

    def results(self) -> int:
        """The scores alone, of whole sequences; T5 scores every token."""
        rows = self._rows if self._width.cell_values else self._output_rows
        return _FLOAT * rows * (self._embedding_values + self._words)


def _mask_bytes(footprint: Footprint, plan: Plan, rows: int) -> int:
    if footprint.reads_whole:
        windowed = footprint.header.architecture in _TWO_MASKS
        return _MASK_BYTES * rows * rows * (2 if windowed else 1)
    if not any(cache.k_values for cache in footprint.caches):
        return 0
    cells = padded_context(plan.context)
    # An indexer has a mask of its own.
    cells *= 2 if footprint.width.index_cell_values else 1
    cells += footprint.window_cells(plan) if footprint.window else 0
    return _MASK_BYTES * cells * rows
