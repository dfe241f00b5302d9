"""Which type each tensor gets in a file that is called Q4_K_M and the like.

The rules are those of llama.cpp's quantizer (`llama_tensor_get_type`), for models whose file
nobody has here yet: sizes meet real files within a few per cent, kinds of tensors to the letter.
"""

from __future__ import annotations

import re

from desktop.gguf.tensor_types import TENSOR_TYPES

_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}

_MAIN = {
    "Q2_K_L": "Q2_K",
    "Q2_K_XL": "Q2_K",
    "Q3_K_S": "Q3_K",
    "Q3_K_M": "Q3_K",
    "Q3_K_L": "Q3_K",
    "Q3_K_XL": "Q3_K",
    "Q4_K_S": "Q4_K",
    "Q4_K_M": "Q4_K",
    "Q4_K_L": "Q4_K",
    "Q4_K_XL": "Q4_K",
    "Q5_K_S": "Q5_K",
    "Q5_K_M": "Q5_K",
    "Q5_K_XL": "Q5_K",
    "Q6_K_XL": "Q6_K",
    "Q8_K_XL": "Q8_0",
    "IQ2_M": "IQ2_S",
    "IQ3_M": "IQ3_S",
    "IQ3_XS": "IQ3_XXS",
}
"""The type of most tensors, where the file's name is not a type's."""

_MORE_BITS = {"Q4_K": "Q6_K", "Q5_K": "Q6_K", "Q3_K": "Q4_K", "Q2_K": "Q3_K"}
_KEPT = re.compile(
    r"_norm|\.bias$|ffn_gate_inp|ssm_conv1d|ssm_a$|ssm_d$|shortconv\.conv|position_embd|"
    r"token_types|per_layer_model_proj|layer_output_scale|attn_sinks|exp_probs_b|rope_freqs"
)
"""Tensors that the quantizer leaves in F32 (norms, biases, routers and what is tiny)."""

_FALLBACK = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
_SMALL_BLOCK = 32


def known_mix(quantization: str) -> bool:
    """Whether `quantization` names a file that this module can lay out."""
    return _main_type(quantization) in _NUMBERS


def tensor_type(
    name: str, dims: tuple[int, ...], quantization: str, layers: int, *, tied: bool
) -> int:
    """ggml's number of the type that tensor `name` has; `layers` is the model's block count.

    Raises KeyError for a quantization that `known_mix` does not know.
    """
    main = _main_type(quantization)
    if len(dims) < 2 or dims[-1] == 1 or _KEPT.search(name):
        return _NUMBERS["F32"]
    if main == "MXFP4" and "_exps." not in name:
        main = "Q8_0"
    kind = _chosen(name, main, quantization.removeprefix("UD-"), layers, tied=tied)
    block = TENSOR_TYPES[_NUMBERS[kind]].block_values
    if dims[0] % block == 0:
        return _NUMBERS[kind]
    kind = _FALLBACK.get(kind, "IQ4_NL")
    return _NUMBERS[kind if dims[0] % _SMALL_BLOCK == 0 else "F16"]


def depends_on_layer(name: str) -> bool:
    """Whether the type of `name` may differ from layer to layer."""
    return ".attn_v." in name or ".ffn_down" in name


def tensor_bytes(dims: tuple[int, ...], kind: int) -> int:
    """What a tensor of type number `kind` takes; rows are whole blocks."""
    block = TENSOR_TYPES[kind]
    values = 1
    for dim in dims:
        values *= dim
    return values // block.block_values * block.block_bytes


def _main_type(quantization: str) -> str:
    plain = quantization.removeprefix("UD-")
    return _MAIN.get(plain, plain)


def _chosen(name: str, main: str, quantization: str, layers: int, *, tied: bool) -> str:
    if main not in _MORE_BITS:
        # Q4_0, IQ4_XS and their like keep the output better; Q8_0, Q6_K and floats are even.
        is_output = name == "output.weight" or (tied and name == "token_embd.weight")
        return "Q6_K" if is_output and main.startswith(("Q4", "IQ")) else main
    if name == "output.weight" or (tied and name == "token_embd.weight"):
        return "Q6_K"
    if quantization.endswith("_S"):
        return main
    if ".attn_v." in name:
        return _value_type(main, _layer(name), layers)
    if ".ffn_down" in name:
        return _down_type(main, _layer(name), layers)
    if ".attn_qkv." in name and main != "Q2_K":
        return {"Q3_K": "Q4_K", "Q4_K": "Q5_K", "Q5_K": "Q6_K"}[main]
    if ".attn_output." in name and main in ("Q2_K", "Q3_K"):
        return {"Q2_K": "Q3_K", "Q3_K": "Q4_K"}[main]
    return main


def _value_type(main: str, layer: int, layers: int) -> str:
    """Of the matrix that makes the values, to which answers are most sensitive."""
    if main == "Q3_K":
        return "Q5_K" if layer < 2 else "Q4_K"
    if main == "Q2_K":
        return "Q4_K"  # where heads share their keys, as they do in all models of today
    return _MORE_BITS[main] if _more_bits(layer, layers) else main


def _down_type(main: str, layer: int, layers: int) -> str:
    if main == "Q3_K":
        return "Q5_K" if layer < layers // 16 else "Q4_K"
    return _MORE_BITS[main] if main == "Q2_K" or _more_bits(layer, layers) else main


def _more_bits(layer: int, layers: int) -> bool:
    """The first and last eighth, and every third layer between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * eighth or (layer - eighth) % 3 == 2


def _layer(name: str) -> int:
    return int(name.split(".", 2)[1]) if name.startswith("blk.") else 0
