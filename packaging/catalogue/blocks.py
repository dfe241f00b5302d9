"""The tensors that most architectures share, written once for many layers.

A run is (name with {} for the layer, dims, layers); a tensor of its own has no layers. Names and
dims are those of llama.cpp's converter, fastest dimension first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Value = int | float | str | list[int] | list[bool]
Layers = tuple[int, ...]


@dataclass(frozen=True)
class Run:
    name: str
    dims: tuple[int, ...]
    layers: Layers = ()


@dataclass(frozen=True)
class Shape:
    """One model's metadata (without the architecture's prefix), its vocabulary and tensors."""

    architecture: str
    vocabulary: int
    metadata: Mapping[str, Value]
    runs: tuple[Run, ...]

    @property
    def parameters(self) -> int:
        """The values of all tensors."""
        total = 0
        for run in self.runs:
            values = 1
            for dim in run.dims:
                values *= dim
            total += values * max(1, len(run.layers))
        return total


def common(
    layers: int, width: int, heads: int | list[int], kv: int | list[int], context: int, ff: Value
) -> dict[str, Value]:
    """The keys that every architecture has."""
    return {
        "block_count": layers,
        "context_length": context,
        "embedding_length": width,
        "feed_forward_length": ff,
        "attention.head_count": heads,
        "attention.head_count_kv": kv,
        "attention.layer_norm_rms_epsilon": 1e-6,
    }


def heads_of(size: int, value: int | None = None) -> dict[str, Value]:
    return {"attention.key_length": size, "attention.value_length": value or size}


def ends(width: int, vocabulary: int, *, tied: bool, norm: str = "output_norm") -> list[Run]:
    """Embedding, last norm, and the output where it is not the embedding again."""
    runs = [Run("token_embd.weight", (width, vocabulary)), Run(f"{norm}.weight", (width,))]
    if not tied:
        runs.append(Run("output.weight", (width, vocabulary)))
    return runs


def each(layers: Iterable[int], **shapes: tuple[int, ...]) -> list[Run]:
    """One run a keyword; `__` in a name stands for a dot, a trailing `_` for no ``.weight``."""
    numbers = tuple(layers)
    if not numbers:
        return []
    runs = []
    for key, dims in shapes.items():
        name = key.replace("__", ".")
        name = name[:-1] if name.endswith("_") else f"{name}.weight"
        runs.append(Run(f"blk.{{}}.{name}", dims, numbers))
    return runs


def attention(layers: Iterable[int], width: int, q: int, kv: int, *, v: bool = True) -> list[Run]:
    numbers = tuple(layers)
    runs = each(numbers, attn_norm=(width,), attn_q=(width, q), attn_k=(width, kv))
    if v:
        runs += each(numbers, attn_v=(width, kv))
    return runs + each(numbers, attn_output=(q, width))


def feed_forward(layers: Iterable[int], width: int, ff: int, *, norm: bool = True) -> list[Run]:
    numbers = tuple(layers)
    runs = each(numbers, ffn_norm=(width,)) if norm else []
    return runs + each(numbers, ffn_gate=(width, ff), ffn_up=(width, ff), ffn_down=(ff, width))


def experts(layers: Iterable[int], width: int, ff: int, count: int) -> list[Run]:
    return each(
        layers,
        ffn_gate_inp=(width, count),
        ffn_gate_exps=(width, ff, count),
        ffn_up_exps=(width, ff, count),
        ffn_down_exps=(ff, width, count),
    )


def shared_expert(layers: Iterable[int], width: int, ff: int) -> list[Run]:
    return each(
        layers,
        ffn_gate_shexp=(width, ff),
        ffn_up_shexp=(width, ff),
        ffn_down_shexp=(ff, width),
    )


def expert_keys(count: int, used: int, ff: int, shared_ff: int = 0) -> dict[str, Value]:
    keys: dict[str, Value] = {
        "expert_count": count,
        "expert_used_count": used,
        "expert_feed_forward_length": ff,
    }
    if shared_ff:
        keys["expert_shared_feed_forward_length"] = shared_ff
    return keys
