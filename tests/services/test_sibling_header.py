"""From one quantization's header to another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.hub.listing import FileGroup, HubFile, group_files
from desktop.services.sibling_header import model_stem, sibling_header
from tests.gguf_files import LlamaShape
from tests.services.hub_family import NAMES, SHAPE, quantized


def header(folder: Path, name: str, shape: LlamaShape = SHAPE) -> ModelHeader:
    path = folder / f"Family-8B-{name}.gguf"
    path.write_bytes(quantized(name, shape).head)
    return read_header(path, allow_missing_data=True)


def group(path: str, size: int | None) -> FileGroup:
    return group_files([HubFile(path, size)])[0]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("known", ["Q2_K", "Q8_0"])
def test_types_and_sizes_are_those_of_the_real_file(tmp_path: Path, known: str, tied: bool) -> None:
    shape = SHAPE.with_(tied=tied)
    start = header(tmp_path, known, shape)
    for name in NAMES:
        real = header(tmp_path, name, shape)
        made = sibling_header(start, group(f"x/Family-8B-{name}.gguf", real.file_bytes))
        assert made is not None
        check(made)
        assert made.file_bytes == real.file_bytes
        assert [t.type_name for t in made.tensors] == [t.type_name for t in real.tensors]
        assert made.tensor_bytes == pytest.approx(real.tensor_bytes, rel=1e-3)
        assert made.metadata["general.file_type"] == real.metadata["general.file_type"]
        assert not made.complete


def test_a_publishers_own_mix_takes_what_its_file_takes(tmp_path: Path) -> None:
    start = header(tmp_path, "Q8_0")
    size = start.file_bytes // 3
    made = sibling_header(start, group("Family-8B-UD-IQ2_XXS.gguf", size))
    assert made is not None
    assert made.tensor_bytes == pytest.approx(size - start.data_offset, rel=1e-3)


def test_what_cannot_be_told(tmp_path: Path) -> None:
    start = header(tmp_path, "Q8_0")
    assert sibling_header(start, group("Family-8B-Q4_K_M.gguf", None)) is None
    assert sibling_header(start, group("model.gguf", 10**9)) is None


def test_stems() -> None:
    def stem(path: str) -> str:
        return model_stem(group(path, 1))

    same = {
        "Model-8B-Q4_K_M.gguf",
        "Model-8B.Q8_0.gguf",
        "Model-8B-UD-Q4_K_XL.gguf",
        "Q6_K/Model-8B-Q6_K-00001-of-00003.gguf",
        "model-8b-q4_0.gguf",
        "BF16/Model-8B-BF16.gguf",
    }
    assert {stem(path) for path in same} == {"model-8b"}
    assert stem("Model-4B-Q4_K_M.gguf") != stem("Model-8B-Q4_K_M.gguf")
    assert stem("Model-8B-thinking-Q4_K_M.gguf") != stem("Model-8B-Q4_K_M.gguf")
