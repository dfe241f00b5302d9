"""Numbers that make llama.cpp abort are caught before it sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from desktop.common.errors import ModelFileError, UnsafeModelError
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from tests import gguf_files as files
from tests.gguf_files import Array, LlamaShape, Typed, write_gguf
from tests.tiny_models import write_tiny_model

MOE = {"llama__expert_count": 8, "llama__expert_used_count": 2}


def _header(folder: Path, changes: Mapping[str, object]) -> ModelHeader:
    shape = LlamaShape()
    return read_header(write_gguf(folder / "m.gguf", shape.metadata(**changes), shape.tensors()))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"llama__block_count": 4_000_000_000}, "llama.block_count"),
        ({"llama__block_count": 513}, "llama.block_count"),
        ({"llama__block_count": 0}, "llama.block_count"),
        ({"llama__block_count": "many"}, "llama.block_count"),
        ({"llama__context_length": 0}, "llama.context_length"),
        ({"llama__context_length": -1}, "llama.context_length"),
        ({"llama__embedding_length": 0}, "llama.embedding_length"),
        ({"llama__nextn_predict_layers": 3}, "llama.nextn_predict_layers"),
        ({"llama__expert_count": 100_000}, "llama.expert_count"),
        ({"llama__expert_count": 8}, "llama.expert_used_count"),
        ({"llama__expert_used_count": 2}, "llama.expert_used_count"),
        ({**MOE, "llama__expert_used_count": 9}, "llama.expert_used_count"),
        ({**MOE, "llama__expert_group_count": 8}, "llama.expert_group_count"),
        ({**MOE, "llama__expert_group_count": 3}, "llama.expert_group_count"),
        (
            {**MOE, "llama__expert_group_count": 4, "llama__expert_group_used_count": 4},
            "llama.expert_group_used_count",
        ),
        ({"llama__attention__head_count": -4}, "llama.attention.head_count"),
        (
            {"llama__attention__head_count": Array(files.I32, [4])},
            "llama.attention.head_count",
        ),
        ({"llama__rope__scaling__type": "bogus"}, "llama.rope.scaling.type"),
        ({"llama__rope__freq_base": math.nan}, "llama.rope.freq_base"),
        ({"llama__rope__freq_base": -1.0}, "llama.rope.freq_base"),
        *(
            (
                {"llama__attention__layer_norm_rms_epsilon": value},
                "llama.attention.layer_norm_rms_epsilon",
            )
            for value in (-1.0, math.nan, -math.inf, math.inf, "small")
        ),
        ({"tokenizer__ggml__eos_token_id": 300}, "tokenizer.ggml.eos_token_id"),
        ({"tokenizer__ggml__bos_token_id": 4_294_967_295}, "tokenizer.ggml.bos_token_id"),
        ({"tokenizer__ggml__bos_token_id": -1}, "tokenizer.ggml.bos_token_id"),
        ({"tokenizer__ggml__model": "none"}, "tokenizer.ggml.model"),
    ],
)
def test_unsafe_values(tmp_path: Path, changes: dict[str, object], key: str) -> None:
    header = _header(tmp_path, changes)
    with pytest.raises(UnsafeModelError) as caught:
        check(header)
    assert caught.value.kind == "unsafe_model"
    assert caught.value.params["key"] == key


@pytest.mark.parametrize(
    "changes",
    [
        {},
        MOE,
        {**MOE, "llama__expert_group_count": 4, "llama__expert_group_used_count": 2},
        {"llama__rope__scaling__type": "yarn"},
        {"llama__attention__layer_norm_rms_epsilon": 0.0},
        {"llama__attention__head_count_kv": Array(files.I32, [2, 0])},
        {"tokenizer__ggml__eos_token_id": 299},
        {"llama__nextn_predict_layers": 1},
    ],
)
def test_values_that_are_fine(tmp_path: Path, changes: dict[str, object]) -> None:
    check(_header(tmp_path, changes))


def test_a_model_that_loads_is_fine(tmp_path: Path) -> None:
    check(read_header(write_tiny_model(tmp_path / "m.gguf")))


def test_hunyuans_dense_models_have_one_expert(tmp_path: Path) -> None:
    shape = LlamaShape(architecture="hunyuan-dense")
    changes = {"hunyuan-dense.expert_count": 1, "hunyuan-dense.expert_used_count": 1}
    path = write_gguf(tmp_path / "m.gguf", shape.metadata() | changes, shape.tensors())
    check(read_header(path))


@pytest.mark.parametrize(
    "metadata",
    [
        {"general.architecture": "clip"},
        {"general.architecture": "llama", "general.type": "adapter"},
        {"general.type": "imatrix"},
    ],
)
def test_files_that_belong_to_a_model(tmp_path: Path, metadata: dict[str, object]) -> None:
    header = read_header(write_gguf(tmp_path / "m.gguf", metadata))
    with pytest.raises(ModelFileError) as caught:
        check(header)
    assert caught.value.kind == "no_language_model"


def test_no_architecture(tmp_path: Path) -> None:
    header = read_header(write_gguf(tmp_path / "m.gguf", {"a": Typed(files.U8, 1)}))
    with pytest.raises(ModelFileError) as caught:
        check(header)
    assert caught.value.kind == "malformed_gguf"


def test_a_value_of_any_length_is_shown_short(tmp_path: Path) -> None:
    path = LlamaShape().write(tmp_path / "m.gguf", llama__rope__scaling__type="x\x1b" * 5_000)
    with pytest.raises(UnsafeModelError) as caught:
        check(read_header(path))
    shown = str(caught.value.params["value"])
    assert len(shown) < 130
    assert "\x1b" not in shown
