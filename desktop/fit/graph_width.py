"""How many values one token has in the air at the widest place of a model's graph.

llama.cpp's compute buffer is, but for masks, this number times the rows of a micro-batch. The
sums below follow its graphs (`build_ffn`, `build_moe_ffn`, latent attention, recurrent layers) and
were fitted to dry runs of 80 real shapes of 60 architectures: -2 to +15 %, mostly within 2 %.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from desktop.fit.layers import has_compressed_keys, has_indexer, has_output, recurs, state_values
from desktop.gguf.header import ModelHeader

_EXPERTS = re.compile(r"blk\.(\d+)\.ffn_(up|gate_up|down)_exps\.weight")
_DENSE = re.compile(r"blk\.(\d+)\.ffn_(up|gate|down)\.weight")
_ONE_EXPERT_BUFFER = frozenset(
    {
        "afmoe",
        "gpt-oss",
        "hunyuan-moe",
        "llama",
        "lfm2moe",
        "mimo2",
        "minimax-m2",
        "olmoe",
        "phimoe",
    }
    | {"jamba", "llama4", "smallthinker"}
)
"""Where an expert's result is weighted in place, it is not there twice."""
_PARALLEL_BLOCKS = frozenset({"cohere2", "cohere2moe", "command-r", "falcon", "gptneox", "phi2"})
_SPLIT_HEADS = frozenset({"gptneox"})
"""Where queries are copied out of one product with keys and values, as where heads are scaled."""
_RELATIVE_BIAS = frozenset({"t5", "t5encoder"})
_WITH_INDEXER = frozenset({"deepseek32", "glm-dsa", "dots3note", "hy_v4"})
_INDEX_VALUES_A_HEAD = 600
_INDEX_QUERIES = 3  # as they come, turned, and turned by heads
_VALUES_A_CHOSEN_CELL = 8  # its number and its place in the mask, sorted and copied
_RWKV_WIDTHS = 20
_RWKV = frozenset({"arwkv7", "rwkv6", "rwkv6qwen2", "rwkv7"})


@dataclass(frozen=True, slots=True)
class GraphWidth:
    """f32 values: a token's at the widest place, those that stay on the host, attention's.

    `cell_values` are for each cell of the context besides, `unfused_cell_values` where flash
    attention is off; `state_values` are there once a sequence. Where an indexer chooses cells,
    each has a score (`index_cell_values`), and at most `chosen_cells` are sorted.
    """

    values: int
    host_values: int
    attention_values: int
    cell_values: int
    unfused_cell_values: int
    state_values: int
    recurrent_values: int
    index_cell_values: int = 0
    chosen_cells: int = 0

    def chosen_values(self, cells: int) -> int:
        """What the chosen ones of `cells` take, for one token."""
        return _VALUES_A_CHOSEN_CELL * min(cells, self.chosen_cells)


def graph_width(header: ModelHeader) -> GraphWidth:
    """Of the model as its header and its tensors' shapes describe it."""
    width = max(0, header.embedding_length)
    heads = max(0, header.head_count)
    attended = heads * _head(header, "value_length")
    queries = max(attended, heads * _head(header, "key_length"))
    keys = 2 * max(0, header.head_count_kv) * _head(header, "key_length")
    attention = 4 * width + queries + keys
    if header.architecture in _SPLIT_HEADS or header.tensor("blk.0.attn_q_norm.weight"):
        attention += attended
    if has_compressed_keys(header):
        attended = heads * _count(header, "attention.value_length_mla")
        attention = 4 * width + heads * _latent(header)
    indexed = header.architecture in _WITH_INDEXER and has_indexer(header)
    if indexed:
        index = _count(header, "attention.indexer.head_count")
        index *= _count(header, "attention.indexer.key_length")
        attention += heads * _INDEX_VALUES_A_HEAD + _INDEX_QUERIES * index
    stages = [attention, _recurrent(header)]
    base = _around(header) * width + attended
    stages.append(base + _dense(header))
    stages += _mixture(header, base)
    if header.architecture in _RWKV:
        stages.append(_RWKV_WIDTHS * width)
    deep = _count(header, "n_deepstack_layers")
    by_layer = _embedded_by_layer(header)
    relative = 3 * heads + 2 if header.architecture in _RELATIVE_BIAS else 0
    return GraphWidth(
        values=max(stages) + 2 * deep * width + 2 * by_layer,
        host_values=(2 + deep) * width + by_layer,
        attention_values=attention,
        cell_values=relative,
        unfused_cell_values=heads + 1,
        state_values=state_values(header) if recurs(header) else 0,
        recurrent_values=_recurring(header),
        index_cell_values=1 if indexed else 0,
        chosen_cells=_count(header, "attention.indexer.top_k") if indexed else 0,
    )


def _embedded_by_layer(header: ModelHeader) -> int:
    """Values of a token's embeddings for all layers, where each has one of its own."""
    rows = header.tensor("per_layer_token_embd.weight")
    return rows.dims[0] if rows is not None and rows.dims else 0


def _around(header: ModelHeader) -> int:
    """How often a token's whole vector is there beside a feed-forward block's rows."""
    if header.architecture in _PARALLEL_BLOCKS:
        return 4
    return 3 if has_output(header) else 2


def _dense(header: ModelHeader) -> int:
    """A feed-forward block's rows: up, gate and their product; without a gate, one."""
    matrices: dict[str, dict[str, int]] = {}
    for tensor in header.tensors:
        match = _DENSE.fullmatch(tensor.name)
        if match is not None and len(tensor.dims) > 1:
            rows = tensor.dims[0] if match[2] == "down" else tensor.dims[1]
            matrices.setdefault(match[1], {})[match[2]] = rows
    return max(map(_block_rows, matrices.values()), default=0)


def _block_rows(block: Mapping[str, int]) -> int:
    up, down = block.get("up", 0), block.get("down", 0)
    if "gate" in block:
        return 3 * max(up, down)
    # A matrix twice as high as the next is wide holds the gate as well.
    return up + down if up == 2 * down else up


def _mixture(header: ModelHeader, base: int) -> list[int]:
    used, width = max(0, header.expert_used_count), max(0, header.embedding_length)
    rows = 0
    for tensor in header.tensors:
        match = _EXPERTS.fullmatch(tensor.name)
        if match is not None and len(tensor.dims) > 1:
            rows = max(rows, tensor.dims[0] if match[2] == "down" else tensor.dims[1])
    if not header.expert_count or not rows:
        return []
    shared = _count(header, "expert_shared_feed_forward_length")
    inside = base + 3 * used * rows + shared
    if width > 2 * rows:
        inside += used * width  # does not fit where up and gate were
    if header.architecture in _ONE_EXPERT_BUFFER:
        return [inside]
    again = 2 * width if has_compressed_keys(header) else 0
    return [inside, 2 * used * (width + rows) + again]


def _recurrent(header: ModelHeader) -> int:
    inner = _count(header, "ssm.inner_size")
    if not inner or not recurs(header):
        return 0
    return 4 * max(0, header.embedding_length) + 3 * inner + 2 * _mixed(header)


def _recurring(header: ModelHeader) -> int:
    if header.architecture in _RWKV:
        return 6 * max(0, header.embedding_length)
    return 3 * _mixed(header) if recurs(header) else 0


def _mixed(header: ModelHeader) -> int:
    """What goes through a recurrent layer's convolution."""
    states = _count(header, "ssm.group_count") * _count(header, "ssm.state_size")
    return _count(header, "ssm.inner_size") + 2 * states


def _latent(header: ModelHeader) -> int:
    """One head's query: as it is, compressed, compressed and turned, without the turned part."""
    key = _count(header, "attention.key_length_mla")
    return (
        2 * key
        - _count(header, "rope.dimension_count")
        + _head(header, "key_length")
        + _head(header, "value_length")
    )


def _head(header: ModelHeader, key: str) -> int:
    stated = _count(header, f"attention.{key}")
    heads = max(0, header.head_count)
    return stated or (max(0, header.embedding_length) // heads if heads else 0)


def _count(header: ModelHeader, key: str) -> int:
    return max(0, header.arch_integer(key))
