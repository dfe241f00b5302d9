"""Models with recurrent layers or short convolutions beside those that attend."""

from __future__ import annotations

from catalogue.blocks import (
    Shape,
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
