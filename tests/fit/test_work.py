"""What a token has to do, from the header: nothing is forgotten and nothing counted twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.fit.memory import INPUT, Footprint
from desktop.fit.work import LayerWork, Work, work_of
from desktop.gguf.header import ModelHeader
from tests.fit.architectures import MODELS
from tests.fit.conftest import FamilyHeader


def work(header: ModelHeader) -> Work:
    return work_of(Footprint(header))


def read_bytes(found: Work) -> float:
    """What one token reads of the weights."""
    return sum(_bytes(layer) for layer in (*found.layers, found.output))


def _bytes(layer: LayerWork) -> float:
    return sum(part.nbytes for part in (*layer.products, *layer.expert_products))


def test_every_weight_of_a_dense_model_is_read_once(eight_billion: ModelHeader) -> None:
    embedding = eight_billion.tensor("token_embd.weight")
    assert embedding is not None
    assert read_bytes(work(eight_billion)) == eight_billion.tensor_bytes - embedding.nbytes


def test_a_tied_embedding_is_read_as_the_output(family: FamilyHeader) -> None:
    header = family("llama")
    assert header.tensor("output.weight") is None
    assert read_bytes(work(header)) == header.tensor_bytes


def test_experts_are_read_as_far_as_they_are_used(family: FamilyHeader) -> None:
    header = family("qwen3moe")
    experts = sum(t.nbytes for t in header.tensors if "_exps." in t.name)
    inputs = sum(t.nbytes for t in header.tensors if t.name.startswith(INPUT))
    share = header.expert_used_count / header.expert_count
    expected = header.tensor_bytes - inputs - experts * (1 - share)
    assert read_bytes(work(header)) == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_for_every_family(name: str, family: FamilyHeader) -> None:
    header = family(name)
    footprint = Footprint(header)
    found = work_of(footprint)
    assert len(found.layers) == footprint.layers
    assert 0 < read_bytes(found) <= header.tensor_bytes * 1.001
    for number, layer in enumerate(found.layers):
        if number >= footprint.used_layers:
            assert layer == LayerWork()
            continue
        assert layer.nodes > 5
        assert layer.row_values > 0
        if footprint.caches[number].k_values:
            assert layer.heads > 0
            assert layer.head_values > 0
        assert layer.windowed == (footprint.caches[number].windowed and layer.heads > 0)


def test_a_header_is_looked_at_once(family: FamilyHeader) -> None:
    header = family("gemma3")
    assert work(header) is work(header)
    assert work(replace(header)) is not work(header)
