"""The catalogue's shapes, asked of llama.cpp itself: it takes them, and needs what we say."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.fit.types import Wish
from desktop.library.catalog import shipped_catalog
from desktop.services.fit_model import fit
from tests.fit.architectures import Model
from tests.fit.machines import laptop
from tests.gguf_files import BOOL, I32, Array, Tensor

# One of each family; a byte-level vocabulary stands in for the real one.
MODELS = (
    "qwen3-4b",
    "qwen3.5-0.8b",
    "qwen3-coder-next",
    "gemma-4-e2b",
    "gemma-4-31b",
    "gpt-oss-20b",
    "ministral-3-3b",
    "llama-3.2-1b",
    "granite-4.1-3b",
    "granite-4.0-h-tiny",
    "lfm2.5-1.2b",
    "olmo-3-7b",
    "glm-4.7-flash",
)
KINDS = {"Q5_0": "Q8_0", "Q5_1": "Q8_0"}  # what the writer of test files does not know


@pytest.mark.parametrize("identifier", MODELS)
def test_llama_takes_the_shape_and_needs_what_fit_says(identifier: str, tmp_path: Path) -> None:
    model = shipped_catalog().get(identifier)
    assert model is not None
    blueprint = model.blueprint
    assert blueprint is not None
    quantization = model.native_quantization or "Q4_K_M"
    size = blueprint.file_bytes(quantization)
    header = blueprint.header("", "model.gguf", quantization, size, "")
    tensors = [Tensor(t.name, t.dims, KINDS.get(t.type_name, t.type_name)) for t in header.tensors]
    replaced = any(tensor.type_name in KINDS for tensor in header.tensors)
    metadata: dict[str, object] = {
        key: Array(BOOL if isinstance(value[0], bool) else I32, value)
        if isinstance(value, list)
        else value
        for key, value in blueprint.metadata.items()
    }
    written = Model(blueprint.architecture, blueprint.vocabulary, metadata, tensors)
    path = written.write(tmp_path / "model.gguf", with_data=False)
    wish = Wish(context=8192)
    asked = fit(path, laptop(200, 190), wish)
    told = fit(header, laptop(200, 190), wish, try_out=False)
    assert asked.method == "dry_run"
    assert told.memory[0].context_bytes == asked.memory[0].context_bytes
    if not replaced:
        assert told.total_bytes == pytest.approx(asked.total_bytes, rel=0.015)
