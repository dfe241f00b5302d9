"""Writes GGUF files for tests: any metadata, any tensor list, and files that lie.

Independent of the reader under test and of the `gguf` package, so that byte order, version,
counts and lengths can be wrong on purpose. Tensor data is a hole in the file unless asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

ByteOrder = Literal["little", "big"]

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
_LETTERS = dict(
    zip((U8, I8, U16, I16, U32, I32, F32, BOOL, U64, I64, F64), "BbHhIif?Qqd", strict=True)
)

BLOCKS = {  # code: (name, values in a block, bytes of a block)
    "F32": (0, 1, 4),
    "F16": (1, 1, 2),
    "Q4_0": (2, 32, 18),
    "Q8_0": (8, 32, 34),
    "Q2_K": (10, 256, 84),
    "Q3_K": (11, 256, 110),
    "Q4_K": (12, 256, 144),
    "Q5_K": (13, 256, 176),
    "Q6_K": (14, 256, 210),
    "IQ4_NL": (20, 32, 18),
    "IQ4_XS": (23, 256, 136),
    "BF16": (30, 1, 2),
    "MXFP4": (39, 32, 17),
}


@dataclass(frozen=True)
class Typed:
    """A value whose GGUF type is said; `raw` replaces its bytes."""

    type: int
    value: object = None
    raw: bytes | None = None


@dataclass(frozen=True)
class Array:
    """An array; `count` is what the file claims, where that is not the truth."""

    item_type: int
    items: Sequence[object] = ()
    count: int | None = None
    raw: bytes | None = None


@dataclass(frozen=True)
class Tensor:
    """A tensor; `offset` None puts it behind the one before, `code` overrides the type."""

    name: str
    dims: tuple[int, ...]
    type: str = "F32"
    offset: int | None = None
    code: int | None = None

    @property
    def nbytes(self) -> int:
        _, block_values, block_bytes = BLOCKS[self.type]
        values = 1
        for dim in self.dims:
            values *= dim
        return values // block_values * block_bytes


@dataclass(frozen=True)
class Layout:
    """How to write a file; everything but `version` and `byte_order` is there to lie with."""

    version: int = 3
    byte_order: ByteOrder = "little"
    magic: bytes = b"GGUF"
    tensor_count: int | None = None
    key_count: int | None = None
    alignment: int = 32


class Writer:
    """Packs values in one byte order."""

    def __init__(self, layout: Layout) -> None:
        self._sign = "<" if layout.byte_order == "little" else ">"
        self._layout = layout

    def number(self, letter: str, value: object) -> bytes:
        return struct.pack(self._sign + letter, value)

    def text(self, value: str | bytes) -> bytes:
        raw = value.encode() if isinstance(value, str) else value
        return self.number("Q", len(raw)) + raw

    def value(self, value: object) -> bytes:
        """Type code and value."""
        if isinstance(value, Array):
            return self.number("I", ARRAY) + self.array(value)
        if isinstance(value, Typed):
            body = value.raw if value.raw is not None else self._bare(value.type, value.value)
            return self.number("I", value.type) + body
        code = _natural_type(value)
        return self.number("I", code) + self._bare(code, value)

    def array(self, array: Array) -> bytes:
        count = len(array.items) if array.count is None else array.count
        head = self.number("I", array.item_type) + self.number("Q", count)
        if array.raw is not None:
            return head + array.raw
        return head + b"".join(self._bare(array.item_type, item) for item in array.items)

    def _bare(self, code: int, value: object) -> bytes:
        if code == STRING:
            assert isinstance(value, str | bytes)
            return self.text(value)
        if code == ARRAY:
            assert isinstance(value, Array)
            return self.array(value)
        return self.number(_LETTERS[code], value)

    def header(
        self,
        metadata: Mapping[str, object] | Sequence[tuple[str | bytes, object]],
        tensors: Sequence[Tensor],
    ) -> bytes:
        """All bytes in front of the tensor data, padded."""
        layout = self._layout
        entries = list(metadata.items()) if isinstance(metadata, Mapping) else list(metadata)
        out = [layout.magic, self.number("I", layout.version)]
        tensor_count = len(tensors) if layout.tensor_count is None else layout.tensor_count
        out.append(self.number("Q", tensor_count))
        out.append(self.number("Q", len(entries) if layout.key_count is None else layout.key_count))
        out += [self.text(key) + self.value(value) for key, value in entries]
        next_offset = 0
        for tensor in tensors:
            offset = next_offset if tensor.offset is None else tensor.offset
            code = BLOCKS[tensor.type][0] if tensor.code is None else tensor.code
            out.append(self.text(tensor.name) + self.number("I", len(tensor.dims)))
            out += [self.number("Q", dim) for dim in tensor.dims]
            out.append(self.number("I", code) + self.number("Q", offset))
            next_offset = padded(offset + tensor.nbytes, layout.alignment)
        header = b"".join(out)
        return header.ljust(padded(len(header), layout.alignment), b"\0")


def _natural_type(value: object) -> int:
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        return U32 if 0 <= value < 1 << 32 else I64
    if isinstance(value, float):
        return F32
    if isinstance(value, str | bytes):
        return STRING
    raise TypeError(f"no GGUF type for {value!r}")


def padded(size: int, alignment: int = 32) -> int:
    return -(-size // alignment) * alignment


def header_bytes(
    metadata: Mapping[str, object] | Sequence[tuple[str | bytes, object]],
    tensors: Sequence[Tensor] = (),
    layout: Layout | None = None,
) -> bytes:
    return Writer(layout or Layout()).header(metadata, tensors)


def write_gguf(
    path: Path,
    metadata: Mapping[str, object] | Sequence[tuple[str | bytes, object]],
    tensors: Sequence[Tensor] = (),
    *,
    version: int = 3,
    byte_order: ByteOrder = "little",
    layout: Layout | None = None,
    with_data: bool = True,
) -> Path:
    """A GGUF at `path`; its tensor data is a hole of zeros, or missing without `with_data`."""
    chosen = layout or Layout(version=version, byte_order=byte_order)
    header = header_bytes(metadata, tensors, chosen)
    with path.open("wb") as file:
        file.write(header)
        if with_data and tensors:
            file.truncate(len(header) + data_bytes(tensors, chosen.alignment))
    return path


def data_bytes(tensors: Sequence[Tensor], alignment: int = 32) -> int:
    """What the tensors take, each padded."""
    return sum(padded(tensor.nbytes, alignment) for tensor in tensors)


def write_split(
    path: Path, metadata: Mapping[str, object], parts: Sequence[Sequence[Tensor]]
) -> Path:
    """A split model; `path` is ``name.gguf``, the first part is returned."""
    total = sum(len(part) for part in parts)
    names = [
        path.with_name(f"{path.stem}-{n + 1:05d}-of-{len(parts):05d}.gguf")
        for n in range(len(parts))
    ]
    for number, (name, tensors) in enumerate(zip(names, parts, strict=True)):
        split = {
            "split.no": Typed(U16, number),
            "split.count": Typed(U16, len(parts)),
            "split.tensors.count": Typed(I32, total),
        }
        write_gguf(name, {**(metadata if number == 0 else {}), **split}, tensors)
    return names[0]


@dataclass(frozen=True)
class LlamaShape:
    """A model of the llama family, by its sizes."""

    layers: int = 2
    embedding: int = 256
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 512
    vocab: int = 300
    context: int = 2048
    type: str = "Q4_K"
    output_type: str = "Q6_K"
    tied: bool = False
    architecture: str = "llama"

    def metadata(self, **more: object) -> dict[str, object]:
        """Metadata with a tokenizer of `vocab` made-up tokens; `more` uses __ for dots."""
        arch = self.architecture
        made: dict[str, object] = {
            "general.architecture": arch,
            "general.name": "Test",
            "general.file_type": 15,
            f"{arch}.block_count": self.layers,
            f"{arch}.context_length": self.context,
            f"{arch}.embedding_length": self.embedding,
            f"{arch}.feed_forward_length": self.feed_forward,
            f"{arch}.attention.head_count": self.heads,
            f"{arch}.attention.head_count_kv": self.kv_heads,
            f"{arch}.attention.layer_norm_rms_epsilon": 1e-5,
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.tokens": Array(STRING, [f"t{i}" for i in range(self.vocab)]),
        }
        made |= {key.replace("__", "."): value for key, value in more.items()}
        return made

    def tensors(self) -> list[Tensor]:
        e, f = self.embedding, self.feed_forward
        kv = e // self.heads * self.kv_heads
        tensors = [Tensor("token_embd.weight", (e, self.vocab), self.type)]
        for layer in range(self.layers):
            shapes = {
                "attn_norm": ((e,), "F32"),
                "attn_q": ((e, e), self.type),
                "attn_k": ((e, kv), self.type),
                "attn_v": ((e, kv), self.type),
                "attn_output": ((e, e), self.type),
                "ffn_norm": ((e,), "F32"),
                "ffn_gate": ((e, f), self.type),
                "ffn_up": ((e, f), self.type),
                "ffn_down": ((f, e), self.type),
            }
            tensors += [
                Tensor(f"blk.{layer}.{name}.weight", dims, kind)
                for name, (dims, kind) in shapes.items()
            ]
        tensors.append(Tensor("output_norm.weight", (e,)))
        if not self.tied:
            tensors.append(Tensor("output.weight", (e, self.vocab), self.output_type))
        return tensors

    def write(self, path: Path, *, with_data: bool = True, **more: object) -> Path:
        return write_gguf(path, self.metadata(**more), self.tensors(), with_data=with_data)

    def with_(self, **changes: object) -> LlamaShape:
        return replace(self, **changes)  # type: ignore[arg-type]
