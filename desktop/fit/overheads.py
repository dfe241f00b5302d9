"""Memory that belongs to no tensor: what a driver takes, and where results are read from."""

from __future__ import annotations

from collections.abc import Mapping

from desktop.fit.types import Plan
from desktop.fit.vectors import makes_vectors, output_rows
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Gpu

_MIB = 1 << 20
_FLOAT_BYTES = 4
_DRIVER_MIB: Mapping[str, int] = {"cuda": 460, "rocm": 170, "sycl": 170, "vulkan": 32}
"""By backend, as llama.cpp's own breakdown of memory shows it in public logs ("unaccounted", or
what is no longer free once the backend is up): CUDA 451-456 on three RTX 4090 (ggml-org/llama.cpp
pull 15860) and 506 on an RTX 5090 (pull 25465); ROCm 164 on an RX 9070 XT; Vulkan 17 on an RX
9060 XT (pull 20858). SYCL has no figure and is taken for ROCm. Metal and RPC: nothing of note."""


def driver_bytes(gpu: Gpu) -> int:
    """What the first use of `gpu` takes of its memory beside all buffers: context and kernels."""
    return _DRIVER_MIB.get(gpu.backend or "", 0) * _MIB


def output_bytes(header: ModelHeader, plan: Plan) -> int:
    """Where results are read from, in main memory: rows of f32 logits.

    T5 keeps what its encoder read besides, prediction heads read the hidden values of all tokens.
    Vectors of texts lie beside logits that nobody asked for.
    """
    row = max(0, header.vocab_size)
    if header.architecture == "t5" or makes_vectors(header):
        row += max(0, header.embedding_length)
    values = row * output_rows(header, plan)
    if plan.mtp:
        values += max(0, header.embedding_length) * plan.batch_tokens
    return _FLOAT_BYTES * values
