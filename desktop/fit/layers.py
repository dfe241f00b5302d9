"""What each layer of a model keeps in memory for the context, from the header alone.

The rules are llama.cpp's (`create_memory` and the architectures' hyperparameters): which layers
attend, which look at a window only, which are recurrent, which reuse another's cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.gguf.header import ModelHeader


@dataclass(frozen=True, slots=True)
class LayerCache:
    """Values a context cell (`k_values`, `v_values`) and a sequence (`state_values`) cost.

    `windowed`: only the cells of the sliding window are kept. State values are f32.
    """

    k_values: int = 0
    v_values: int = 0
    state_values: int = 0
    windowed: bool = False


@dataclass(frozen=True, slots=True)
class _Window:
    """Every `period`-th layer attends to everything; `first` says whether it leads its group."""

    period: int
    first: bool = False
    default: int = 0  # the window's size where the header does not say
    fixed: int = 0  # the window's size whatever the header says


_WINDOWS: Mapping[str, _Window] = {
    "afmoe": _Window(4),
    "cohere2": _Window(4),
    "cohere2moe": _Window(4, first=True),
    "exaone-moe": _Window(4, default=128),
    "exaone4": _Window(4, default=4096),
    "gemma2": _Window(2, default=4096),
    "gemma3": _Window(6),
    "gemma3n": _Window(5),
    "gpt-oss": _Window(2),
    "laguna": _Window(4, first=True),
    "llama4": _Window(4, default=8192, fixed=8192),
    "mellum": _Window(4),
    "muse-glimmer": _Window(4),
    "olmo2": _Window(4),
    "plamo3": _Window(8),
    "smallthinker": _Window(4, first=True, fixed=4096),
    # These say in the header which layers have a window; the period is never used.
    "dots3note": _Window(1),
    "gemma4": _Window(1),
    "granite_swa": _Window(1),
    "maple": _Window(1),
    "mimo2": _Window(1),
    "spark2_5": _Window(1),
    "step35": _Window(1),
}
"""Architectures whose sliding window llama.cpp honours; others that name one are dense to it."""

_NO_CONTEXT = frozenset(
    {
        "bert",
        "dream",
        "eurobert",
        "gemma-embedding",
        "jina-bert-v2",
        "jina-bert-v3",
        "llada",
        "llada-moe",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "rnd1",
        "t5encoder",
        "wavtokenizer-dec",
    }
)
_RECURRENT = frozenset({"arwkv7", "mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7"})
_RECURRENT_WITHOUT_KV_HEADS = frozenset(
    {
        "bailingmoe3",
        "glm5-next",
        "granitehybrid",
        "jamba",
        "kimi-k3",
        "kimi-linear",
        "lfm2",
        "lfm2moe",
        "plamo2",
    }
)
_FULL_ATTENTION_INTERVAL = {
    "qwen3next": 4,
    "qwen35": 4,
    "qwen35moe": 4,
    "qwen4exp": 4,
    "minimax-01": 8,
}
_INDEXED = frozenset(("deepseek32", "glm-dsa"))


def layer_caches(header: ModelHeader) -> tuple[LayerCache, ...]:
    """One entry a layer of the file, the unused prediction layers at the end included."""
    return tuple(_cache(header, layer) for layer in range(header.block_count))


def window_tokens(header: ModelHeader) -> int:
    """The sliding window's size in tokens; 0 where the model has none that counts."""
    rule = _WINDOWS.get(header.architecture)
    if rule is None:
        # LFM2 may have a window on all its attending layers.
        return _arch(header, "attention.sliding_window") if header.architecture == "lfm2" else 0
    if header.architecture == "exaone4" and used_layers(header) != 64:
        return 0  # only the 32B has one
    stated = header.per_layer("attention.sliding_window")
    size = rule.default if stated is None else _arch(header, "attention.sliding_window")
    return rule.fixed if size and rule.fixed else size


def used_layers(header: ModelHeader) -> int:
    """Layers that answer: without those that only predict ahead, which llama.cpp leaves out."""
    return header.block_count - prediction_layers(header)


def prediction_layers(header: ModelHeader) -> int:
    """Multi-token-prediction ("nextn") layers at the end of the file."""
    return min(_arch(header, "nextn_predict_layers"), header.block_count)


def has_no_context(header: ModelHeader) -> bool:
    """Encoders and diffusion models: they answer a whole text at once and keep nothing."""
    return header.architecture in _NO_CONTEXT


def is_recurrent_only(header: ModelHeader) -> bool:
    """Whether the context's memory does not grow with its length."""
    return header.architecture in _RECURRENT


def _cache(header: ModelHeader, layer: int) -> LayerCache:
    arch = header.architecture
    if layer >= used_layers(header) or arch in _NO_CONTEXT:
        return LayerCache()
    recurrent = _is_recurrent(header, layer)
    state = _state_values(header) if recurrent or arch == "falcon-h1" else 0
    if not _attends(header, layer, recurrent):
        return LayerCache(state_values=state)
    windowed = _is_windowed(header, layer)
    heads = _at(header, "attention.head_count_kv", layer, header.head_count)
    k = _head_values(header, "key_length", windowed) * heads
    v = _head_values(header, "value_length", windowed) * heads
    if _arch(header, "attention.key_length_mla") and _arch(header, "attention.value_length_mla"):
        v = 0  # the values are unpacked from the keys
    if arch in _INDEXED and _has_indexer(header, layer):
        k += _arch(header, "attention.indexer.key_length")
    return LayerCache(k, v, state, windowed)


def _attends(header: ModelHeader, layer: int, recurrent: bool) -> bool:
    arch = header.architecture
    if arch in _RECURRENT or (recurrent and arch != "falcon-h1"):
        return False
    if arch in ("nemotron_h", "nemotron_h_moe"):
        return _at(header, "feed_forward_length", layer) == 0
    own = _layers_with_own_cache(header)
    return own is None or layer < own


def _layers_with_own_cache(header: ModelHeader) -> int | None:
    """Gemma's later layers look into an earlier layer's cache."""
    if header.architecture == "gemma3n":
        return 20
    if header.architecture == "gemma4":
        return header.block_count - _arch(header, "attention.shared_kv_layers")
    return None


def _is_recurrent(header: ModelHeader, layer: int) -> bool:
    arch = header.architecture
    if arch in _RECURRENT:
        return True
    no_kv_heads = _at(header, "attention.head_count_kv", layer, header.head_count) == 0
    if arch in _RECURRENT_WITHOUT_KV_HEADS:
        return no_kv_heads
    if arch in ("nemotron_h", "nemotron_h_moe"):
        return no_kv_heads and _at(header, "feed_forward_length", layer) == 0
    if arch in _FULL_ATTENTION_INTERVAL:
        if header.per_layer("attention.recurrent_layers") is not None:
            return bool(_at(header, "attention.recurrent_layers", layer))
        default = _FULL_ATTENTION_INTERVAL[arch]
        interval = _arch(header, "full_attention_interval") or default
        return (layer + 1) % interval != 0
    return False


def _state_values(header: ModelHeader) -> int:
    """f32 values that a recurrent layer keeps for each sequence.

    Source: facts/memory.md and llama.cpp's `n_embd_r` + `n_embd_s`.
    """
    width = header.embedding_length
    if head_size := _arch(header, "wkv.head_size"):
        shifts = header.per_layer("token_shift_count")
        return width * (shifts if isinstance(shifts, int) else 2) + width * head_size
    if cells := _arch(header, "shortconv.l_cache"):
        return width * (cells - 1)
    heads = _at(header, "attention.head_count", 0)
    convolution = _arch(header, "ssm.conv_kernel")
    if head_size := _arch(header, "kda.head_dim"):
        kept = convolution - 1 if convolution else 3
        return 3 * kept * heads * head_size + head_size * head_size * heads
    if header.architecture == "minimax-01":
        head_size = _head_values(header, "key_length", windowed=False)
        return head_size * head_size * heads
    inner, state = _arch(header, "ssm.inner_size"), _arch(header, "ssm.state_size")
    groups = _arch(header, "ssm.group_count")
    return max(0, convolution - 1) * (inner + 2 * groups * state) + state * inner


def _is_windowed(header: ModelHeader, layer: int) -> bool:
    if not window_tokens(header):
        return False
    rule = _WINDOWS.get(header.architecture)
    if rule is None:
        return True  # LFM2
    pattern = header.per_layer("attention.sliding_window_pattern")
    if isinstance(pattern, tuple):
        return layer < len(pattern) and bool(pattern[layer])
    period = rule.period if pattern is None else pattern
    if period == 0:
        return True
    return layer % period != (0 if rule.first else period - 1)


def _has_indexer(header: ModelHeader, layer: int) -> bool:
    kinds = header.per_layer("attention.indexer.types")
    if header.architecture == "glm-dsa" and isinstance(kinds, tuple):
        return layer < len(kinds) and bool(kinds[layer])
    return True


def _head_values(header: ModelHeader, key: str, windowed: bool) -> int:
    """Values of one head's key or value; none where the first layer has no heads."""
    if windowed:
        own = header.per_layer(f"attention.{key}_swa")
        if isinstance(own, int):
            return own
    heads = _at(header, "attention.head_count", 0)
    if heads == 0:
        return 0
    stated = header.per_layer(f"attention.{key}")
    return stated if isinstance(stated, int) else header.embedding_length // heads


def _arch(header: ModelHeader, key: str) -> int:
    return max(0, header.arch_integer(key))


def _at(header: ModelHeader, key: str, layer: int, default: int = 0) -> int:
    """The value of one layer, where each may have its own."""
    value = header.per_layer(key)
    if value is None:
        return default
    if isinstance(value, int):
        return max(0, value)
    return max(0, value[layer]) if layer < len(value) else 0
