"""Tiny models for guessing ahead: reciters, one with prediction heads, one that rolls back."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from tests.tiny_models import CHATML, Array, Change, add_tokenizer, finish

_WIDTH = 64
_SILENT = ("attn_output.weight", "ffn_down", "shortconv.out_proj", "ssm_out")
_NORMS_AHEAD = ("enorm", "hnorm", "shared_head_norm")
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def recited(start: str, count: int, *, order: int = 0) -> str:
    """What a reciting model writes behind `start`."""
    following = dict(zip(_cycle(order), _cycle(order)[1:] + _cycle(order)[:1], strict=True))
    text = start
    for _ in range(count):
        text += following[text[-1]]
    return text[len(start) :]


def reciting(order: int = 0, *, seed: int = 0) -> Change:
    """A greedy model that writes the letters and digits round and round, in a shuffled order.

    Its layers compute as others do, but add nothing: what comes next depends on the last token.
    """

    def change(weights: dict[str, Array]) -> None:
        random = np.random.default_rng(seed)
        embedding = weights["token_embd.weight"]
        signs = random.choice(np.array([-1.0, 1.0], dtype=np.float32), embedding.shape)
        weights["token_embd.weight"] = signs
        output = np.zeros_like(embedding)
        cycle = [ord(letter) for letter in _cycle(order)]
        for token, following in zip(cycle, cycle[1:] + cycle[:1], strict=True):
            output[following] = signs[token] * np.float32(0.3)
        weights["output.weight"] = output
        for name in weights:
            if any(part in name for part in _SILENT):
                weights[name] = np.zeros_like(weights[name])
            if name.endswith("nextn.eh_proj.weight"):
                width = embedding.shape[1]
                only_token = np.zeros((width, 2 * width), dtype=np.float32)
                only_token[:, :width] = np.eye(width, dtype=np.float32)
                weights[name] = only_token

    return change


def write_tiny_mtp(
    path: Path,
    *,
    layers: int = 2,
    vocab: int = 288,
    seed: int = 0,
    heads: bool = True,
    change: Change | None = None,
) -> Path:
    """GLM-4.5's shape: experts, and one layer more that predicts ahead.

    Without `heads` the header names that layer, but its tensors are not in the file.
    """
    head_count, experts, expert_width = 4, 2, 32
    writer = gguf.GGUFWriter(path, "glm4moe")
    writer.add_name("Tiny GLM")
    writer.add_context_length(4096)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers + 1)
    writer.add_nextn_predict_layers(1)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(head_count)
    writer.add_head_count_kv(head_count // 2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_expert_count(experts)
    writer.add_expert_used_count(1)
    writer.add_expert_feed_forward_length(expert_width)
    writer.add_expert_shared_count(1)
    writer.add_leading_dense_block_count(1)
    writer.add_expert_weights_scale(1.0)
    writer.add_expert_weights_norm(value=True)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    add_tokenizer(writer, vocab)
    writer.add_chat_template(CHATML)
    random = np.random.default_rng(seed)
    weights = _ends(random, vocab)
    for layer in range(layers + int(heads)):
        block = f"blk.{layer}."
        weights |= _attention(random, block)
        weights[block + "post_attention_norm.weight"] = _ones(_WIDTH)
        if layer == 0:
            weights |= _feed_forward(random, block, 2 * _WIDTH)
            continue
        weights |= {
            block + "ffn_gate_inp.weight": _matrix(random, experts, _WIDTH),
            block + "exp_probs_b.bias": np.zeros(experts, dtype=np.float32),
            block + "ffn_gate_exps.weight": _cube(random, experts, expert_width, _WIDTH),
            block + "ffn_up_exps.weight": _cube(random, experts, expert_width, _WIDTH),
            block + "ffn_down_exps.weight": _cube(random, experts, _WIDTH, expert_width),
            block + "ffn_gate_shexp.weight": _matrix(random, expert_width, _WIDTH),
            block + "ffn_up_shexp.weight": _matrix(random, expert_width, _WIDTH),
            block + "ffn_down_shexp.weight": _matrix(random, _WIDTH, expert_width),
        }
    if heads:
        weights |= _prediction(random, f"blk.{layers}.nextn.")
    if change is not None:
        change(weights)
    return finish(writer, weights)


def write_tiny_lfm2(
    path: Path, *, layers: int = 3, vocab: int = 288, seed: int = 0, change: Change | None = None
) -> Path:
    """Convolutions with a state, and attention in the last layer: it can go back a few tokens."""
    head_count, kernel = 4, 3
    writer = gguf.GGUFWriter(path, "lfm2")
    writer.add_name("Tiny LFM")
    writer.add_context_length(4096)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(head_count)
    writer.add_head_count_kv([0] * (layers - 1) + [head_count // 2])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(vocab)
    writer.add_shortconv_l_cache(kernel)
    add_tokenizer(writer, vocab)
    writer.add_chat_template(CHATML)
    random = np.random.default_rng(seed)
    weights = _ends(random, vocab)
    weights["token_embd_norm.weight"] = weights.pop("output_norm.weight")
    for layer in range(layers):
        block = f"blk.{layer}."
        weights[block + "ffn_norm.weight"] = _ones(_WIDTH)
        weights |= _feed_forward(random, block, 2 * _WIDTH)
        if layer == layers - 1:
            weights |= _attention(random, block)
            for name in ("attn_q_norm", "attn_k_norm"):
                weights[f"{block}{name}.weight"] = _ones(_WIDTH // head_count)
            continue
        weights |= {
            block + "attn_norm.weight": _ones(_WIDTH),
            block + "shortconv.conv.weight": _matrix(random, _WIDTH, kernel),
            block + "shortconv.in_proj.weight": _matrix(random, 3 * _WIDTH, _WIDTH),
            block + "shortconv.out_proj.weight": _matrix(random, _WIDTH, _WIDTH),
        }
    if change is not None:
        change(weights)
    return finish(writer, weights)


def write_tiny_qwen35(
    path: Path, *, layers: int = 4, vocab: int = 288, seed: int = 0, change: Change | None = None
) -> Path:
    """Qwen3.5's shape: every other layer has a state that can go back, and one layer predicts."""
    head_count, head = 4, 16
    keys, values = 2, 4  # heads of the layers with a state
    writer = gguf.GGUFWriter(path, "qwen35")
    writer.add_name("Tiny Qwen")
    writer.add_context_length(4096)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers + 1)
    writer.add_nextn_predict_layers(1)
    writer.add_feed_forward_length(2 * _WIDTH)
    writer.add_head_count(head_count)
    writer.add_head_count_kv(head_count // 2)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(head)
    writer.add_rope_dimension_sections([3, 3, 2, 0])
    writer.add_full_attention_interval(2)
    writer.add_ssm_conv_kernel(4)
    writer.add_ssm_inner_size(values * head)
    writer.add_ssm_state_size(head)
    writer.add_ssm_time_step_rank(values)
    writer.add_ssm_group_count(keys)
    add_tokenizer(writer, vocab)
    writer.add_chat_template(CHATML)
    random = np.random.default_rng(seed)
    weights = _ends(random, vocab)
    mixed = (2 * keys + values) * head
    for layer in range(layers + 1):
        block = f"blk.{layer}."
        weights[block + "attn_norm.weight"] = _ones(_WIDTH)
        weights[block + "post_attention_norm.weight"] = _ones(_WIDTH)
        weights |= _feed_forward(random, block, 2 * _WIDTH)
        if layer == layers or layer % 2:
            weights |= _attention(random, block)
            weights[block + "attn_q.weight"] = _matrix(random, 2 * _WIDTH, _WIDTH)  # with gates
            for name in ("attn_q_norm", "attn_k_norm"):
                weights[f"{block}{name}.weight"] = _ones(head)
            continue
        weights |= {
            block + "attn_qkv.weight": _matrix(random, mixed, _WIDTH),
            block + "attn_gate.weight": _matrix(random, values * head, _WIDTH),
            block + "ssm_conv1d.weight": _matrix(random, mixed, 4),
            block + "ssm_dt.bias": np.zeros(values, dtype=np.float32),
            block + "ssm_a": -np.abs(_matrix(random, 1, values)[0]) - np.float32(0.1),
            block + "ssm_beta.weight": _matrix(random, values, _WIDTH),
            block + "ssm_alpha.weight": _matrix(random, values, _WIDTH),
            block + "ssm_norm.weight": _ones(head),
            block + "ssm_out.weight": _matrix(random, _WIDTH, values * head),
        }
    weights |= _prediction(random, f"blk.{layers}.nextn.")
    if change is not None:
        change(weights)
    return finish(writer, weights)


def _prediction(random: np.random.Generator, block: str) -> dict[str, Array]:
    norms = {f"{block}{name}.weight": _ones(_WIDTH) for name in _NORMS_AHEAD}
    return {block + "eh_proj.weight": _matrix(random, _WIDTH, 2 * _WIDTH), **norms}


def _cycle(order: int) -> str:
    letters = list(ALPHABET)
    np.random.default_rng(order).shuffle(letters)
    return "".join(letters)


def _attention(random: np.random.Generator, block: str) -> dict[str, Array]:
    return {
        block + "attn_norm.weight": _ones(_WIDTH),
        block + "attn_q.weight": _matrix(random, _WIDTH, _WIDTH),
        block + "attn_k.weight": _matrix(random, _WIDTH // 2, _WIDTH),
        block + "attn_v.weight": _matrix(random, _WIDTH // 2, _WIDTH),
        block + "attn_output.weight": _matrix(random, _WIDTH, _WIDTH),
    }


def _feed_forward(random: np.random.Generator, block: str, width: int) -> dict[str, Array]:
    return {
        block + "ffn_gate.weight": _matrix(random, width, _WIDTH),
        block + "ffn_up.weight": _matrix(random, width, _WIDTH),
        block + "ffn_down.weight": _matrix(random, _WIDTH, width),
    }


def _ends(random: np.random.Generator, vocab: int) -> dict[str, Array]:
    return {
        "token_embd.weight": _matrix(random, vocab, _WIDTH),
        "output_norm.weight": _ones(_WIDTH),
        "output.weight": _matrix(random, vocab, _WIDTH),
    }


def _matrix(random: np.random.Generator, rows: int, columns: int) -> Array:
    return random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.3)


def _cube(random: np.random.Generator, count: int, rows: int, columns: int) -> Array:
    return random.standard_normal((count, rows, columns), dtype=np.float32) * np.float32(0.3)


def _ones(count: int) -> Array:
    return np.ones(count, dtype=np.float32)
