"""The catalogue in resources/ is what its builder writes, and its shapes meet the real files."""

from __future__ import annotations

import json
from typing import Any

import catalog
import pytest
from catalogue.blocks import Shape
from catalogue.shapes import SHAPES

FACTS: dict[str, Any] = json.loads(catalog.FACTS.read_text(encoding="utf-8"))


def test_the_shipped_file_is_up_to_date() -> None:
    shipped = json.loads(catalog.TARGET.read_text(encoding="utf-8"))
    assert shipped == json.loads(json.dumps(catalog.catalogue(FACTS)))


@pytest.mark.parametrize("facts", FACTS["models"], ids=lambda facts: str(facts["id"]))
def test_shapes_meet_the_sizes_of_real_files(facts: dict[str, Any]) -> None:
    assert catalog.shape_problems(facts) == []


def test_a_wrong_shape_is_noticed() -> None:
    facts = next(model for model in FACTS["models"] if model["id"] == "olmo-3-7b")
    wrong = {**facts, "id": "granite-4.1-8b"}
    assert catalog.shape_problems(wrong)


def test_every_shape_belongs_to_a_model() -> None:
    assert SHAPES.keys() <= {model["id"] for model in FACTS["models"]}


@pytest.mark.parametrize(
    ("identifier", "total", "active"),
    [
        ("qwen3-8b", 8.19e9, 8.19e9),
        ("qwen3-30b-a3b", 30.53e9, 3.35e9),
        ("gpt-oss-20b", 20.91e9, 4.19e9),  # its makers leave the embeddings out: 3.6e9
        ("gemma-4-e2b", 4.65e9, 2.3e9),
        ("llama-3.1-8b", 8.03e9, 8.03e9),
    ],
)
def test_parameters_are_those_of_the_model(identifier: str, total: float, active: float) -> None:
    shape = SHAPES[identifier]()
    assert shape.parameters == pytest.approx(total, rel=0.002)
    assert catalog.active_parameters(shape) == pytest.approx(active, rel=0.02)


def test_parts_of_a_split_model_count_once() -> None:
    facts = next(model for model in FACTS["models"] if model["id"] == "qwen3.5-122b-a10b")
    files = [file["file"] for file in catalog.entry(facts, catalog._file_sources(FACTS))["files"]]
    assert sum("Q4_K_M" in name for name in files) == 1


def test_names_read_as_people_write_them() -> None:
    assert catalog._name("qwen3.5-35b-a3b") == "Qwen3.5 35B-A3B"
    assert catalog._name("gemma-4-31b") == "Gemma 4 31B"


def test_a_shape_counts_its_values() -> None:
    assert Shape("x", 0, {}, ()).parameters == 0
