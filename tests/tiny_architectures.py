"""Tiny random models whose memory works otherwise than a llama's: recurrent, sliding window."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from tests.tiny_models import CHATML, Array, Change, add_tokenizer, finish

_WIDTH = 64


def write_tiny_mamba(
    path: Path, *, layers: int = 2, vocab: int = 288, seed: int = 0, change: Change | None = None
) -> Path:
    """Recurrent state: a sequence can be extended or dropped, never cut."""
    inner, kernel, state, rank = 2 * _WIDTH, 4, 16, 8
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_name("Tiny Mamba")
    writer.add_context_length(4096)
    writer.add_embedding_length(_WIDTH)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(layers)
    writer.add_ssm_conv_kernel(kernel)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    writer.add_layer_norm_rms_eps(1e-5)
    add_tokenizer(writer, vocab)
    writer.add_chat_template(CHATML)
    random = np.random.default_rng(seed)
    weights = _ends(random, vocab)
    for layer in range(layers):
        block = f"blk.{layer}."
        weights |= {
            block + "attn_norm.weight": _ones(_WIDTH),
            block + "ssm_in.weight": _matrix(random, 2 * inner, _WIDTH),
            block + "ssm_conv1d.weight": _matrix(random, inner, kernel),
            block + "ssm_conv1d.bias": np.zeros(inner, dtype=np.float32),
            block + "ssm_x.weight": _matrix(random, rank + 2 * state, inner),
            block + "ssm_dt.weight": _matrix(random, inner, rank),
            block + "ssm_dt.bias": np.zeros(inner, dtype=np.float32),
            block + "ssm_a": -np.abs(_matrix(random, inner, state)) - np.float32(0.1),
            block + "ssm_d": _ones(inner),
            block + "ssm_out.weight": _matrix(random, _WIDTH, inner),
        }
    if change is not None:
        change(weights)
    return finish(writer, weights)


def write_tiny_gemma2(
    path: Path,
    *,
    layers: int = 2,
    vocab: int = 288,
    window: int = 64,
    seed: int = 0,
    change: Change | None = None,
) -> Path:
    """Every other layer sees `window` tokens back, and the cache forgets what lies further."""
    heads, head = 4, 16
    writer = gguf.GGUFWriter(path, "gemma2")
    writer.add_name("Tiny Gemma")
    writer.add_context_length(4096)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_sliding_window(window)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_attn_logit_softcapping(50.0)
    writer.add_final_logit_softcapping(30.0)
    add_tokenizer(writer, vocab)
    writer.add_chat_template(CHATML)
    random = np.random.default_rng(seed)
    weights = _ends(random, vocab)
    del weights["output.weight"]
    for layer in range(layers):
        block = f"blk.{layer}."
        for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            weights[f"{block}{name}.weight"] = _ones(_WIDTH)
        for name in ("attn_q", "attn_k", "attn_v"):
            weights[f"{block}{name}.weight"] = _matrix(random, heads * head, _WIDTH)
        weights[block + "attn_output.weight"] = _matrix(random, _WIDTH, heads * head)
        weights[block + "ffn_gate.weight"] = _matrix(random, 2 * _WIDTH, _WIDTH)
        weights[block + "ffn_up.weight"] = _matrix(random, 2 * _WIDTH, _WIDTH)
        weights[block + "ffn_down.weight"] = _matrix(random, _WIDTH, 2 * _WIDTH)
    if change is not None:
        change(weights)
    return finish(writer, weights)


def write_tiny_qwen2vl(
    path: Path, *, layers: int = 2, vocab: int = 288, seed: int = 0, change: Change | None = None
) -> Path:
    """Positions have four parts (M-RoPE): a picture takes fewer of them than cells."""
    heads = 4
    writer = gguf.GGUFWriter(path, "qwen2vl")
    writer.add_name("Tiny Qwen2-VL")
    writer.add_context_length(4096)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_sections([2, 3, 3, 0])
    add_tokenizer(writer, vocab)
    writer.add_chat_template(CHATML)
    random = np.random.default_rng(seed)
    weights = _ends(random, vocab)
    for layer in range(layers):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            weights[f"{block}{name}.weight"] = _ones(_WIDTH)
        for name in ("attn_q", "attn_k", "attn_v"):
            weights[f"{block}{name}.weight"] = _matrix(random, _WIDTH, _WIDTH)
            weights[f"{block}{name}.bias"] = np.zeros(_WIDTH, dtype=np.float32)
        weights[block + "attn_output.weight"] = _matrix(random, _WIDTH, _WIDTH)
        weights[block + "ffn_gate.weight"] = _matrix(random, 2 * _WIDTH, _WIDTH)
        weights[block + "ffn_up.weight"] = _matrix(random, 2 * _WIDTH, _WIDTH)
        weights[block + "ffn_down.weight"] = _matrix(random, _WIDTH, 2 * _WIDTH)
    if change is not None:
        change(weights)
    return finish(writer, weights)


def write_tiny_qwen3_reranker(path: Path, *, template: str = "", seed: int = 0) -> Path:
    """Reads a question and a document as a chat model would, and ends in "yes" against "no"."""
    layers, heads, vocab = 2, 4, 288
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name("Tiny Qwen3 Reranker")
    writer.add_context_length(1024)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_pooling_type(gguf.PoolingType.RANK)
    writer.add_array("qwen3.classifier.output_labels", ["yes", "no"])
    if template:
        writer.add_string("tokenizer.chat_template.rerank", template)
    add_tokenizer(writer, vocab)
    random = np.random.default_rng(seed)
    weights = _ends(random, vocab)
    weights["cls.output.weight"] = _matrix(random, 2, _WIDTH) * np.float32(0.2)
    for layer in range(layers):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            weights[f"{block}{name}.weight"] = _ones(_WIDTH)
        for name in ("attn_q_norm", "attn_k_norm"):
            weights[f"{block}{name}.weight"] = _ones(_WIDTH // heads)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights[f"{block}{name}.weight"] = _matrix(random, _WIDTH, _WIDTH)
        for name in ("ffn_gate", "ffn_up"):
            weights[f"{block}{name}.weight"] = _matrix(random, 2 * _WIDTH, _WIDTH)
        weights[block + "ffn_down.weight"] = _matrix(random, _WIDTH, 2 * _WIDTH)
    return finish(writer, weights)


def write_tiny_gpt2(path: Path, *, layers: int = 1, context: int = 64, seed: int = 0) -> Path:
    """A learned place for each of `context` positions: there are no further ones."""
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_name("Tiny Two")
    writer.add_context_length(context)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(4)
    writer.add_layer_norm_eps(1e-5)
    add_tokenizer(writer, 288)
    writer.add_chat_template(CHATML)
    random = np.random.default_rng(seed)
    weights = _ends(random, 288)
    weights["position_embd.weight"] = _matrix(random, context, _WIDTH)
    weights["output_norm.bias"] = np.zeros(_WIDTH, dtype=np.float32)
    for layer in range(layers):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            weights[f"{block}{name}.weight"] = _ones(_WIDTH)
            weights[f"{block}{name}.bias"] = np.zeros(_WIDTH, dtype=np.float32)
        for name, rows, columns in (
            ("attn_qkv", 3 * _WIDTH, _WIDTH),
            ("attn_output", _WIDTH, _WIDTH),
            ("ffn_up", 2 * _WIDTH, _WIDTH),
            ("ffn_down", _WIDTH, 2 * _WIDTH),
        ):
            weights[f"{block}{name}.weight"] = _matrix(random, rows, columns)
            weights[f"{block}{name}.bias"] = np.zeros(rows, dtype=np.float32)
    return finish(writer, weights)


def write_tiny_bert(
    path: Path,
    *,
    layers: int = 1,
    seed: int = 0,
    pooling: gguf.PoolingType = gguf.PoolingType.MEAN,
    context: int = 512,
    vocab: int = 288,
) -> Path:
    """Reads and never writes: an embedding model, or a reranker where `pooling` is RANK."""
    heads = 4
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("Tiny Bert")
    writer.add_context_length(context)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(heads)
    writer.add_layer_norm_eps(1e-5)
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(pooling)
    writer.add_token_type_count(2)
    add_tokenizer(writer, vocab)
    random = np.random.default_rng(seed)
    shapes = {
        "token_embd": (vocab, _WIDTH),
        "token_types": (2, _WIDTH),
        "position_embd": (context, _WIDTH),
    }
    square = ("attn_q", "attn_k", "attn_v", "attn_output")
    norms = {"token_embd_norm"}
    biased: dict[str, tuple[int, int]] = {}
    if pooling is gguf.PoolingType.RANK:
        biased |= {"cls": (_WIDTH, _WIDTH), "cls.output": (1, _WIDTH)}
    for layer in range(layers):
        block = f"blk.{layer}."
        biased |= {block + name: (_WIDTH, _WIDTH) for name in square}
        biased[block + "ffn_up"] = (2 * _WIDTH, _WIDTH)
        biased[block + "ffn_down"] = (_WIDTH, 2 * _WIDTH)
        norms |= {block + "attn_output_norm", block + "layer_output_norm"}
    weights = {f"{name}.weight": _matrix(random, *shape) for name, shape in shapes.items()}
    for name, shape in biased.items():
        weights[f"{name}.weight"] = _matrix(random, *shape)
        weights[f"{name}.bias"] = np.zeros(shape[0], dtype=np.float32)
    for name in norms:
        weights[f"{name}.weight"] = _ones(_WIDTH)
        weights[f"{name}.bias"] = np.zeros(_WIDTH, dtype=np.float32)
    return finish(writer, weights)


def _ends(random: np.random.Generator, vocab: int) -> dict[str, Array]:
    return {
        "token_embd.weight": _matrix(random, vocab, _WIDTH),
        "output_norm.weight": _ones(_WIDTH),
        "output.weight": _matrix(random, vocab, _WIDTH),
    }


def _matrix(random: np.random.Generator, rows: int, columns: int) -> Array:
    return random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.3)


def _ones(count: int) -> Array:
    return np.ones(count, dtype=np.float32)
