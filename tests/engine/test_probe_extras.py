"""What is opened beside a model is tried in a child first: hostile projectors and adapters."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from desktop.engine.extras import AdapterFile, Extras
from desktop.engine.probe import ProbeResult, probe
from tests.engine.driving import plan_for
from tests.tiny_architectures import write_tiny_qwen2vl
from tests.tiny_lora import write_tiny_lora
from tests.tiny_models import write_tiny_model
from tests.tiny_projector import write_tiny_ears, write_tiny_eyes

TIME_S = 60.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models") / "model.gguf")


def tried(model: Path, *adapters: Path, projector: Path | None = None) -> ProbeResult:
    files = tuple(AdapterFile(path, str(number)) for number, path in enumerate(adapters))
    extras = Extras(projector=projector, adapters=files)
    return probe(model, plan_for(context=2048, ubatch=256), timeout_s=TIME_S, extras=extras)


def test_good_ones_pass(model: Path, tmp_path: Path) -> None:
    eyes = write_tiny_eyes(tmp_path / "eyes.gguf")
    adapters = [write_tiny_lora(tmp_path / f"{n}.gguf", seed=n) for n in range(2)]
    assert tried(model, *adapters, projector=eyes).ok
    assert tried(model, projector=write_tiny_ears(tmp_path / "ears.gguf")).ok


def test_pictures_of_any_size_pass(tmp_path: Path) -> None:
    model = write_tiny_qwen2vl(tmp_path / "model.gguf")
    eyes = write_tiny_eyes(tmp_path / "eyes.gguf", kind="qwen2vl_merger")
    result = tried(model, projector=eyes)
    assert result.ok, result


def test_a_projector_that_would_end_the_app_ends_the_child(model: Path, tmp_path: Path) -> None:
    """llama.cpp counts a token less than eight frames a token make, and aborts."""
    result = tried(model, projector=write_tiny_ears(tmp_path / "ears.gguf", stack=8))
    assert (result.ok, result.kind) == (False, "aborted")
    assert "output tokens" in result.detail


@pytest.mark.parametrize(
    "metadata",
    [
        {"clip.vision.patch_size": 0},
        {"clip.vision.image_size": 0},
        {"clip.vision.image_size": 2_000_000_000},
        {"clip.vision.attention.head_count": 0},
        {"clip.vision.block_count": 4_000_000_000},
        {"clip.vision.block_count": "many"},
        {"clip.vision.embedding_length": 1},
        {"clip.projector_type": "made-up"},
        {"clip.projector_type": "mlp"},
        {"clip.projector_type": "pixtral"},
        {"clip.has_vision_encoder": "yes"},
        {"clip.vision.image_mean": [1, 2, 3]},
        {"clip.vision.image_mean": [0.5]},
        {"clip.vision.image_std": [0.0, 0.0, 0.0]},
        {"clip.vision.attention.layer_norm_epsilon": -1.0},
        {"clip.vision.image_grid_pinpoints": [1]},
        {"clip.vision.feature_layer": [900]},
    ],
    ids=str,
)
def test_lying_projectors_never_get_beyond_the_child(
    metadata: dict[str, Any], model: Path, tmp_path: Path
) -> None:
    result = tried(model, projector=write_tiny_eyes(tmp_path / "eyes.gguf", metadata=metadata))
    assert result.kind in ("refused", "aborted", "out_of_memory") or result.ok
    assert result.kind != "timeout"


def test_damaged_projectors_never_get_beyond_the_child(model: Path, tmp_path: Path) -> None:
    whole = write_tiny_eyes(tmp_path / "whole.gguf").read_bytes()
    chance = random.Random(8)
    damaged = tmp_path / "damaged.gguf"
    for _ in range(12):
        data = bytearray(whole)
        for _ in range(6):
            data[chance.randrange(4000)] = chance.randrange(256)
        damaged.write_bytes(data[: chance.choice((len(data), len(data) // 2, 600))])
        assert tried(model, projector=damaged).kind != "timeout"


def test_an_adapter_that_would_end_the_app_ends_the_child(tmp_path: Path) -> None:
    """Where the output is the embedding, its matrices would be multiplied the wrong way round."""

    def tie(weights: dict[str, Any]) -> None:
        del weights["output.weight"]

    def flip(weights: dict[str, Any]) -> None:
        weights.clear()
        weights["token_embd.weight.lora_a"] = _numbers(288, 4)
        weights["token_embd.weight.lora_b"] = _numbers(64, 4)

    model = write_tiny_model(tmp_path / "tied.gguf", change=tie)
    adapter = write_tiny_lora(tmp_path / "adapter.gguf", change=flip)
    result = tried(model, adapter)
    assert not result.ok
    assert result.kind == "aborted"


def _numbers(rows: int, columns: int) -> Any:
    import numpy as np

    return np.random.default_rng(1).standard_normal((rows, columns), dtype=np.float32)
