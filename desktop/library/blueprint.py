"""A header for a model that nobody has fetched: true metadata, tensors laid out by their kind.

Good enough for fit's arithmetic: context and state are exact, weights are those of the file's
stated size, spread over the tensors as the quantizer would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.gguf.mixes import depends_on_layer, tensor_bytes, tensor_type
from desktop.gguf.quantization import FILE_TYPES
from desktop.gguf.tensor_types import TENSOR_TYPES
from desktop.gguf.values import ArrayRef, MetaValue, ValueType

BYTES_A_TOKEN_OF_HEADER = 45
"""Tokens, their kinds and merges: 11 MB for 248k tokens in real files."""

_HEADERS_KEPT = 128  # about 100 kB each

_FILE_TYPE = {name: number for number, name in FILE_TYPES.items()}


@dataclass(frozen=True, slots=True)
class TensorRun:
    """Tensors of the same form; `layers` are the numbers that ``{}`` in `name` stands for."""

    name: str
    dims: tuple[int, ...]
    layers: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Blueprint:
    """`metadata` without the architecture's prefix; `source` says where the numbers stand."""

    architecture: str
    vocabulary: int
    metadata: Mapping[str, Any]
    runs: tuple[TensorRun, ...]
    source: str

    @property
    def header_bytes(self) -> int:
        """About what the file's own header takes."""
        return BYTES_A_TOKEN_OF_HEADER * self.vocabulary

    @property
    def layers(self) -> int:
        return int(self.metadata["block_count"])

    @property
    def is_tied(self) -> bool:
        return all(run.name != "output.weight" for run in self.runs)

    def file_bytes(self, quantization: str) -> int:
        """What a file of that quantization takes by llama.cpp's own rules.

        Raises KeyError for a quantization that gguf.mixes does not know.
        """
        return self.header_bytes + sum(part.nbytes for part in _laid_out(self, quantization))

    def header(
        self, name: str, file_name: str, quantization: str, file_bytes: int, licence: str
    ) -> ModelHeader:
        """As the file would say it: its tensors take what a file of `file_bytes` has for them.

        Raises KeyError for a quantization that gguf.mixes does not know.
        """
        return _header(self, name, file_name, quantization, file_bytes, licence)

    def metadata_of(self, name: str, quantization: str, licence: str) -> dict[str, MetaValue]:
        """A file's metadata with full keys."""
        own: dict[str, MetaValue] = {
            f"{self.architecture}.{key}": tuple(value) if isinstance(value, list) else value
            for key, value in self.metadata.items()
        }
        number = _file_type(quantization)
        return {
            "general.architecture": self.architecture,
            "general.name": name,
            "general.license": licence,
            **({} if number is None else {"general.file_type": number}),
            **own,
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.tokens": ArrayRef(ValueType.STRING, self.vocabulary),
        }

    def tensors_of(self, quantization: str, total_bytes: int) -> tuple[TensorInfo, ...]:
        """Its tensors, the quantized ones stretched so that all take `total_bytes`."""
        parts = _laid_out(self, quantization)
        fixed = sum(part.nbytes for part in parts if part.label == "F32")
        quantized = sum(part.nbytes for part in parts) - fixed
        factor = (total_bytes - fixed) / quantized if total_bytes > fixed and quantized else 1.0
        found = []
        offset = 0
        for part in parts:
            size = part.tensor_bytes
            if part.label != "F32":
                size = round(size * factor)
            for name in part.names:
                found.append(TensorInfo(name, part.dims, part.kind, part.label, offset, size))
                offset += size
        return tuple(found)


@lru_cache(maxsize=_HEADERS_KEPT)
def _header(
    blueprint: Blueprint,
    name: str,
    file_name: str,
    quantization: str,
    file_bytes: int,
    licence: str,
) -> ModelHeader:
    """Kept, because what fit works out of a header it works out once for each."""
    return ModelHeader(
        paths=(Path(file_name),),
        version=3,
        byte_order="little",
        metadata=MappingProxyType(blueprint.metadata_of(name, quantization, licence)),
        tensors=blueprint.tensors_of(quantization, file_bytes - blueprint.header_bytes),
        file_bytes=file_bytes,
        data_offset=blueprint.header_bytes,
        alignment=32,
        complete=False,
    )


def _file_type(quantization: str) -> int | None:
    """The number that a header notes; unsloth's _XL and _L files carry that of their base."""
    plain = quantization.removeprefix("UD-")
    for name in (plain, plain.removesuffix("_XL") + "_M", plain.removesuffix("_XL"), plain[:4]):
        if name in _FILE_TYPE:
            return _FILE_TYPE[name]
    return None


@dataclass(frozen=True, slots=True)
class _Part:
    """Tensors of one form and one type; `tensor_bytes` each."""

    names: tuple[str, ...]
    dims: tuple[int, ...]
    kind: int
    label: str
    tensor_bytes: int

    @property
    def nbytes(self) -> int:
        return self.tensor_bytes * len(self.names)


@lru_cache(maxsize=512)
def _laid_out(blueprint: Blueprint, quantization: str) -> tuple[_Part, ...]:
    found: list[_Part] = []
    for run in blueprint.runs:
        names = tuple(run.name.format(layer) for layer in run.layers) or (run.name,)
        groups = [(name,) for name in names] if depends_on_layer(run.name) else [names]
        for group in groups:
            kind = tensor_type(
                group[0], run.dims, quantization, blueprint.layers, tied=blueprint.is_tied
            )
            label, size = TENSOR_TYPES[kind].name, tensor_bytes(run.dims, kind)
            found.append(_Part(group, run.dims, kind, label, size))
    return tuple(found)
