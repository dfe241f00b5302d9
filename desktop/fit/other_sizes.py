"""The same model with fewer bits, and a smaller one of its kind: headers for "what if"."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.gguf.mixes import tensor_bytes, tensor_type
from desktop.gguf.quantization import FILE_TYPES
from desktop.gguf.tensor_types import TENSOR_TYPES
from desktop.gguf.values import MetaValue

_FILE_TYPES = {name: number for number, name in FILE_TYPES.items()}
_LAYER = re.compile(r"blk\.(\d+)\.")
_DEPTH_SHARE = 0.4  # of a model's growth that is depth: 8B has 32 layers, 70B has 80


@lru_cache(maxsize=32)
def requantized(header: ModelHeader, quantization: str) -> ModelHeader:
    """`header` as of a file that llama.cpp's quantizer made as `quantization`."""
    tied = header.tensor("output.weight") is None
    layers = header.block_count
    tensors = []
    for tensor in header.tensors:
        kind = tensor_type(tensor.name, tensor.dims, quantization, layers, tied=tied)
        size = tensor_bytes(tensor.dims, kind)
        if size < tensor.nbytes:  # nothing is stored with more bits than it has
            name = TENSOR_TYPES[kind].name
            tensor = replace(tensor, type=kind, type_name=name, nbytes=size)
        tensors.append(tensor)
    metadata = {**header.metadata, "general.file_type": _FILE_TYPES[quantization]}
    return _with(header, metadata, tensors)


def shrunk(header: ModelHeader, parameters: int) -> ModelHeader:
    """A dense model of the same kind with about so many parameters: fewer, narrower layers.

    A mixture of experts becomes dense: of a model that is not named, no more is known.
    """
    share = min(1.0, parameters / header.parameters) if header.parameters else 1.0
    arch = header.architecture
    layers = max(1, round(header.block_count * share**_DEPTH_SHARE))
    kept = [tensor for tensor in header.tensors if _layer(tensor) < layers]
    whole = sum(tensor.values for tensor in kept) or 1
    narrower = min(1.0, parameters / whole)
    tensors = [_narrower(tensor, narrower) for tensor in kept]
    metadata = {**header.metadata, f"{arch}.block_count": layers}
    if header.expert_count:
        metadata[f"{arch}.expert_used_count"] = header.expert_count
    return _with(header, metadata, tensors)


def _narrower(tensor: TensorInfo, share: float) -> TensorInfo:
    """With fewer rows, so that bytes and values shrink alike."""
    if len(tensor.dims) < 2:
        return tensor
    *first, last = tensor.dims
    rows = max(1, round(last * share))
    return replace(tensor, dims=(*first, rows), nbytes=tensor.nbytes // max(1, last) * rows)


def _layer(tensor: TensorInfo) -> int:
    match = _LAYER.match(tensor.name)
    return int(match[1]) if match else -1


def _with(
    header: ModelHeader, metadata: dict[str, MetaValue], tensors: list[TensorInfo]
) -> ModelHeader:
    size = sum(tensor.nbytes for tensor in tensors)
    return replace(
        header,
        metadata=MappingProxyType(metadata),
        tensors=tuple(tensors),
        file_bytes=header.data_offset + size,
    )
