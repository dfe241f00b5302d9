"""Names of quantizations: the number in the file, checked against its tensors."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from desktop.gguf import quantization
from desktop.gguf.reader import read_header
from tests.gguf_files import LlamaShape, Tensor, write_gguf

Q4_K_M = {"Q4_K": 700, "Q6_K": 290, "F16": 10}


@pytest.mark.parametrize(
    ("file_type", "tensors", "expected"),
    [
        (15, Q4_K_M, "Q4_K_M"),
        (14, {"Q4_K": 900, "Q6_K": 90}, "Q4_K_S"),
        (30, {"IQ4_XS": 800, "Q6_K": 150}, "IQ4_XS"),
        (38, {"MXFP4": 900, "Q8_0": 100}, "MXFP4"),
        (27, {"IQ3_S": 500, "Q4_K": 400}, "IQ3_M"),
        (29, {"IQ2_S": 500, "IQ3_S": 100}, "IQ2_M"),
        (10, {"Q2_K": 500, "Q3_K": 400}, "Q2_K"),
        (12, {"Q3_K": 500, "Q5_K": 400}, "Q3_K_M"),
        (7, {"Q8_0": 990}, "Q8_0"),
        (32, {"BF16": 990}, "BF16"),
        (1024 + 15, Q4_K_M, "Q4_K_M"),  # llama.cpp's own guess
        (0, Q4_K_M, "Q4_K_M"),  # the number of the file it was made from
        (1, {"Q8_0": 900}, "Q8_0"),
        (15, {"MXFP4": 900, "Q8_0": 100}, "MXFP4"),
        (None, {"IQ4_NL": 900}, "IQ4_NL"),
        (None, {"Q5_K": 900, "Q6_K": 100}, "Q5_K_M"),
        (9_999, {"F16": 1}, "F16"),
        (-1, {"F16": 1}, "F16"),
        (15, {}, "Q4_K_M"),
        (None, {}, "unknown"),
    ],
)
def test_names(file_type: int | None, tensors: dict[str, int], expected: str) -> None:
    assert quantization.name(file_type, tensors) == expected


def test_every_number_of_the_gguf_package_has_its_name() -> None:
    for kind in gguf.LlamaFileType:
        if kind.name in ("GUESSED", "MOSTLY_MXFP4_MOE"):
            continue
        expected = kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")
        assert quantization.FILE_TYPES[int(kind)] == expected


def test_small_tensors_do_not_name_a_model(tmp_path: Path) -> None:
    """Norms are F32 in every file; a large F16 embedding does not hide the matrices' type."""
    tensors = [
        Tensor("token_embd.weight", (256, 1000), "F16"),
        Tensor("blk.0.ffn_up.weight", (256, 4096), "Q4_K"),
        Tensor("output_norm.weight", (256,)),
    ]
    header = read_header(write_gguf(tmp_path / "m.gguf", {"general.file_type": 15}, tensors))
    assert header.quantization == "Q4_K_M"


def test_bits_per_weight_come_from_the_tensors(tmp_path: Path) -> None:
    tensors = [Tensor("a.weight", (256, 4), "Q4_K"), Tensor("b.weight", (256, 4), "Q8_0")]
    header = read_header(write_gguf(tmp_path / "m.gguf", {}, tensors))
    assert header.bits_per_weight == pytest.approx((4.5 + 8.5) / 2)


def test_a_model_without_tensors_has_no_bits(tmp_path: Path) -> None:
    header = read_header(write_gguf(tmp_path / "m.gguf", {}))
    assert (header.bits_per_weight, header.parameters) == (0.0, 0)


def test_the_whole_header_names_it(tmp_path: Path) -> None:
    assert read_header(LlamaShape().write(tmp_path / "m.gguf")).quantization == "Q4_K_M"
