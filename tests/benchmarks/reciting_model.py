"""A large model that recites: every matrix is computed, but the last token says what comes next.

Random weights write noise, which nothing can guess. Here attention and feed-forward add nothing,
and the output's rows are the embedding's in another order: `CHORUS` tokens go round among
themselves, all others follow each other through the whole vocabulary and never come again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from tests.benchmarks.big_model import Shape, add_matrix
from tests.benchmarks.vocabularies import add_words

CHORUS = range(1000, 1400)
LARGE = Shape()
FLOATS = Shape(layers=12, width=768, feed_forward=3072, heads=12, kv_heads=12, vocab=32_000)
SMALL = Shape(layers=1, width=256, feed_forward=512, heads=4, kv_heads=4, vocab=FLOATS.vocab)

_Q4, _Q6 = gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.Q6_K
_SILENT = ("attn_output", "ffn_down")

Values = npt.NDArray[Any]


def reciting_model(shape: Shape = LARGE, *, floats: bool = False) -> Path:
    """The path of the model, written once into the system's folder for temporary files.

    `floats`: in float32, where reading the weights takes the time; else Q4_K_M.
    """
    kind = "f32" if floats else "q4"
    name = f"reciting-{shape.layers}x{shape.width}-{shape.vocab}-{kind}.gguf"
    path = Path(tempfile.gettempdir()) / "hausgeist-benchmarks" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        write(part, shape, floats=floats)
        part.rename(path)
    return path


def next_tokens(vocab: int) -> Values:
    """By token the one that follows it."""
    following = np.arange(1, vocab + 1)
    following[vocab - 1] = 0
    following[CHORUS.start - 1] = CHORUS.stop
    following[CHORUS.stop - 1] = CHORUS.start
    return following


def write(path: Path, shape: Shape, *, floats: bool) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(f"Reciting {shape.layers}x{shape.width}")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(500_000.0)
    kind = gguf.LlamaFileType.ALL_F32 if floats else gguf.LlamaFileType.MOSTLY_Q4_K_M
    writer.add_file_type(kind)
    add_words(writer, shape.vocab)
    _add_tensors(writer, shape, np.random.default_rng(0), floats=floats)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tensors(
    writer: gguf.GGUFWriter, shape: Shape, random: np.random.Generator, *, floats: bool
) -> None:
    def add(name: str, rows: int, columns: int, kind: gguf.GGMLQuantizationType) -> Values:
        silent = any(part in name for part in _SILENT)
        if not floats:
            return add_matrix(writer, random, name, rows, columns, kind, silent=silent)
        values = random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.02)
        values *= np.float32(not silent)
        writer.add_tensor(name, values)
        return values

    width, kv_width = shape.width, shape.width // shape.heads * shape.kv_heads
    embedding = add("token_embd.weight", shape.vocab, width, _Q6)
    output = np.empty_like(embedding)
    output[next_tokens(shape.vocab)] = embedding
    writer.add_tensor("output.weight", output, raw_dtype=None if floats else _Q6)
    ones = np.ones(width, dtype=np.float32)
    writer.add_tensor("output_norm.weight", ones)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        better = _Q6 if layer % 2 == 0 else _Q4
        writer.add_tensor(block + "attn_norm.weight", ones)
        writer.add_tensor(block + "ffn_norm.weight", ones)
        for name, rows, columns, kind in (
            ("attn_q", width, width, _Q4),
            ("attn_k", kv_width, width, _Q4),
            ("attn_v", kv_width, width, better),
            ("attn_output", width, width, _Q4),
            ("ffn_gate", shape.feed_forward, width, _Q4),
            ("ffn_up", shape.feed_forward, width, _Q4),
            ("ffn_down", width, shape.feed_forward, better),
        ):
            add(f"{block}{name}.weight", rows, columns, kind)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write(target, LARGE, floats=False)
    print(target, target.stat().st_size)
