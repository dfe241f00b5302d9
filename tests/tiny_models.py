"""Real GGUF models for tests: random weights, below 1 MB, loaded by llama.cpp in milliseconds.

The tokenizer is a byte-level BPE (256 bytes, a few merges, the ChatML specials), so it encodes
any UTF-8, and its random answers are full of split and broken UTF-8, as a test wants it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = ("t h", "th e", "i n", "e r", "a n", "Ġ t", "Ġ a", "e n", "c h", "u n", "Ġ Ġ", "Ċ Ċ")

Array = npt.NDArray[np.float32]
Change = Callable[[dict[str, Array]], None]


def speak_signs_only(weights: dict[str, Array]) -> None:
    """Let a greedy model write nothing but digits and punctuation: each one token, always ASCII.

    All other tokens get the logit 0, and the best of thirty random ones is above that.
    """
    name = "output.weight" if "output.weight" in weights else "token_embd.weight"
    allowed = slice(ord("!"), ord("@"))
    rows = np.zeros_like(weights[name])
    rows[allowed] = weights[name][allowed]
    if name == "token_embd.weight":
        rows[:, 0] = weights[name][:, 0]  # tied: what is read must still differ
    weights[name] = rows


def byte_characters() -> list[str]:
    """The 256 characters by which a byte-level BPE writes bytes (GPT-2's table), in byte order."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in shown}
    others = (byte for byte in range(256) if byte not in table)
    table |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return [table[byte] for byte in range(256)]


def vocabulary(size: int) -> list[str]:
    """Bytes, merged pieces and specials, filled up to `size` with pieces that no text contains."""
    pieces = [*byte_characters(), *(merge.replace(" ", "") for merge in MERGES), *SPECIALS]
    return pieces + [f"<|unused_{n}|>" for n in range(size - len(pieces))]


def add_tokenizer(writer: gguf.GGUFWriter, size: int, *, add_bos: bool = False) -> None:
    pieces = vocabulary(size)
    plain = 256 + len(MERGES)
    kinds = [gguf.TokenType.NORMAL] * plain + [gguf.TokenType.CONTROL] * (len(pieces) - plain)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(pieces)
    writer.add_token_types(kinds)
    writer.add_token_merges(list(MERGES))
    writer.add_eos_token_id(pieces.index("<|im_end|>"))
    writer.add_bos_token_id(pieces.index("<|endoftext|>"))
    writer.add_add_bos_token(add_bos)


def write_tiny_model(
    path: Path,
    *,
    layers: int = 2,
    vocab: int = 288,
    seed: int = 0,
    chat_template: str | None = CHATML,
    context: int = 4096,
    width: int = 64,
    tokenizer: bool = True,
    add_bos: bool = False,
    metadata: Mapping[str, Any] | None = None,
    change: Change | None = None,
) -> Path:
    """A llama with random weights; `metadata` overrides keys, `change` may edit the weights."""
    heads, feed_forward = 4, 2 * width
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads // 2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(vocab)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    if tokenizer:
        add_tokenizer(writer, vocab, add_bos=add_bos)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    override(writer, metadata or {})
    weights = _llama_weights(np.random.default_rng(seed), layers, vocab, width, feed_forward)
    if change is not None:
        change(weights)
    return finish(writer, weights)


def _llama_weights(
    random: np.random.Generator, layers: int, vocab: int, width: int, feed_forward: int
) -> dict[str, Array]:
    def matrix(rows: int, columns: int) -> Array:
        return random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.3)

    ones = np.ones(width, dtype=np.float32)
    weights = {"token_embd.weight": matrix(vocab, width), "output_norm.weight": ones}
    weights["output.weight"] = matrix(vocab, width)
    for layer in range(layers):
        block = f"blk.{layer}."
        weights[block + "attn_norm.weight"] = ones
        weights[block + "attn_q.weight"] = matrix(width, width)
        weights[block + "attn_k.weight"] = matrix(width // 2, width)
        weights[block + "attn_v.weight"] = matrix(width // 2, width)
        weights[block + "attn_output.weight"] = matrix(width, width)
        weights[block + "ffn_norm.weight"] = ones
        weights[block + "ffn_gate.weight"] = matrix(feed_forward, width)
        weights[block + "ffn_up.weight"] = matrix(feed_forward, width)
        weights[block + "ffn_down.weight"] = matrix(width, feed_forward)
    return weights


def override(writer: gguf.GGUFWriter, metadata: Mapping[str, Any]) -> None:
    """Replace or add metadata whatever its sense; the value's type decides GGUF's type."""
    for key, value in metadata.items():
        for part in writer.kv_data:
            part.pop(key, None)
        if isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_array(key, value)


def finish(writer: gguf.GGUFWriter, weights: Mapping[str, Array]) -> Path:
    for name, values in weights.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    path = writer.path
    assert path is not None
    return Path(path)
