"""A large model that recites: every matrix is computed, but the last token says what comes next.

Random weights write noise, which nothing can guess. Here attention and feed-forward add nothing,
and the output's rows are the embedding's in another order: `CHORUS` tokens go round among
themselves, all others follow each other through the whole vocabulary and never come again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

from tests.benchmarks.big_model import Shape, add_matrix
from tests.benchmarks.vocabularies import add_words

CHORUS = range(1000, 1400)
LARGE = Shape()
SMALL = Shape(layers=4, width=512, feed_forward=2048, heads=8, kv_heads=4)

_Q4, _Q6 = gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.Q6_K
_SILENT = ("attn_output", "ffn_down")


def reciting_model(shape: Shape = LARGE) -> Path:
    """The path of the model, written once into the system's folder for temporary files."""
    name = f"reciting-{shape.layers}x{shape.width}-{shape.vocab}.gguf"
    path = Path(tempfile.gettempdir()) / "hausgeist-benchmarks" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        write(part, shape)
        part.rename(path)
    return path


def next_tokens(vocab: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """By token the one that follows it."""
    following = np.arange(1, vocab + 1)
    following[vocab - 1] = 0
    following[CHORUS.start - 1] = CHORUS.stop
    following[CHORUS.stop - 1] = CHORUS.start
    return following


def write(path: Path, shape: Shape) -> None:
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
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    add_words(writer, shape.vocab)
    _add_tensors(writer, shape, np.random.default_rng(0))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tensors(writer: gguf.GGUFWriter, shape: Shape, random: np.random.Generator) -> None:
    width, kv_width = shape.width, shape.width // shape.heads * shape.kv_heads
    embedding = add_matrix(writer, random, "token_embd.weight", shape.vocab, width, _Q6)
    output = np.empty_like(embedding)
    output[next_tokens(shape.vocab)] = embedding
    writer.add_tensor("output.weight", output, raw_dtype=_Q6)
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
            weight = f"{block}{name}.weight"
            add_matrix(writer, random, weight, rows, columns, kind, silent=name in _SILENT)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write(target, LARGE)
    print(target, target.stat().st_size)
