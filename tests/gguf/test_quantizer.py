"""The quantizer's rules, held against its own dry run: tensor by tensor, for real shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.errors import EngineError
from desktop.engine.quantize import quantize, try_quantize
from desktop.gguf.quantizer import (
    FILE_TYPE_NUMBERS,
    MAIN_TYPES,
    NEED_MATRIX,
    quantized_header,
    quantized_types,
)
from desktop.gguf.reader import read_header
from desktop.gguf.tensor_types import TENSOR_TYPES
from tests.fit.real_shapes import made_up_shapes, shapes
from tests.gguf.quantizing import with_what_is_asked
from tests.gguf_files import Tensor as FileTensor
from tests.gguf_files import write_split

EVERY = {**shapes(), **made_up_shapes()}


@pytest.mark.parametrize(
    "name",
    [
        "mistral-7b",  # four heads share their values
        "llama-3.3-70b",  # the only size with rules of its own
        "mixtral-8x7b",  # eight experts, rules of their own
        "falcon-1",  # an architecture with rules of its own
        "qwen2.5-0.5b",  # rows that are no whole number of blocks
        "gemma-2-9b",  # one table for embedding and output
        "phi-3.5-mini",  # query, key and value in one matrix
        "rwkv7-1.5b",  # much that is left as it is
        "gpt-oss-20b",  # experts without attention's usual names
        "t5-flan-large",  # two halves
    ],
)
def test_every_tensor_gets_the_type_that_llama_cpp_gives_it(tmp_path: Path, name: str) -> None:
    path = with_what_is_asked(EVERY[name]).write(tmp_path / "shape.gguf")
    header = read_header(path)
    told = try_quantize(path, [FILE_TYPE_NUMBERS[kind] for kind in MAIN_TYPES])
    for quantization, theirs in zip(MAIN_TYPES, told, strict=True):
        ours = {
            tensor: TENSOR_TYPES[kind].name
            for tensor, kind in quantized_types(header, quantization).items()
        }
        expected = {
            tensor.name: theirs.get(tensor.name, tensor.type_name).upper()
            for tensor in header.tensors
        }
        assert ours == expected, quantization


@pytest.mark.parametrize("quantization", sorted(NEED_MATRIX))
def test_what_we_refuse_llama_cpp_refuses_too(tmp_path: Path, quantization: str) -> None:
    """By its own words: only with an importance matrix."""
    path = with_what_is_asked(EVERY["mistral-7b"]).write(tmp_path / "shape.gguf")
    with pytest.raises(EngineError) as refused:
        quantize(
            path,
            tmp_path / "out.part",
            FILE_TYPE_NUMBERS[quantization],
            threads=1,
            on_step=lambda _step: None,
        )
    assert "imatrix" in refused.value.detail or "importance" in refused.value.detail


def test_an_unknown_type_is_no_guess(tiny_model: Path) -> None:
    with pytest.raises(KeyError):
        quantized_types(read_header(tiny_model), "Q9_K")


def test_the_parts_of_a_split_model_are_one_new_file(tmp_path: Path) -> None:
    tensors = [FileTensor(f"blk.{n}.ffn_up.weight", (256, 64)) for n in range(4)]
    metadata = {"general.architecture": "llama", "llama.block_count": 4}
    path = write_split(tmp_path / "m.gguf", metadata, [tensors[:2], tensors[2:]])
    new = quantized_header(read_header(path), "Q8_0")
    assert {tensor.part for tensor in new.tensors} == {0}
    assert new.tensor_bytes == 4 * 64 * 8 * 34
    assert new.file_bytes == new.data_offset + new.tensor_bytes
