"""Memory that belongs to no tensor: what a driver takes, and where results are read from."""

from __future__ import annotations

from collections.abc import Mapping

from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Gpu

_MIB = 1 << 20
_FLOAT_BYTES = 4
_DRIVER_MIB: Mapping[str, int] = {"cuda": 350, "rocm": 300, "sycl": 250, "vulkan": 100}


def driver_bytes(gpu: Gpu) -> int:
    """What the first use of `gpu` takes of its memory beside all buffers: context and kernels."""
    return _DRIVER_MIB.get(gpu.backend or "", 0) * _MIB


def output_bytes(header: ModelHeader, plan: Plan) -> int:
    """Where results are read from, in main memory: a row of f32 logits for each sequence."""
    return _FLOAT_BYTES * header.vocab_size * plan.parallel
