"""Which tensor gets which type in a file of a certain name."""

from __future__ import annotations

import pytest

from desktop.gguf.mixes import depends_on_layer, known_mix, tensor_bytes, tensor_type
from desktop.gguf.tensor_types import TENSOR_TYPES

SQUARE = (4096, 4096)


def kind(
    name: str, quantization: str, dims: tuple[int, ...] = SQUARE, *, tied: bool = False
) -> str:
    return TENSOR_TYPES[tensor_type(name, dims, quantization, 32, tied=tied)].name


@pytest.mark.parametrize(
    ("name", "quantization", "expected"),
    [
        ("blk.5.attn_q.weight", "Q4_K_M", "Q4_K"),
        ("blk.0.ffn_down.weight", "Q4_K_M", "Q6_K"),
        ("blk.4.ffn_down.weight", "Q4_K_M", "Q4_K"),
        ("blk.6.ffn_down.weight", "Q4_K_M", "Q6_K"),
        ("blk.31.attn_v.weight", "Q5_K_M", "Q6_K"),
        ("blk.6.ffn_down.weight", "Q4_K_S", "Q4_K"),
        ("output.weight", "Q4_K_M", "Q6_K"),
        ("output.weight", "Q8_0", "Q8_0"),
        ("token_embd.weight", "Q4_K_M", "Q4_K"),
        ("blk.0.attn_v.weight", "Q2_K", "Q4_K"),
        ("blk.1.attn_v.weight", "Q3_K_M", "Q5_K"),
        ("blk.9.attn_output.weight", "Q3_K_M", "Q4_K"),
        ("blk.3.attn_norm.weight", "Q4_K_M", "F32"),
        ("blk.3.ffn_gate_inp.weight", "Q4_K_M", "F32"),
        ("blk.3.ffn_up_exps.weight", "MXFP4", "MXFP4"),
        ("blk.3.attn_q.weight", "MXFP4", "Q8_0"),
        ("blk.3.attn_q.weight", "UD-Q4_K_XL", "Q4_K"),
    ],
)
def test_types_as_the_quantizer_chooses_them(name: str, quantization: str, expected: str) -> None:
    assert kind(name, quantization) == expected


def test_a_tied_embedding_is_kept_as_the_output_is() -> None:
    assert kind("token_embd.weight", "Q4_K_M", tied=True) == "Q6_K"


@pytest.mark.parametrize(
    ("quantization", "expected"), [("Q4_K_M", "Q5_0"), ("Q6_K", "Q8_0"), ("IQ4_XS", "IQ4_NL")]
)
def test_rows_that_no_big_block_divides_get_a_smaller_one(quantization: str, expected: str) -> None:
    assert kind("blk.5.attn_q.weight", quantization, (2080, 4096)) == expected


def test_rows_that_no_block_divides_stay_16_bits() -> None:
    assert kind("blk.5.attn_q.weight", "Q4_K_M", (2081, 4096)) == "F16"


def test_unknown_names() -> None:
    assert not known_mix("Q9_Z")
    with pytest.raises(KeyError):
        tensor_type("blk.0.attn_q.weight", SQUARE, "Q9_Z", 32, tied=False)


def test_only_two_kinds_of_tensors_differ_from_layer_to_layer() -> None:
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    for name in names:
        found = {kind(f"blk.{layer}.{name}.weight", "Q4_K_M") for layer in range(32)}
        assert (len(found) > 1) == depends_on_layer(f"blk.0.{name}.weight")


def test_bytes_are_whole_blocks() -> None:
    number = next(n for n, known in TENSOR_TYPES.items() if known.name == "Q4_K")
    assert tensor_bytes((256, 10), number) == 10 * 144
