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
    attending = range(3, layers, 4)
    recurrent = [layer for layer in range(layers) if layer % 4 != 3]
    state, groups, head = 128, 16, 256
    key, value = state * groups, state * value_heads
    runs = [
        *ends(width, vocabulary, tied=tied),
        *each(range(layers), attn_norm=(width,), post_attention_norm=(width,)),
        *each(
            attending,
            attn_q=(width, 2 * heads * head),
            attn_k=(width, kv * head),
            attn_v=(width, kv * head),
            attn_output=(heads * head, width),
            attn_q_norm=(head,),
            attn_k_norm=(head,),
        ),
        *each(
            recurrent,
            attn_qkv=(width, 2 * key + value),
            attn_gate=(width, value),
            ssm_conv1d=(4, 2 * key + value),
            ssm_dt__bias_=(value_heads,),
            ssm_a_=(value_heads,),
            ssm_norm=(state,),
            ssm_out=(value, width),
        ),
    ]
    if architecture == "qwen3next":
        runs += each(recurrent, ssm_ba=(width, 2 * value_heads))
    else:
        runs += each(recurrent, ssm_beta=(width, value_heads), ssm_alpha=(width, value_heads))
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
        "ssm.inner_size": value,
        "ssm.state_size": state,
        "ssm.time_step_rank": value_heads,
        "ssm.group_count": groups,
        "full_attention_interval": 4,
        "rope.dimension_count": 64,
        "rope.dimension_sections": [11, 11, 10, 0],
    }
    return Shape(architecture, vocabulary, keys, tuple(runs))


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
    vocabulary = 262_144
    full = [layer for layer in range(layers) if layer % period == period - 1]
    windowed = [layer for layer in range(layers) if layer % period != period - 1]
    runs = [*ends(width, vocabulary, tied=True), Run("rope_freqs.weight", (256,))]
    for numbers, head, own_kv in ((windowed, 256, kv), (full, 512, global_kv)):
        runs += attention(
            numbers,
            width,
            heads * head,
            own_kv * head,
            v=not (keys_are_values and head == 512),
        )
        runs += each(numbers, attn_q_norm=(head,), attn_k_norm=(head,))
    first_wide = layers if wide_from is None else wide_from
    runs += feed_forward(range(first_wide), width, ff)
    runs += feed_forward(range(first_wide, layers), width, 2 * ff)
    every = range(layers)
    runs += each(every, post_attention_norm=(width,), post_ffw_norm=(width,))
    runs += each(every, layer_output_scale=(1,))
    widths = [ff if layer < first_wide else 2 * ff for layer in every]
    keys = common(
        layers,
        width,
        heads,
        [global_kv if layer in full else kv for layer in every],
        context,
        widths if first_wide < layers else ff,
    )
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
    }
    if per_layer:
        runs += [
            Run("per_layer_token_embd.weight", (per_layer * layers, vocabulary)),
            Run("per_layer_model_proj.weight", (width, per_layer * layers)),
            Run("per_layer_proj_norm.weight", (per_layer,)),
            *each(every, inp_gate=(width, per_layer), proj=(per_layer, width)),
            *each(every, post_norm=(width,)),
        ]
    if count:
        runs += each(
            every,
            ffn_gate_inp=(width, count),
            ffn_gate_inp__scale_=(width,),
            ffn_gate_up_exps=(width, 2 * expert_ff, count),
            ffn_down_exps=(expert_ff, width, count),
            pre_ffw_norm_2=(width,),
            post_ffw_norm_1=(width,),
            post_ffw_norm_2=(width,),
        )
        keys |= expert_keys(count, used, expert_ff)
    return Shape("gemma4", vocabulary, keys, tuple(runs))


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


def lfm2(
    layers: int,
    ff: int,
    attending: tuple[int, ...],
    *,
    vocabulary: int = 65_536,
    dense_layers: int = 0,
    count: int = 0,
    used: int = 0,
    expert_ff: int = 0,
) -> Shape:
    """LFM2: short convolutions between layers that attend; with `count` experts a mixture."""
    width = 2048
    every = range(layers)
    others = [layer for layer in every if layer not in attending]
    runs = [
        *ends(width, vocabulary, tied=True, norm="token_embd_norm"),
        *attention(attending, width, width, 512),
        *each(attending, attn_q_norm=(64,), attn_k_norm=(64,)),
        *each(
            others,
            attn_norm=(width,),
            shortconv__conv=(3, width),
            shortconv__in_proj=(width, 3 * width),
            shortconv__out_proj=(width, width),
        ),
        *feed_forward(range(dense_layers if count else layers), width, ff),
    ]
    kv = [8 if layer in attending else 0 for layer in every]
    keys = common(layers, width, 32, kv, 128_000, ff) | {"shortconv.l_cache": 3}
    if count:
        mixed = range(dense_layers, layers)
        runs += experts(mixed, width, expert_ff, count)
        runs += each(mixed, ffn_norm=(width,), exp_probs_b__bias_=(count,))
        keys |= expert_keys(count, used, expert_ff)
        keys |= {"leading_dense_block_count": dense_layers, "expert_gating_func": 2}
    return Shape("lfm2moe" if count else "lfm2", vocabulary, keys, tuple(runs))


def granite_hybrid() -> Shape:
    """Granite 4.0 H Tiny: Mamba-2 layers, four that attend, experts everywhere."""
    layers, width, state, ssm_heads, vocabulary = 40, 1536, 128, 48, 100_352
    attending, every = (5, 15, 25, 35), range(40)
    inner = 2 * width
    mixed = inner + 2 * state
    recurrent = [layer for layer in every if layer not in attending]
    runs = [
        *ends(width, vocabulary, tied=True),
        *attention(attending, width, width, 512),
        *each(
            recurrent,
            attn_norm=(width,),
            ssm_in=(width, inner + mixed + ssm_heads),
            ssm_conv1d=(4, mixed),
            ssm_conv1d__bias_=(mixed,),
            ssm_dt__bias_=(ssm_heads,),
            ssm_a_=(1, ssm_heads),
            ssm_d_=(1, ssm_heads),
            ssm_norm=(inner, 1),
            ssm_out=(inner, width),
        ),
        *each(every, ffn_norm=(width,)),
        *experts(every, width, 512, 64),
        *shared_expert(every, width, 1024),
    ]
    kv = [4 if layer in attending else 0 for layer in every]
    keys = common(layers, width, 12, kv, 131_072, 512) | expert_keys(64, 6, 512, 1024)
    keys |= {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": inner,
        "ssm.state_size": state,
        "ssm.group_count": 1,
        "ssm.time_step_rank": ssm_heads,
    }
    return Shape("granitehybrid", vocabulary, keys, tuple(runs))


def nemotron3_nano() -> Shape:
    """Nemotron 3 Nano: 23 Mamba-2 layers, 23 with experts, 6 that attend, each on its own."""
    layers, width, vocabulary = 52, 2688, 131_072
    # M: Mamba-2, E: experts, *: attention, as the configuration writes it.
    pattern = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
    recurrent = [n for n, kind in enumerate(pattern) if kind == "M"]
    mixed = [n for n, kind in enumerate(pattern) if kind == "E"]
    attending = [n for n, kind in enumerate(pattern) if kind == "*"]
    inner, state, groups, ssm_heads = 4096, 128, 8, 64
    conv = inner + 2 * groups * state
    runs = [
        *ends(width, vocabulary, tied=False),
        *each(range(layers), attn_norm=(width,)),
        *each(
            recurrent,
            ssm_in=(width, inner + conv + ssm_heads),
            ssm_conv1d=(4, conv),
            ssm_conv1d__bias_=(conv,),
            ssm_dt__bias_=(ssm_heads,),
            ssm_a_=(1, ssm_heads),
            ssm_d_=(1, ssm_heads),
            ssm_norm=(inner // groups, groups),
            ssm_out=(inner, width),
        ),
        *each(
            attending,
            attn_q=(width, 4096),
            attn_k=(width, 256),
            attn_v=(width, 256),
            attn_output=(4096, width),
        ),
        *each(
            mixed,
            ffn_gate_inp=(width, 128),
            exp_probs_b__bias_=(128,),
            ffn_up_exps=(width, 1856, 128),
            ffn_down_exps=(1856, width, 128),
            ffn_up_shexp=(width, 3712),
            ffn_down_shexp=(3712, width),
        ),
    ]
    kv = [2 if kind == "*" else 0 for kind in pattern]
    ff = [1856 if kind == "E" else 0 for kind in pattern]
    keys = common(layers, width, 32, kv, 262_144, ff) | heads_of(128)
    keys |= expert_keys(128, 6, 1856, 3712)
    keys["attention.layer_norm_epsilon"] = 1e-5
    keys |= {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": inner,
        "ssm.state_size": state,
        "ssm.group_count": groups,
        "ssm.time_step_rank": ssm_heads,
    }
    return Shape("nemotron_h_moe", vocabulary, keys, tuple(runs))


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
