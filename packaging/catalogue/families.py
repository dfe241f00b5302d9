"""Whole models, family by family, from the numbers in their published `config.json`."""

from __future__ import annotations

from catalogue.blocks import (
    Run,
    Shape,
    Value,
    attention,
    common,
    each,
    ends,
    expert_keys,
    experts,
    feed_forward,
    heads_of,
    shared_expert,
)


def dense(
    architecture: str,
    layers: int,
    width: int,
    ff: int,
    heads: int,
    kv: int,
    *,
    vocabulary: int,
    context: int,
    tied: bool,
    head: int = 128,
    qk_norm: int = 0,
    biases: bool = False,
    more: dict[str, Value] | None = None,
) -> Shape:
    """Attention and a gated feed-forward: Llama, Qwen 2 and 3, Mistral, Granite, Olmo.

    `qk_norm` is how many values the norms of queries and keys have, 0 for none.
    """
    numbers = range(layers)
    runs = [
        *ends(width, vocabulary, tied=tied),
        *attention(numbers, width, heads * head, kv * head),
        *feed_forward(numbers, width, ff),
    ]
    if qk_norm:
        runs += each(numbers, attn_q_norm=(qk_norm,), attn_k_norm=(qk_norm,))
    if biases:
        runs += each(
            numbers,
            attn_q__bias_=(heads * head,),
            attn_k__bias_=(kv * head,),
            attn_v__bias_=(kv * head,),
        )
    keys = common(layers, width, heads, kv, context, ff) | heads_of(head) | (more or {})
    return Shape(architecture, vocabulary, keys, tuple(runs))


def olmo3(layers: int, width: int, ff: int, heads: int, vocabulary: int) -> Shape:
    """Olmo 3: norms behind attention and feed-forward, three layers of four with a window."""
    numbers = range(layers)
    runs = [
        *ends(width, vocabulary, tied=False),
        *each(
            numbers,
            attn_q=(width, width),
            attn_k=(width, width),
            attn_v=(width, width),
            attn_output=(width, width),
            attn_q_norm=(width,),
            attn_k_norm=(width,),
            post_attention_norm=(width,),
            post_ffw_norm=(width,),
        ),
        *feed_forward(numbers, width, ff, norm=False),
    ]
    keys = common(layers, width, heads, heads, 65_536, ff) | heads_of(width // heads)
    return Shape("olmo2", vocabulary, keys | {"attention.sliding_window": 4096}, tuple(runs))


def qwen3moe(layers: int, width: int, heads: int, kv: int, count: int, ff: int) -> Shape:
    """Qwen3's mixtures: all layers have experts, no shared one."""
    numbers = range(layers)
    runs = [
        *ends(width, 151_936, tied=False),
        *attention(numbers, width, heads * 128, kv * 128),
        *each(numbers, attn_q_norm=(128,), attn_k_norm=(128,), ffn_norm=(width,)),
        *experts(numbers, width, ff, count),
    ]
    keys = common(layers, width, heads, kv, 262_144, 6144) | heads_of(128)
    return Shape("qwen3moe", 151_936, keys | expert_keys(count, 8, ff), tuple(runs))


def qwen_hybrid(
    architecture: str,
    layers: int,
    width: int,
    heads: int,
    kv: int,
    value_heads: int,
    *,
    vocabulary: int = 248_320,
    tied: bool = False,
    ff: int = 0,
    count: int = 0,
    used: int = 0,
    expert_ff: int = 0,
) -> Shape:
    """Qwen3-Next, 3.5 and 3.6: three gated delta layers, then one that attends.

    Queries come with a gate, so attn_q is twice as wide. With `count` experts a shared one.
    """
    state, groups, head = 128, 16, 256
    runs = [
        *ends(width, vocabulary, tied=tied),
        *each(range(layers), attn_norm=(width,), post_attention_norm=(width,)),
        *each(
            range(3, layers, 4),
            attn_q=(width, 2 * heads * head),
            attn_k=(width, kv * head),
            attn_v=(width, kv * head),
            attn_output=(heads * head, width),
            attn_q_norm=(head,),
            attn_k_norm=(head,),
        ),
        *_delta_layers(architecture, layers, width, state * groups, state * value_heads, state),
    ]
    keys = common(layers, width, heads, kv, 262_144, ff) | heads_of(head)
    if count:
        runs += experts(range(layers), width, expert_ff, count)
        runs += shared_expert(range(layers), width, expert_ff)
        runs += each(range(layers), ffn_gate_inp_shexp=(width,))
        keys |= expert_keys(count, used, expert_ff, expert_ff)
    else:
        runs += feed_forward(range(layers), width, ff, norm=False)
    keys |= {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": state * value_heads,
        "ssm.state_size": state,
        "ssm.time_step_rank": value_heads,
        "ssm.group_count": groups,
        "full_attention_interval": 4,
        "rope.dimension_count": 64,
        "rope.dimension_sections": [11, 11, 10, 0],
    }
    return Shape(architecture, vocabulary, keys, tuple(runs))


def _delta_layers(
    architecture: str, layers: int, width: int, key: int, value: int, state: int
) -> list[Run]:
    """The recurrent three of four; Qwen3-Next keeps two small matrices in one."""
    numbers = [layer for layer in range(layers) if layer % 4 != 3]
    heads = value // state
    runs = each(
        numbers,
        attn_qkv=(width, 2 * key + value),
        attn_gate=(width, value),
        ssm_conv1d=(4, 2 * key + value),
        ssm_dt__bias_=(heads,),
        ssm_a_=(heads,),
        ssm_norm=(state,),
        ssm_out=(value, width),
    )
    if architecture == "qwen3next":
        return runs + each(numbers, ssm_ba=(width, 2 * heads))
    return runs + each(numbers, ssm_beta=(width, heads), ssm_alpha=(width, heads))


def gemma3(
    layers: int, width: int, ff: int, heads: int, kv: int, head: int, context: int, window: int
) -> Shape:
    numbers = range(layers)
    runs = [
        *ends(width, 262_144, tied=True),
        *attention(numbers, width, heads * head, kv * head),
        *feed_forward(numbers, width, ff),
        *each(numbers, attn_q_norm=(head,), attn_k_norm=(head,)),
        *each(numbers, post_attention_norm=(width,), post_ffw_norm=(width,)),
    ]
    keys = common(layers, width, heads, kv, context, ff) | heads_of(head)
    return Shape("gemma3", 262_144, keys | {"attention.sliding_window": window}, tuple(runs))


def gemma4(
    layers: int,
    width: int,
    ff: int,
    heads: int,
    kv: int,
    *,
    period: int,
    window: int,
    context: int,
    global_kv: int,
    keys_are_values: bool,
    shared: int = 0,
    wide_from: int | None = None,
    per_layer: int = 0,
    count: int = 0,
    used: int = 0,
    expert_ff: int = 0,
) -> Shape:
    """Gemma 4: heads of 256 with a window, of 512 without; the last `shared` reuse a cache.

    From layer `wide_from` on the feed-forward is twice as wide. `per_layer` values are looked
    up for each layer (the E models); with `count` experts they stand beside a dense layer.
    """
    every = range(layers)
    full = [layer for layer in every if layer % period == period - 1]
    windowed = [layer for layer in every if layer not in full]
    first_wide = layers if wide_from is None else wide_from
    runs = [*ends(width, 262_144, tied=True), Run("rope_freqs.weight", (256,))]
    for numbers, head, own_kv in ((windowed, 256, kv), (full, 512, global_kv)):
        has_values = not (keys_are_values and head == 512)
        runs += attention(numbers, width, heads * head, own_kv * head, v=has_values)
        runs += each(numbers, attn_q_norm=(head,), attn_k_norm=(head,))
    runs += feed_forward(range(first_wide), width, ff)
    runs += feed_forward(range(first_wide, layers), width, 2 * ff)
    runs += each(every, post_attention_norm=(width,), post_ffw_norm=(width,))
    runs += each(every, layer_output_scale=(1,))
    runs += _gemma4_lookups(layers, width, per_layer) if per_layer else []
    runs += _gemma4_experts(layers, width, expert_ff, count) if count else []
    widths = [ff if layer < first_wide else 2 * ff for layer in every]
    kv_heads = [global_kv if layer in full else kv for layer in every]
    keys = common(layers, width, heads, kv_heads, context, widths if wide_from else ff)
    keys |= {
        **heads_of(512),
        "attention.key_length_swa": 256,
        "attention.value_length_swa": 256,
        "attention.sliding_window": window,
        "attention.sliding_window_pattern": [layer in windowed for layer in every],
        "attention.shared_kv_layers": shared,
        "rope.dimension_count": 512,
        "rope.dimension_count_swa": 256,
        "embedding_length_per_layer_input": per_layer,
        **(expert_keys(count, used, expert_ff) if count else {}),
    }
    return Shape("gemma4", 262_144, keys, tuple(runs))


def _gemma4_lookups(layers: int, width: int, per_layer: int) -> list[Run]:
    """What the E models look up for each token and layer."""
    return [
        Run("per_layer_token_embd.weight", (per_layer * layers, 262_144)),
        Run("per_layer_model_proj.weight", (width, per_layer * layers)),
        Run("per_layer_proj_norm.weight", (per_layer,)),
        *each(range(layers), inp_gate=(width, per_layer), proj=(per_layer, width)),
        *each(range(layers), post_norm=(width,)),
    ]


def _gemma4_experts(layers: int, width: int, ff: int, count: int) -> list[Run]:
    return each(
        range(layers),
        ffn_gate_inp=(width, count),
        ffn_gate_inp__scale_=(width,),
        ffn_gate_up_exps=(width, 2 * ff, count),
        ffn_down_exps=(ff, width, count),
        pre_ffw_norm_2=(width,),
        post_ffw_norm_1=(width,),
        post_ffw_norm_2=(width,),
    )


def gpt_oss(layers: int, count: int) -> Shape:
    width, ff, vocabulary = 2880, 2880, 201_088
    numbers = range(layers)
    runs = [
        *ends(width, vocabulary, tied=False),
        *attention(numbers, width, 64 * 64, 8 * 64),
        *each(numbers, attn_sinks=(64,), post_attention_norm=(width,)),
        *each(
            numbers,
            attn_q__bias_=(4096,),
            attn_k__bias_=(512,),
            attn_v__bias_=(512,),
            attn_output__bias_=(width,),
            ffn_gate_inp__bias_=(count,),
            ffn_gate_exps__bias_=(ff, count),
            ffn_up_exps__bias_=(ff, count),
            ffn_down_exps__bias_=(width, count),
        ),
        *experts(numbers, width, ff, count),
    ]
    keys = common(layers, width, 64, 8, 131_072, ff) | heads_of(64)
    keys |= {"attention.sliding_window": 128} | expert_keys(count, 4, ff)
    return Shape("gpt-oss", vocabulary, keys, tuple(runs))


def glm_flash() -> Shape:
    """GLM-4.7-Flash: compressed attention (MLA), one dense layer, 64 experts of which 4 answer."""
    layers, width, vocabulary, heads = 47, 2048, 154_880, 20
    lora, rope, nope, value, q_lora = 512, 64, 192, 256, 768
    every, mixed = range(layers), range(1, layers)
    runs = [
        *ends(width, vocabulary, tied=False),
        *each(
            every,
            attn_norm=(width,),
            attn_q_a=(width, q_lora),
            attn_q_a_norm=(q_lora,),
            attn_q_b=(q_lora, heads * (nope + rope)),
            attn_kv_a_mqa=(width, lora + rope),
            attn_kv_a_norm=(lora,),
            attn_k_b=(nope, lora, heads),
            attn_v_b=(lora, value, heads),
            attn_output=(heads * value, width),
            ffn_norm=(width,),
        ),
        *feed_forward((0,), width, 10_240, norm=False),
        *experts(mixed, width, 1536, 64),
        *shared_expert(mixed, width, 1536),
        *each(mixed, exp_probs_b__bias_=(64,)),
    ]
    keys = common(layers, width, heads, 1, 202_752, 10_240)
    keys |= {
        **heads_of(lora + rope, lora),
        "attention.key_length_mla": nope + rope,
        "attention.value_length_mla": value,
        "attention.kv_lora_rank": lora,
        "attention.q_lora_rank": q_lora,
        "rope.dimension_count": rope,
        "leading_dense_block_count": 1,
        "expert_shared_count": 1,
        **expert_keys(64, 4, 1536),
    }
    return Shape("deepseek2", vocabulary, keys, tuple(runs))
