"""Writes a random model in the shape of a 0.5B Llama: Q4_K_M, 128k vocabulary, about 330 MB.

`python tests/benchmarks/big_model.py PATH`; other benchmarks call `big_model()`. Its answers mean
nothing, but every matrix has the size and the type that a real model of that class has.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from tests.benchmarks.vocabularies import add_words

_BLOCK = 256
_Q4_K_BYTES, _Q6_K_BYTES = 144, 210

Raw = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shape:
    layers: int = 24
    width: int = 1024
    feed_forward: int = 4096
    heads: int = 16
    kv_heads: int = 4
    vocab: int = 128_256
    context: int = 8192


def big_model(shape: Shape = Shape()) -> Path:
    """The path of the model, written once into the system's folder for temporary files."""
    name = f"random-{shape.layers}x{shape.width}-{shape.vocab}.gguf"
    path = Path(tempfile.gettempdir()) / "hausgeist-benchmarks" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        write(part, shape)
        part.rename(path)
    return path


def write(path: Path, shape: Shape) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Random 0.5B")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(500_000.0)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    add_words(writer, shape.vocab)
    _add_tensors(writer, shape, np.random.default_rng(0))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_matrix(
    writer: gguf.GGUFWriter,
    random: np.random.Generator,
    name: str,
    rows: int,
    columns: int,
    kind: gguf.GGMLQuantizationType,
    *,
    silent: bool = False,
) -> Raw:
    """Random weights of a Q4_K or Q6_K matrix, zeros where it is to be `silent`."""
    make = _q6_k if kind == gguf.GGMLQuantizationType.Q6_K else _q4_k
    raw = make(random, rows, columns)
    if silent:
        raw[:] = 0
    writer.add_tensor(name, raw, raw_dtype=kind)
    return raw


def _add_tensors(writer: gguf.GGUFWriter, shape: Shape, random: np.random.Generator) -> None:
    q4, q6 = gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.Q6_K

    def add(name: str, rows: int, columns: int, kind: gguf.GGMLQuantizationType) -> None:
        add_matrix(writer, random, name, rows, columns, kind)

    def norm(name: str) -> None:
        writer.add_tensor(name, np.ones(shape.width, dtype=np.float32))

    width, kv_width = shape.width, shape.width // shape.heads * shape.kv_heads
    add("token_embd.weight", shape.vocab, width, q6)  # tied: also the output, as in small Llamas
    norm("output_norm.weight")
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        # Q4_K_M gives half of the layers more bits where errors hurt most.
        better = q6 if layer % 2 == 0 else q4
        norm(block + "attn_norm.weight")
        add(block + "attn_q.weight", width, width, q4)
        add(block + "attn_k.weight", kv_width, width, q4)
        add(block + "attn_v.weight", kv_width, width, better)
        add(block + "attn_output.weight", width, width, q4)
        norm(block + "ffn_norm.weight")
        add(block + "ffn_gate.weight", shape.feed_forward, width, q4)
        add(block + "ffn_up.weight", shape.feed_forward, width, q4)
        add(block + "ffn_down.weight", width, shape.feed_forward, better)


def _q4_k(random: np.random.Generator, rows: int, columns: int) -> Raw:
    """Blocks of d, dmin (f16), 12 bytes of scales, 128 of values; a deviation of about 0.02."""
    blocks = columns // _BLOCK
    raw = random.integers(0, 256, (rows, blocks, _Q4_K_BYTES), dtype=np.uint8)
    raw[..., 0:2] = np.frombuffer(np.float16(8e-5).tobytes(), np.uint8)
    raw[..., 2:4] = np.frombuffer(np.float16(6e-4).tobytes(), np.uint8)
    return raw.reshape(rows, blocks * _Q4_K_BYTES)


def _q6_k(random: np.random.Generator, rows: int, columns: int) -> Raw:
    """Blocks of 192 bytes of values, 16 scales (signed), d (f16); a deviation of about 0.02."""
    blocks = columns // _BLOCK
    raw = random.integers(0, 256, (rows, blocks, _Q6_K_BYTES), dtype=np.uint8)
    raw[..., 208:210] = np.frombuffer(np.float16(1.5e-5).tobytes(), np.uint8)
    return raw.reshape(rows, blocks * _Q6_K_BYTES)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write(target, Shape())
    print(target, target.stat().st_size)
