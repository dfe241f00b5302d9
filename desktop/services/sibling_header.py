"""From one quantization's header, what those of the others would say.

All quantizations of a model carry the same metadata and tensors; only the tensors' types differ,
and those follow from the quantization's name and the file's size.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.gguf.mixes import known_mix, tensor_bytes, tensor_type
from desktop.gguf.quantization import FILE_TYPES
from desktop.gguf.tensor_types import TENSOR_TYPES
from desktop.gguf.values import MetaValue
from desktop.hub.listing import FileGroup

_NUMBERS = {name: number for number, name in FILE_TYPES.items()}
_UNQUANTIZED = ("F32",)
_SPLIT = re.compile(r"-\d{5}-of-\d{5}$")


def model_stem(group: FileGroup) -> str:
    """The file's name without its quantization: the same for all quantizations of a model."""
    name = group.path.rpartition("/")[2].casefold().removesuffix(".gguf")
    name = _SPLIT.sub("", name)
    return re.sub(r"[-._ ]+", "-", name.replace(group.quantization.casefold(), "", 1)).strip("-")


def sibling_header(known: ModelHeader, group: FileGroup) -> ModelHeader | None:
    """The header of `group` as far as fit looks at one; None where its size or quantization is not
    known."""
    if group.size_bytes is None or not group.quantization:
        return None
    tensors = _scaled(_laid_out(known, group.quantization), group.size_bytes - known.data_offset)
    metadata: dict[str, MetaValue] = dict(known.metadata)
    number = _NUMBERS.get(group.quantization.removeprefix("UD-"))
    if number is None:
        metadata.pop("general.file_type", None)
    else:
        metadata["general.file_type"] = number
    return replace(
        known,
        paths=(Path(group.path),),
        metadata=metadata,
        tensors=tensors,
        file_bytes=group.size_bytes,
        complete=False,
        entries={},
        tensor_list=(0, 0),
    )


def _laid_out(known: ModelHeader, quantization: str) -> list[TensorInfo]:
    """With the types that a file of that name has; as they are where nobody knows its rules."""
    if not known_mix(quantization):
        return list(known.tensors)
    tied = all(tensor.name != "output.weight" for tensor in known.tensors)
    found = []
    for tensor in known.tensors:
        kind = tensor_type(tensor.name, tensor.dims, quantization, known.block_count, tied=tied)
        size = tensor_bytes(tensor.dims, kind)
        found.append(
            replace(tensor, type=kind, type_name=TENSOR_TYPES[kind].name, nbytes=size, part=0)
        )
    return found


def _scaled(tensors: list[TensorInfo], total_bytes: int) -> tuple[TensorInfo, ...]:
    """The quantized ones stretched so that all take what the file has for them."""
    fixed = sum(tensor.nbytes for tensor in tensors if tensor.type_name in _UNQUANTIZED)
    quantized = sum(tensor.nbytes for tensor in tensors) - fixed
    factor = (total_bytes - fixed) / quantized if total_bytes > fixed and quantized else 1.0
    found = []
    offset = 0
    for tensor in tensors:
        size = tensor.nbytes
        if tensor.type_name not in _UNQUANTIZED:
            size = round(size * factor)
        found.append(replace(tensor, offset=offset, nbytes=size))
        offset += size
    return tuple(found)
