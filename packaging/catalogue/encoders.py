"""Models that turn a text into a vector."""

from __future__ import annotations

from catalogue.blocks import (
    Run,
    Shape,
    attention,
    common,
    each,
    ends,
    feed_forward,
    heads_of,
)


def bert_small() -> Shape:
    """multilingual-e5-small: twelve layers of an encoder."""
    layers, width, ff, vocabulary = 12, 384, 1536, 250_037
    numbers = range(layers)
    runs = [
        Run("token_embd.weight", (width, vocabulary)),
        Run("position_embd.weight", (width, 512)),
        Run("token_types.weight", (width, 1)),
        Run("token_embd_norm.weight", (width,)),
        Run("token_embd_norm.bias", (width,)),
        *each(numbers, attn_q=(width, width), attn_k=(width, width), attn_v=(width, width)),
        *each(numbers, attn_output=(width, width), ffn_up=(width, ff), ffn_down=(ff, width)),
        *each(
            numbers,
            attn_q__bias_=(width,),
            attn_k__bias_=(width,),
            attn_v__bias_=(width,),
            attn_output__bias_=(width,),
            ffn_up__bias_=(ff,),
            ffn_down__bias_=(width,),
            attn_output_norm=(width,),
            attn_output_norm__bias_=(width,),
            layer_output_norm=(width,),
            layer_output_norm__bias_=(width,),
        ),
    ]
    keys = common(layers, width, 12, 12, 512, ff)
    keys |= {"attention.causal": False, "attention.layer_norm_epsilon": 1e-12}
    return Shape("bert", vocabulary, keys, tuple(runs))


def gemma_embedding() -> Shape:
    """EmbeddingGemma: Gemma 3's layers looking both ways, two dense layers behind."""
    layers, width, ff, vocabulary = 24, 768, 1152, 262_144
    numbers = range(layers)
    runs = [
        *ends(width, vocabulary, tied=True),
        *attention(numbers, width, 768, 256),
        *feed_forward(numbers, width, ff),
        *each(numbers, attn_q_norm=(256,), attn_k_norm=(256,)),
        *each(numbers, post_attention_norm=(width,), post_ffw_norm=(width,)),
        Run("dense_2.weight", (width, 3072)),
        Run("dense_3.weight", (3072, width)),
    ]
    keys = common(layers, width, 3, 1, 2048, ff) | heads_of(256)
    return Shape(
        "gemma-embedding", vocabulary, keys | {"attention.sliding_window": 512}, tuple(runs)
    )
