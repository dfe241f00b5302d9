"""What each layer of a model keeps in memory for the context, from the header alone.

The rules are llama.cpp's (`create_memory` and the architectures' hyperparameters): which layers
attend, which look at a window only, which are recurrent, which reuse another's cache.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from desktop.fit.windows import is_windowed
from desktop.gguf.header import ModelHeader


@dataclass(frozen=True, slots=True)
class Pooled:
    """A cache whose cells stand for `tokens` tokens each: `values` a cell, K only."""

    tokens: int
    values: int


@dataclass(frozen=True, slots=True)
class LayerCache:
    """Values a context cell (`k_values`, `v_values`) and a sequence (`state_values`) cost.

    `windowed`: only the cells of the sliding window are kept. State values are f32.
    `own_cells`: every sequence has cells of its own, as many as the context has.
    """

    k_values: int = 0
    v_values: int = 0
    state_values: int = 0
    windowed: bool = False
    own_cells: bool = False
    pooled: tuple[Pooled, ...] = ()


_READERS = frozenset(
    {
        "bert",
        "eurobert",
        "jina-bert-v2",
        "jina-bert-v3",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "wavtokenizer-dec",
    }
)
_NO_CONTEXT = _READERS | {"dream", "gemma-embedding", "llada", "llada-moe", "rnd1"}
_RWKV = frozenset({"arwkv7", "rwkv6", "rwkv6qwen2", "rwkv7"})
_RECURRENT = _RWKV | {"mamba", "mamba2"}
_SHORT_CONVOLUTIONS = frozenset({"lfm2", "lfm2moe"})
_DELTA_ATTENTION = frozenset({"bailingmoe3", "glm5-next", "kimi-k3", "kimi-linear"})
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
_ROLLS_BACK = frozenset(
    {
        "bailingmoe3",
        "deepseek4",
        "glm5-next",
        "kimi-k3",
        "lfm2",
        "lfm2moe",
        "nemotron_h",
        "nemotron_h_moe",
        "qwen35",
        "qwen35moe",
        "qwen4exp",
    }
)
_KEEPS_FLASH_ATTENTION = _DELTA_ATTENTION | _FULL_ATTENTION_INTERVAL.keys()
MAX_LAYERS = 4096  # that are looked at; llama.cpp opens none with more than 512
_LOOPED = "nanbeige"
_WITH_ROUTER = "graniteswitch"  # one more layer that attends, with one head
_HEADS = ("key_length", "value_length")
_NO_FLASH_ATTENTION = ("grok",)
_QUANTIZED_BLOCK = 32
_INDEXED_BY_LAYER = frozenset(("dots3note", "glm-dsa", "glm5-next", "hy_v4"))
_GLM_SPARSE_CONTEXT = 1 << 20  # from GLM 5.2 on, where every fourth layer has an indexer
_INDEXED_RATIO = 4  # DeepSeek V4 indexes the finer of its pooled caches
_POOLED_STATES = {4: (8, 2), 128: (128, 1)}
"""DeepSeek V4, by the tokens that a cell stands for: rows of the state, their width in keys."""


def layer_caches(header: ModelHeader) -> tuple[LayerCache, ...]:
    """One entry a layer of the file, the unused prediction layers at the end included."""
    own = _blocks(header)
    caches = [_cache(header, layer) for layer in range(own)]
    if header.architecture == _LOOPED:
        caches = [caches[layer % own] for layer in range(layer_count(header))]
    if header.architecture == _WITH_ROUTER:
        key, value = (_head_values(header, name, windowed=False) for name in _HEADS)
        caches.append(LayerCache(key, value))
    return tuple(caches)


def _blocks(header: ModelHeader) -> int:
    return min(MAX_LAYERS, max(0, header.block_count))


def layer_count(header: ModelHeader) -> int:
    """Layers as llama.cpp counts them: more than the file has where it runs some repeatedly."""
    if header.architecture == _LOOPED:
        return min(MAX_LAYERS, _blocks(header) * max(1, _arch(header, "num_loops")))
    return _blocks(header) + (1 if header.architecture == _WITH_ROUTER else 0)


def used_layers(header: ModelHeader) -> int:
    """Layers that answer: without those that only predict ahead, which llama.cpp leaves out."""
    return max(0, layer_count(header) - prediction_layers(header))


def prediction_layers(header: ModelHeader) -> int:
    """Multi-token-prediction ("nextn") layers at the end of the file."""
    if header.architecture == "deepseek4" and not _has_prediction_tensors(header):
        return 0  # named by the header, left out of the file
    return min(_arch(header, "nextn_predict_layers"), _blocks(header))


def _has_prediction_tensors(header: ModelHeader) -> bool:
    first = _blocks(header) - _arch(header, "nextn_predict_layers")
    return header.tensor(f"blk.{first}.nextn.eh_proj.weight") is not None


def has_no_context(header: ModelHeader) -> bool:
    """Encoders and diffusion models: they answer a whole text at once and keep nothing."""
    return header.architecture in _NO_CONTEXT


def has_output(header: ModelHeader) -> bool:
    """Whether the model ends in scores for its vocabulary; encoders end in their last layer."""
    return header.architecture not in _READERS


def has_flash_attention(header: ModelHeader) -> bool:
    """Whether llama.cpp may use it; Grok's attention and T5's bias do not go with it."""
    return header.architecture not in _NO_FLASH_ATTENTION


def keeps_flash_attention(header: ModelHeader) -> bool:
    """Whether its recurrent layers may follow one that attends on another device.

    Those with a delta rule may; convolutions and Mamba's states mislead llama.cpp (measured).
    """
    return header.architecture in _KEEPS_FLASH_ATTENTION


def rolls_back(header: ModelHeader) -> bool:
    """Whether llama.cpp keeps earlier states too, to go back by single tokens.

    Source: llama.cpp's llm_arch_supports_rs_rollback.
    """
    return header.architecture in _ROLLS_BACK


def quantizable_heads(header: ModelHeader) -> bool:
    """Whether llama.cpp opens a quantized context: whole blocks in every head, flash attention."""
    if header.architecture in _NO_FLASH_ATTENTION:
        return False
    return all(
        _head_values(header, key, windowed) % _QUANTIZED_BLOCK == 0
        for key in _HEADS
        for windowed in (False, True)
    )


def is_recurrent_only(header: ModelHeader) -> bool:
    """Whether the context's memory does not grow with its length."""
    return header.architecture in _RECURRENT


def _cache(header: ModelHeader, layer: int) -> LayerCache:
    arch = header.architecture
    if layer >= used_layers(header) or arch in _NO_CONTEXT:
        return LayerCache()
    if arch == "deepseek4":
        return _deepseek4(header, layer)
    recurrent = _is_recurrent(header, layer)
    state = state_values(header) if recurrent or arch == "falcon-h1" else 0
    if recurrent and arch == "qwen4exp":
        state += _history_values(header, layer)
    if not _attends(header, layer, recurrent):
        return LayerCache(state_values=state)
    cache = attention_cache(header, layer)
    return replace(cache, state_values=state) if state else cache


def attention_cache(header: ModelHeader, layer: int) -> LayerCache:
    """What `layer` keeps if it attends, a layer that only predicts ahead included."""
    arch = header.architecture
    windowed = is_windowed(header, layer)
    heads = _at(header, "attention.head_count_kv", layer, max(0, header.head_count))
    k = _head_values(header, "key_length", windowed) * heads
    v = _head_values(header, "value_length", windowed) * heads
    if has_compressed_keys(header):
        v = 0  # the values are unpacked from the keys
    if _has_indexer(header, layer):
        k += _indexer_values(header)
        # MiniMax's cache of the indexer has values too, though none are read.
        v += _head_values(header, "value_length", windowed) if arch == "minimax-m3" else 0
    return LayerCache(k, v, windowed=windowed)


def has_compressed_keys(header: ModelHeader) -> bool:
    """Latent attention (MLA): one compressed row a cell, which holds keys and values."""
    return bool(
        _arch(header, "attention.key_length_mla") and _arch(header, "attention.value_length_mla")
    )


def _deepseek4(header: ModelHeader, layer: int) -> LayerCache:
    """A window of keys, and further back keys that stand for 4 or 128 tokens each.

    Source: llama.cpp's llama_kv_cache_dsv4. The states between the pooled cells are kept twice
    (values and their scores).
    """
    heads = _at(header, "attention.head_count_kv", layer, max(0, header.head_count))
    width = _head_values(header, "key_length", windowed=False)
    tokens = _at(header, "attention.compress_ratios", layer)
    pooled: tuple[Pooled, ...] = ()
    state = 0
    if tokens in _POOLED_STATES:
        rows, widths = _POOLED_STATES[tokens]
        pooled = (Pooled(tokens, width * heads),)
        state = 2 * rows * widths * width
        if tokens == _INDEXED_RATIO:
            index = _arch(header, "attention.indexer.key_length")
            pooled += (Pooled(tokens, index),)
            state += 2 * rows * widths * index
    return LayerCache(width * heads, 0, state, windowed=True, own_cells=True, pooled=pooled)


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
        return _blocks(header) - _arch(header, "attention.shared_kv_layers")
    return None


def _is_recurrent(header: ModelHeader, layer: int) -> bool:
    arch = header.architecture
    if arch in _RECURRENT:
        return True
    no_kv_heads = _at(header, "attention.head_count_kv", layer, max(0, header.head_count)) == 0
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


def state_values(header: ModelHeader) -> int:
    """f32 values that a recurrent layer keeps for each sequence.

    Source: facts/memory.md and llama.cpp's `n_embd_r` + `n_embd_s`.
    """
    arch, width = header.architecture, _width(header)
    if arch in _RWKV:
        shifts = header.per_layer("token_shift_count")
        kept = shifts if isinstance(shifts, int) else 2
        return width * max(0, kept) + width * _arch(header, "wkv.head_size")
    if arch in _SHORT_CONVOLUTIONS:
        return width * max(0, _arch(header, "shortconv.l_cache") - 1)
    heads = _at(header, "attention.head_count", 0)
    convolution = _arch(header, "ssm.conv_kernel")
    if arch in _DELTA_ATTENTION:
        size = _arch(header, "kda.head_dim")
        kept = convolution - 1 if convolution else 3
        return 3 * kept * heads * size + size * size * heads
    if arch == "minimax-01":
        size = _head_values(header, "key_length", windowed=False)
        return size * size * heads
    inner, state = _arch(header, "ssm.inner_size"), _arch(header, "ssm.state_size")
    groups = 0 if arch == "mamba" or arch == "jamba" else _arch(header, "ssm.group_count")
    return max(0, convolution - 1) * (inner + 2 * groups * state) + state * inner


def recurs(header: ModelHeader) -> bool:
    """Whether any layer keeps a state instead of a cache, or besides."""
    if header.architecture == "falcon-h1":
        return True
    return any(_is_recurrent(header, layer) for layer in range(used_layers(header)))


def has_indexer(header: ModelHeader) -> bool:
    """Whether any layer finds the cells to attend to by small keys of its own."""
    return any(_has_indexer(header, layer) for layer in range(used_layers(header)))


def _has_indexer(header: ModelHeader, layer: int) -> bool:
    """Whether the layer keeps small keys besides, by which it finds what to attend to."""
    arch = header.architecture
    if arch in ("deepseek32", "qwen4exp"):
        return True
    if arch == "minimax-m3":
        return layer >= _arch(header, "leading_dense_block_count")
    if arch == "hy_v4" and not _arch(header, "attention.indexer.top_k"):
        return False
    if arch not in _INDEXED_BY_LAYER:
        return False
    if is_windowed(header, layer):
        return False
    kinds = header.per_layer("attention.indexer.types")
    if isinstance(kinds, tuple):
        return layer < len(kinds) and bool(kinds[layer])
    if isinstance(kinds, int):
        return bool(kinds)
    if arch == "glm-dsa" and header.context_length >= _GLM_SPARSE_CONTEXT:
        return layer < 2 or layer % 4 == 2
    return arch in ("glm-dsa", "glm5-next")


def _indexer_values(header: ModelHeader) -> int:
    keys = _arch(header, "attention.indexer.key_length")
    # Keys, gates and pooled keys, where they are pooled.
    return 3 * keys if header.architecture == "glm5-next" else keys


def _history_values(header: ModelHeader, layer: int) -> int:
    """f32 values of the hashed n-grams' convolution, on the one layer that has it."""
    layers = header.per_layer("ple.layers")
    if not isinstance(layers, tuple) or layer not in layers:
        return 0
    ngram = _arch(header, "ple.ngram_size")
    if ngram < 2 or not _arch(header, "ple.heads_per_ngram"):
        return 0
    kept = max(0, _arch(header, "ple.conv_kernel") - 1)
    return kept * ngram * _arch(header, "hyper_connection.count") * _width(header)


def _head_values(header: ModelHeader, key: str, windowed: bool) -> int:
    """Values of one head's key or value; none where the first layer has no heads."""
    if windowed:
        own = header.per_layer(f"attention.{key}_swa")
        if isinstance(own, int):
            return max(0, own)
    heads = _at(header, "attention.head_count", 0)
    if heads == 0:
        return 0
    stated = header.per_layer(f"attention.{key}")
    return max(0, stated) if isinstance(stated, int) else _width(header) // heads


def _width(header: ModelHeader) -> int:
    return max(0, header.embedding_length)


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
