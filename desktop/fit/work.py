"""What computing one token takes, layer by layer, from the header alone: bytes, products, heads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from desktop.fit.memory import EXPERTS, INPUT, LAYER, Footprint
from desktop.gguf.header import ModelHeader, TensorInfo

_NODES_A_LAYER = 9  # additions, rotations, the cache, attention, the gate
_NODES_OF_ROUTING = 14
_NODES_OF_A_STATE = 12
_VALUES_OF_A_STATE = 3  # each is read, changed and written


@dataclass(frozen=True, slots=True)
class Products:
    """Matrices of one tensor type that a token is multiplied with: their bytes and values.

    `values` have passed through them twice (multiplied, added): 2 operations a value and token.
    """

    type_name: str
    nbytes: float
    values: float
    of_experts: bool = False


@dataclass(frozen=True, slots=True)
class LayerWork:
    """One layer (or the output at the end) and one token.

    `heads` look at every cell of the context (`windowed`: of the window), `head_values` is the
    size of one's key and value together. `row_values` are written between the products,
    `nodes` the operations of the graph.
    """

    products: tuple[Products, ...] = ()
    heads: int = 0
    head_values: int = 0
    windowed: bool = False
    row_values: int = 0
    nodes: int = 0
    expert_products: tuple[Products, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """`layers` one by one; the output is computed for the last token of a batch alone."""

    layers: tuple[LayerWork, ...]
    output: LayerWork


_known: WeakKeyDictionary[ModelHeader, Work] = WeakKeyDictionary()


def work_of(footprint: Footprint) -> Work:
    """Computed once a header: hundreds of plans are made of one."""
    header = footprint.header
    work = _known.get(header)
    if work is None:
        work = _known[header] = _work(footprint)
    return work


def _work(footprint: Footprint) -> Work:
    header = footprint.header
    share = _expert_share(header)
    inside: list[list[TensorInfo]] = [[] for _ in range(footprint.layers)]
    ends: list[TensorInfo] = []
    for tensor in header.tensors:
        match = LAYER.match(tensor.name)
        if match is None:
            if not tensor.name.startswith(INPUT):
                ends.append(tensor)
        elif int(match[1]) < footprint.used_layers:
            inside[int(match[1])].append(tensor)
    embedding = header.tensor("token_embd.weight")
    if footprint.tied and embedding is not None:
        ends.append(embedding)
    layers = tuple(_layer(footprint, n, tensors, share) for n, tensors in enumerate(inside))
    return Work(layers, LayerWork(products=_products(ends), nodes=2))


def _layer(footprint: Footprint, number: int, tensors: list[TensorInfo], share: float) -> LayerWork:
    header, cache = footprint.header, footprint.caches[number]
    experts = [tensor for tensor in tensors if EXPERTS.search(tensor.name)]
    dense = [tensor for tensor in tensors if not EXPERTS.search(tensor.name)]
    if not dense and not experts:
        return LayerWork()
    attends = cache.k_values > 0 or footprint.reads_whole or _has_attention(tensors)
    heads = _heads(header, number) if attends else 0
    nodes = len(tensors) + _NODES_A_LAYER
    nodes += _NODES_OF_ROUTING if experts else 0
    nodes += _NODES_OF_A_STATE if cache.state_values else 0
    row_values = sum(tensor.dims[1] for tensor in dense if len(tensor.dims) > 1)
    row_values += header.expert_used_count * sum(tensor.dims[1] for tensor in experts)
    row_values += 4 * header.embedding_length + _VALUES_OF_A_STATE * cache.state_values
    return LayerWork(
        products=_products(dense),
        heads=heads,
        head_values=_head_values(header, cache.v_values == 0),
        windowed=cache.windowed,
        row_values=row_values,
        nodes=nodes,
        expert_products=_products(experts, share, of_experts=True),
    )


def _products(
    tensors: Iterable[TensorInfo], share: float = 1.0, *, of_experts: bool = False
) -> tuple[Products, ...]:
    sums: dict[str, tuple[float, float]] = {}
    for tensor in tensors:
        nbytes, values = sums.get(tensor.type_name, (0.0, 0.0))
        sums[tensor.type_name] = nbytes + share * tensor.nbytes, values + share * tensor.values
    return tuple(
        Products(name, nbytes, values, of_experts) for name, (nbytes, values) in sums.items()
    )


def _expert_share(header: ModelHeader) -> float:
    experts, used = header.expert_count, header.expert_used_count
    return min(1.0, used / experts) if experts > 0 and used > 0 else 1.0


def _has_attention(tensors: list[TensorInfo]) -> bool:
    """Layers that look into another layer's cache keep nothing themselves."""
    return any(".attn_q" in tensor.name for tensor in tensors)


def _heads(header: ModelHeader, layer: int) -> int:
    count = header.per_layer("attention.head_count")
    if isinstance(count, tuple):
        return max(0, count[layer]) if layer < len(count) else 0
    return max(0, count or 0)


def _head_values(header: ModelHeader, latent: bool) -> int:
    """Of one head's key and value; a compressed cache is looked at as it is by every head."""
    heads = max(1, header.head_count)
    usual = header.embedding_length // heads
    key = max(0, header.arch_integer("attention.key_length")) or usual
    value = max(0, header.arch_integer("attention.value_length")) or usual
    return 2 * key if latent else key + value
