"""What a model file says of itself: metadata and the list of its tensors, never the weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from desktop.gguf import quantization
from desktop.gguf.shown import printable
from desktop.gguf.values import ArrayRef, MetaValue

ByteOrder = Literal["little", "big"]
Span = tuple[int, int]
"""Places in a file: the first byte, and the one behind the last."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: `offset` counts bytes from the data section of file number `part`."""

    name: str
    dims: tuple[int, ...]
    type: int
    type_name: str
    offset: int
    nbytes: int
    part: int = 0

    @property
    def values(self) -> int:
        """How many numbers the tensor holds."""
        product = 1
        for dim in self.dims:
            product *= dim
        return product


@dataclass(frozen=True, eq=False)
class ModelHeader:
    """A checked header; `paths` are all files of a split model, in order.

    `file_bytes` is what the whole model takes on disk by the tensor list, even where the data
    behind the header is missing; `complete` says whether the data is all there. `entries` and
    `tensor_list` say where the first file holds each metadata entry and its list of tensors.
    """

    paths: tuple[Path, ...]
    version: int
    byte_order: ByteOrder
    metadata: Mapping[str, MetaValue]
    tensors: tuple[TensorInfo, ...]
    file_bytes: int
    data_offset: int
    alignment: int
    complete: bool = True
    entries: Mapping[str, Span] = field(default_factory=dict)
    tensor_list: Span = (0, 0)

    def text(self, key: str) -> str | None:
        """The string under `key`; None where it is missing or something else."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None

    def integer(self, key: str) -> int | None:
        """The whole number under `key`; None where it is missing or something else."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def per_layer(self, key: str) -> int | tuple[int, ...] | None:
        """A number, or one for every layer, as `<architecture>.<key>` has it."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, int):
            return value
        if isinstance(value, tuple) and all(isinstance(item, int) for item in value):
            return tuple(int(item) for item in value)
        return None

    def arch_integer(self, key: str, default: int = 0) -> int:
        """The number under `<architecture>.<key>`; the largest where each layer has its own."""
        value = self.per_layer(key)
        if isinstance(value, tuple):
            return max(value, default=default)
        return default if value is None else value

    @cached_property
    def architecture(self) -> str:
        return self.text("general.architecture") or ""

    @cached_property
    def name(self) -> str:
        """The model's own name, else its file's name without the ending; fit to be shown."""
        own = printable((self.text("general.name") or "").strip())
        if own:
            return own
        stem = self.paths[0].stem if self.paths else ""
        return re.sub(r"-\d{5}-of-\d{5}$", "", stem)

    @property
    def size_label(self) -> str:
        return printable(self.text("general.size_label") or "")

    @property
    def block_count(self) -> int:
        return self.arch_integer("block_count")

    @property
    def context_length(self) -> int:
        """The context that the model was trained for, in tokens; 0 where it does not say."""
        return self.arch_integer("context_length")

    @property
    def embedding_length(self) -> int:
        return self.arch_integer("embedding_length")

    @property
    def head_count(self) -> int:
        return self.arch_integer("attention.head_count")

    @property
    def head_count_kv(self) -> int:
        return self.arch_integer("attention.head_count_kv", self.head_count)

    @property
    def expert_count(self) -> int:
        return self.arch_integer("expert_count")

    @property
    def expert_used_count(self) -> int:
        return self.arch_integer("expert_used_count")

    @cached_property
    def vocab_size(self) -> int:
        """Tokens in the vocabulary: from the tokenizer, else the architecture, else the tensor."""
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        if isinstance(tokens, ArrayRef):
            return tokens.count
        if isinstance(tokens, tuple):
            return len(tokens)
        stated = self.arch_integer("vocab_size")
        if stated:
            return stated
        embedding = self.tensor("token_embd.weight")
        return embedding.dims[1] if embedding is not None and len(embedding.dims) > 1 else 0

    @cached_property
    def parameters(self) -> int:
        """How many weights the model has: the values of all its tensors."""
        return sum(tensor.values for tensor in self.tensors)

    @cached_property
    def tensor_bytes(self) -> int:
        """What all tensors take, without header and padding."""
        return sum(tensor.nbytes for tensor in self.tensors)

    @property
    def bits_per_weight(self) -> float:
        """Computed from the tensors; 0.0 for a file without any."""
        return 8 * self.tensor_bytes / self.parameters if self.parameters else 0.0

    @cached_property
    def quantization(self) -> str:
        """As people know it: ``Q4_K_M``, ``IQ4_XS``, ``MXFP4``..."""
        bytes_by_type: dict[str, int] = {}
        for tensor in self.tensors:
            if len(tensor.dims) > 1:
                bytes_by_type[tensor.type_name] = (
                    bytes_by_type.get(tensor.type_name, 0) + tensor.nbytes
                )
        return quantization.name(self.integer("general.file_type"), bytes_by_type)

    @property
    def chat_template(self) -> str | None:
        return self.text("tokenizer.chat_template")

    @property
    def licence(self) -> str:
        return printable(self.text("general.license") or "")

    @property
    def is_split(self) -> bool:
        return len(self.paths) > 1

    @cached_property
    def _by_name(self) -> Mapping[str, TensorInfo]:
        return {tensor.name: tensor for tensor in self.tensors}

    def tensor(self, name: str) -> TensorInfo | None:
        return self._by_name.get(name)
