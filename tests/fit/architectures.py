"""Headers of a dozen architectures, with the sizes of real models of each family.

Shapes only, tensor data is a hole: enough for llama.cpp's dry run and for fit's arithmetic.
Source of the shapes: the families' published configurations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.gguf_files import BOOL, I32, STRING, Array, Tensor, write_gguf

Metadata = dict[str, object]
Shapes = dict[str, tuple[tuple[int, ...], str]]

_MATRIX = "Q4_K"


@dataclass(frozen=True)
class Model:
    """One family member: metadata without the architecture's prefix, and its tensors."""

    architecture: str
    vocab: int
    metadata: Metadata
    tensors: list[Tensor]

    def full_metadata(self) -> Metadata:
        # A byte-level tokenizer must know the line break.
        tokens = ["Ċ", *(f"<{n}>" for n in range(1, self.vocab))]
        return {
            "general.architecture": self.architecture,
            "general.name": "A model of this shape",
            **{f"{self.architecture}.{key}": value for key, value in self.metadata.items()},
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": "gpt-2",
            "tokenizer.ggml.tokens": Array(STRING, tokens),
            "tokenizer.ggml.token_type": Array(I32, [1] * self.vocab),
            "tokenizer.ggml.merges": Array(STRING, ["< 0", "0 >"]),
        }

    def write(self, path: Path, *, with_data: bool = True) -> Path:
        return write_gguf(path, self.full_metadata(), self.tensors, with_data=with_data)


def _blocks(count: int, shapes: Callable[[int], Shapes]) -> Iterator[Tensor]:
    for layer in range(count):
        for name, (dims, kind) in shapes(layer).items():
            dotted = name if "." in name or name in ("ssm_a", "ssm_d") else f"{name}.weight"
            # Rows that no K-quant divides stay F16, as llama.cpp's quantizer leaves them.
            fits = kind != _MATRIX or dims[0] % 256 == 0
            yield Tensor(f"blk.{layer}.{dotted}", dims, kind if fits else "F16")


def _ends(width: int, vocab: int, *, tied: bool, norm: str = "output_norm") -> list[Tensor]:
    ends = [Tensor("token_embd.weight", (width, vocab), _MATRIX)]
    ends.append(Tensor(f"{norm}.weight", (width,)))
    if not tied:
        ends.append(Tensor("output.weight", (width, vocab), "Q6_K"))
    return ends


def _attention(e: int, q: int, kv: int) -> Shapes:
    return {
        "attn_norm": ((e,), "F32"),
        "attn_q": ((e, q), _MATRIX),
        "attn_k": ((e, kv), _MATRIX),
        "attn_v": ((e, kv), _MATRIX),
        "attn_output": ((q, e), _MATRIX),
    }


def _feed_forward(e: int, f: int) -> Shapes:
    return {
        "ffn_norm": ((e,), "F32"),
        "ffn_gate": ((e, f), _MATRIX),
        "ffn_up": ((e, f), _MATRIX),
        "ffn_down": ((f, e), _MATRIX),
    }


def _experts(e: int, f: int, n: int, kind: str = _MATRIX) -> Shapes:
    return {
        "ffn_gate_inp": ((e, n), "F32"),
        "ffn_gate_exps": ((e, f, n), kind),
        "ffn_up_exps": ((e, f, n), kind),
        "ffn_down_exps": ((f, e, n), kind),
    }


def _common(layers: int, width: int, heads: int, kv: object, context: int, f: int) -> Metadata:
    return {
        "block_count": layers,
        "context_length": context,
        "embedding_length": width,
        "feed_forward_length": f,
        "attention.head_count": heads,
        "attention.head_count_kv": kv,
        "attention.layer_norm_rms_epsilon": 1e-6,
    }


def _norms(*names: str, size: int) -> Shapes:
    return dict.fromkeys(names, ((size,), "F32"))


def llama() -> Model:
    """Llama 3.2 3B: dense, grouped heads, tied."""
    e, f, kv = 3072, 8192, 1024
    blocks = _blocks(28, lambda _: {**_attention(e, e, kv), **_feed_forward(e, f)})
    tensors = [*_ends(e, 128_256, tied=True), *blocks]
    return Model("llama", 128_256, _common(28, e, 24, 8, 131_072, f), tensors)


def qwen3() -> Model:
    """Qwen3 8B: heads whose size is not width ÷ heads, untied."""
    e, f = 4096, 12_288
    norms = _norms("attn_q_norm", "attn_k_norm", size=128)
    blocks = _blocks(36, lambda _: {**_attention(e, 4096, 1024), **norms, **_feed_forward(e, f)})
    meta = _common(36, e, 32, 8, 40_960, f)
    meta |= {"attention.key_length": 128, "attention.value_length": 128}
    return Model("qwen3", 151_936, meta, [*_ends(e, 151_936, tied=False), *blocks])


def qwen3moe() -> Model:
    """Qwen3 30B-A3B: 128 experts, 8 used."""
    e, f, n = 2048, 768, 128
    norms = _norms("attn_q_norm", "attn_k_norm", size=128) | _norms("ffn_norm", size=e)
    blocks = _blocks(48, lambda _: {**_attention(e, 4096, 512), **norms, **_experts(e, f, n)})
    meta = _common(48, e, 32, 4, 40_960, 6144)
    meta |= {"attention.key_length": 128, "attention.value_length": 128}
    meta |= {"expert_count": n, "expert_used_count": 8, "expert_feed_forward_length": f}
    return Model("qwen3moe", 151_936, meta, [*_ends(e, 151_936, tied=False), *blocks])


def gemma3() -> Model:
    """Gemma 3 4B: five layers with a window of 1024, one without, tied, a huge vocabulary."""
    e, f = 2560, 10_240
    norms = _norms("attn_q_norm", "attn_k_norm", size=256)
    norms |= _norms("post_attention_norm", "post_ffw_norm", size=e)
    blocks = _blocks(34, lambda _: {**_attention(e, 2048, 1024), **norms, **_feed_forward(e, f)})
    meta = _common(34, e, 8, 4, 131_072, f)
    meta |= {"attention.key_length": 256, "attention.value_length": 256}
    meta |= {"attention.sliding_window": 1024}
    return Model("gemma3", 262_144, meta, [*_ends(e, 262_144, tied=True), *blocks])


def gpt_oss() -> Model:
    """gpt-oss 20B: MXFP4 experts, every second layer with a window of 128."""
    e, f, n = 2880, 2880, 32
    extra = _norms("attn_output.bias", "post_attention_norm", size=e)
    extra |= {"attn_sinks": ((64,), "F32"), "ffn_gate_inp.bias": ((n,), "F32")}
    extra |= {f"ffn_{x}_exps.bias": ((e, n), "F32") for x in ("gate", "up", "down")}
    blocks = _blocks(
        24, lambda _: {**_attention(e, 4096, 512), **extra, **_experts(e, f, n, "MXFP4")}
    )
    meta = _common(24, e, 64, 8, 131_072, f)
    meta |= {"attention.key_length": 64, "attention.value_length": 64}
    meta |= {"attention.sliding_window": 128, "expert_feed_forward_length": f}
    meta |= {"expert_count": n, "expert_used_count": 4}
    ends = [
        Tensor("token_embd.weight", (e, 201_088), "Q8_0"),
        Tensor("output_norm.weight", (e,)),
        Tensor("output.weight", (e, 201_088), "Q8_0"),
    ]
    return Model("gpt-oss", 201_088, meta, [*ends, *blocks])


def deepseek2() -> Model:
    """DeepSeek-V2-Lite: compressed attention (MLA), one dense layer, shared experts."""
    e, n, f, lora, rope, nope, v = 2048, 64, 1408, 512, 64, 128, 128
    heads, layers = 16, 27

    def block(layer: int) -> Shapes:
        shapes: Shapes = {
            "attn_norm": ((e,), "F32"),
            "attn_kv_a_norm": ((lora,), "F32"),
            "attn_q": ((e, heads * (nope + rope)), _MATRIX),
            "attn_kv_a_mqa": ((e, lora + rope), _MATRIX),
            "attn_k_b": ((nope, lora, heads), "Q8_0"),
            "attn_v_b": ((lora, v, heads), _MATRIX),
            "attn_output": ((heads * v, e), _MATRIX),
        }
        if layer == 0:
            return {**shapes, **_feed_forward(e, 10_944)}
        shared = {
            "ffn_norm": ((e,), "F32"),
            "ffn_gate_shexp": ((e, 2 * f), _MATRIX),
            "ffn_up_shexp": ((e, 2 * f), _MATRIX),
            "ffn_down_shexp": ((2 * f, e), _MATRIX),
        }
        return {**shapes, **shared, **_experts(e, f, n)}

    meta = _common(layers, e, heads, 1, 163_840, 10_944)
    meta |= {
        "attention.key_length": lora + rope,
        "attention.value_length": lora,
        "attention.key_length_mla": nope + rope,
        "attention.value_length_mla": v,
        "attention.kv_lora_rank": lora,
        "rope.dimension_count": rope,
        "leading_dense_block_count": 1,
        "expert_count": n,
        "expert_used_count": 6,
        "expert_shared_count": 2,
        "expert_feed_forward_length": f,
    }
    tensors = [*_ends(e, 102_400, tied=False), *_blocks(layers, block)]
    return Model("deepseek2", 102_400, meta, tensors)


def qwen35() -> Model:
    """Qwen3.5 2B: three recurrent layers, one that attends; a prediction layer at the end."""
    e, f, state, groups, rank, layers = 2048, 6144, 128, 16, 16, 25
    key, value = state * groups, state * rank

    def block(layer: int) -> Shapes:
        shapes = {**_norms("attn_norm", "post_attention_norm", size=e), **_feed_forward(e, f)}
        del shapes["ffn_norm"]
        if layer == layers - 1 or layer % 4 == 3:
            shapes |= _attention(e, 4096, 512) | _norms("attn_q_norm", "attn_k_norm", size=256)
            shapes["attn_output"] = ((2048, e), _MATRIX)
            if layer == layers - 1:
                shapes |= _norms("nextn.enorm.weight", "nextn.hnorm.weight", size=e)
                shapes["nextn.eh_proj.weight"] = ((2 * e, e), _MATRIX)
            return shapes
        return {
            **shapes,
            "attn_qkv": ((e, 2 * key + value), _MATRIX),
            "attn_gate": ((e, value), _MATRIX),
            "ssm_conv1d": ((4, 2 * key + value), "F32"),
            "ssm_dt.bias": ((rank,), "F32"),
            "ssm_a": ((rank,), "F32"),
            "ssm_beta": ((e, rank), _MATRIX),
            "ssm_alpha": ((e, rank), _MATRIX),
            "ssm_norm": ((state,), "F32"),
            "ssm_out": ((value, e), _MATRIX),
        }

    meta = _common(layers, e, 8, 2, 262_144, f)
    meta |= {
        "attention.key_length": 256,
        "attention.value_length": 256,
        "rope.dimension_count": 64,
        "rope.dimension_sections": Array(I32, [11, 11, 10, 0]),
        "ssm.conv_kernel": 4,
        "ssm.inner_size": value,
        "ssm.state_size": state,
        "ssm.time_step_rank": rank,
        "ssm.group_count": groups,
        "full_attention_interval": 4,
        "nextn_predict_layers": 1,
    }
    return Model("qwen35", 248_320, meta, [*_ends(e, 248_320, tied=True), *_blocks(layers, block)])


def lfm2() -> Model:
    """LFM2 1.2B: short convolutions, six layers that attend (head counts layer by layer)."""
    e, f, layers = 2048, 8192, 16
    attending = {2, 5, 8, 10, 12, 14}

    def block(layer: int) -> Shapes:
        shapes = _feed_forward(e, f)
        if layer in attending:
            return shapes | _attention(e, e, 512) | _norms("attn_q_norm", "attn_k_norm", size=64)
        return {
            **shapes,
            "attn_norm": ((e,), "F32"),
            "shortconv.conv.weight": ((3, e), "F32"),
            "shortconv.in_proj.weight": ((e, 3 * e), _MATRIX),
            "shortconv.out_proj.weight": ((e, e), _MATRIX),
        }

    kv = Array(I32, [8 if layer in attending else 0 for layer in range(layers)])
    meta = _common(layers, e, 32, kv, 128_000, f) | {"shortconv.l_cache": 3}
    ends = _ends(e, 65_536, tied=True, norm="token_embd_norm")
    return Model("lfm2", 65_536, meta, [*ends, *_blocks(layers, block)])


def phi3() -> Model:
    """Phi-3.5 mini: fused matrices; names a window that llama.cpp does not use."""
    e, f = 3072, 8192
    shapes: Shapes = {
        "attn_norm": ((e,), "F32"),
        "attn_qkv": ((e, 3 * e), _MATRIX),
        "attn_output": ((e, e), _MATRIX),
        "ffn_norm": ((e,), "F32"),
        "ffn_up": ((e, 2 * f), _MATRIX),
        "ffn_down": ((f, e), _MATRIX),
    }
    meta = _common(32, e, 32, 32, 131_072, f)
    meta |= {"rope.dimension_count": 96, "attention.sliding_window": 262_144}
    tensors = [*_ends(e, 32_064, tied=False), *_blocks(32, lambda _: shapes)]
    return Model("phi3", 32_064, meta, tensors)


def mamba() -> Model:
    """Mamba 1.4B: recurrent throughout, no attention."""
    e, inner, state, rank = 2048, 4096, 16, 128
    shapes: Shapes = {
        "attn_norm": ((e,), "F32"),
        "ssm_in": ((e, 2 * inner), _MATRIX),
        "ssm_conv1d": ((4, inner), "F32"),
        "ssm_conv1d.bias": ((inner,), "F32"),
        "ssm_x": ((inner, rank + 2 * state), _MATRIX),
        "ssm_dt": ((rank, inner), "F32"),
        "ssm_dt.bias": ((inner,), "F32"),
        "ssm_a": ((state, inner), "F32"),
        "ssm_d": ((inner,), "F32"),
        "ssm_out": ((inner, e), _MATRIX),
    }
    meta: Metadata = _common(48, e, 0, 0, 1_048_576, 0)
    meta |= {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": inner,
        "ssm.state_size": state,
        "ssm.time_step_rank": rank,
    }
    tensors = [*_ends(e, 50_280, tied=True), *_blocks(48, lambda _: shapes)]
    return Model("mamba", 50_280, meta, tensors)


def granitehybrid() -> Model:
    """Granite 4 hybrid: Mamba-2 layers, four that attend."""
    e, f, state, groups, ssm_heads, layers = 1536, 4096, 128, 1, 48, 40
    inner = 2 * e
    attending = {5, 15, 25, 35}

    def block(layer: int) -> Shapes:
        shapes = _feed_forward(e, f)
        if layer in attending:
            return shapes | _attention(e, e, 512)
        mixed = inner + 2 * groups * state
        return {
            **shapes,
            "attn_norm": ((e,), "F32"),
            "ssm_in": ((e, inner + mixed + ssm_heads), _MATRIX),
            "ssm_conv1d": ((4, mixed), "F32"),
            "ssm_conv1d.bias": ((mixed,), "F32"),
            "ssm_dt.bias": ((ssm_heads,), "F32"),
            "ssm_a": ((1, ssm_heads), "F32"),
            "ssm_d": ((1, ssm_heads), "F32"),
            "ssm_norm": ((inner, 1), "F32"),
            "ssm_out": ((inner, e), _MATRIX),
        }

    kv = Array(I32, [4 if layer in attending else 0 for layer in range(layers)])
    meta = _common(layers, e, 12, kv, 131_072, f)
    meta |= {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": inner,
        "ssm.state_size": state,
        "ssm.group_count": groups,
        "ssm.time_step_rank": ssm_heads,
    }
    tensors = [*_ends(e, 100_352, tied=True), *_blocks(layers, block)]
    return Model("granitehybrid", 100_352, meta, tensors)


def gemma4() -> Model:
    """Gemma 4 E2B-like: window and full heads of different size, the later layers share caches."""
    e, f, layers, shared, per_layer, vocab = 1536, 6144, 35, 20, 256, 262_144
    windowed = [layer % 5 != 4 for layer in range(layers)]

    def block(layer: int) -> Shapes:
        head = 256 if windowed[layer] else 512
        shapes = _attention(e, 8 * head, head) | _feed_forward(e, f)
        shapes |= _norms("attn_q_norm", "attn_k_norm", size=head)
        shapes |= _norms("post_attention_norm", "post_ffw_norm", "post_norm", size=e)
        shapes["inp_gate"] = ((e, per_layer), _MATRIX)
        shapes["proj"] = ((per_layer, e), _MATRIX)
        return shapes

    meta = _common(layers, e, 8, 1, 131_072, f)
    meta |= {
        "attention.key_length": 512,
        "attention.value_length": 512,
        "attention.key_length_swa": 256,
        "attention.value_length_swa": 256,
        "attention.sliding_window": 512,
        "attention.sliding_window_pattern": Array(BOOL, windowed),
        "attention.shared_kv_layers": shared,
        "embedding_length_per_layer_input": per_layer,
        "rope.dimension_count": 512,
        "rope.dimension_count_swa": 256,
    }
    ends = [
        *_ends(e, vocab, tied=True),
        Tensor("per_layer_token_embd.weight", (per_layer * layers, vocab), _MATRIX),
        Tensor("per_layer_model_proj.weight", (e, per_layer * layers), _MATRIX),
        Tensor("per_layer_proj_norm.weight", (per_layer,)),
        Tensor("rope_freqs.weight", (256,)),
    ]
    return Model("gemma4", vocab, meta, [*ends, *_blocks(layers, block)])


MODELS: dict[str, Callable[[], Model]] = {
    "llama": llama,
    "qwen3": qwen3,
    "qwen3moe": qwen3moe,
    "gemma3": gemma3,
    "gemma4": gemma4,
    "gpt-oss": gpt_oss,
    "deepseek2": deepseek2,
    "qwen35": qwen35,
    "lfm2": lfm2,
    "phi3": phi3,
    "mamba": mamba,
    "granitehybrid": granitehybrid,
}
