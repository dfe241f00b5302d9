"""Tiny random LoRA adapters for the models of `tiny_models`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.tiny_models import Array, Change, finish, override


def write_tiny_lora(
    path: Path,
    *,
    architecture: str = "llama",
    tensors: Sequence[tuple[str, int, int]] = (("blk.0.attn_q.weight", 64, 64),),
    rank: int = 4,
    alpha: float = 8.0,
    strength: float = 1.0,
    seed: int = 7,
    metadata: Mapping[str, Any] | None = None,
    change: Change | None = None,
) -> Path:
    """`tensors`: name, input and output width of each that it changes."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    override(writer, metadata or {})
    random = np.random.default_rng(seed)
    weights: dict[str, Array] = {}
    for name, inner, outer in tensors:
        weights[f"{name}.lora_a"] = random.standard_normal((rank, inner), dtype=np.float32)
        weights[f"{name}.lora_b"] = random.standard_normal((outer, rank), dtype=np.float32)
        weights[f"{name}.lora_b"] *= np.float32(strength)
    if change is not None:
        change(weights)
    return finish(writer, weights)
