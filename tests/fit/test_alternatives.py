"""What would serve better, for a model that is too large or too slow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.messages import Messages
from desktop.common.reading import COMFORTABLE_TOKENS_PER_S
from desktop.fit.other_sizes import requantized, shrunk
from desktop.fit.planner import plan
from desktop.fit.types import Alternative, FitReport, Wish
from desktop.fit.words import alternative_words
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Cpu
from tests.fit.conftest import FamilyHeader
from tests.fit.machines import GIB, desktop, laptop, unified
from tests.fit.made_headers import MadeShape


@pytest.fixture(scope="module")
def sixty_four_gigabytes() -> ModelHeader:
    """A 33B model as its makers publish it: two bytes a weight."""
    shape = MadeShape(52, 6144, 8, 28_672, vocab=32_000, context=32_768, type="BF16")
    header = shape.header()
    assert 63e9 < header.file_bytes < 66e9
    return header


def _by_kind(report: FitReport) -> dict[str, Alternative]:
    return {other.kind: other for other in report.alternatives}


def test_a_64_gb_file_on_a_12_gb_card_with_64_gb_of_memory(
    sixty_four_gigabytes: ModelHeader,
) -> None:
    """The case of the literature, answered honestly."""
    machine = desktop(12, total=64, free=61)
    report = plan(machine, sixty_four_gigabytes, Wish())
    assert report.verdict == "partly_gpu"
    assert 1 <= report.plan.gpu_layers <= 12
    assert report.speed.tokens_per_s is not None
    assert 0.4 < report.speed.tokens_per_s < 2
    assert report.reason_key == "fit.partly_gpu_slow"
    instead = _by_kind(report)
    assert instead["quantization"].params["quantization"] == "Q4_K_M"
    assert (instead["quantization"].tokens_per_s or 0) > 3 * report.speed.tokens_per_s
    smaller = instead["model"]
    assert smaller.verdict in ("gpu", "partly_gpu")
    assert (smaller.tokens_per_s or 0) >= COMFORTABLE_TOKENS_PER_S
    assert int(smaller.params["billions"]) in range(8, 33)


def test_the_same_where_nobody_says_how_fast_memory_is(sixty_four_gigabytes: ModelHeader) -> None:
    """A file for --machine rarely does; with a laptop's memory it were 0.3 tokens a second."""
    described = desktop(12, total=64, free=58)
    machine = replace(described, cpu=Cpu("Ryzen 7", 8, 16))
    report = plan(machine, sixty_four_gigabytes, Wish())
    assert report.verdict == "partly_gpu"
    assert 0.5 <= (report.speed.tokens_per_s or 0) <= 2


def test_too_large_a_file_says_what_would_fit(eight_billion: ModelHeader) -> None:
    report = plan(laptop(8, 3.9), eight_billion, Wish())
    assert report.verdict == "too_large"
    smaller = _by_kind(report)["model"]
    assert smaller.verdict == "cpu"
    assert int(smaller.params["billions"]) < 8
    assert int(smaller.params["size"]) < 3.9 * GIB


def test_a_better_quantization_before_a_poor_one(sixty_four_gigabytes: ModelHeader) -> None:
    report = plan(desktop(24, 24, total=64), sixty_four_gigabytes, Wish())
    best = _by_kind(report)["quantization"]
    assert best.params["quantization"] == "Q8_0"  # fits on both cards, and fast
    assert best.verdict == "gpu"
    assert "model" not in _by_kind(report)


def test_the_poorer_quantization_where_only_it_fits(eight_billion: ModelHeader) -> None:
    report = plan(laptop(8, 4.75), eight_billion, Wish(context=2048))
    assert report.verdict == "too_large"
    assert _by_kind(report)["quantization"].params["quantization"] == "Q3_K_M"


def test_nothing_is_said_against_a_good_fit(eight_billion: ModelHeader) -> None:
    for machine in (desktop(12), laptop(32, 24), unified()):
        assert plan(machine, eight_billion, Wish()).alternatives == ()


def test_a_split_that_is_fast_enough_gets_no_poorer_advice(eight_billion: ModelHeader) -> None:
    """Half on the card and 14 tokens a second: no reason for three bits, or half the model."""
    report = plan(desktop(5), eight_billion, Wish())
    assert report.verdict == "partly_gpu"
    assert (report.speed.tokens_per_s or 0) > COMFORTABLE_TOKENS_PER_S
    assert report.alternatives == ()


def test_a_wished_context_that_costs_too_much(eight_billion: ModelHeader) -> None:
    report = plan(desktop(8), eight_billion, Wish(context=60_000))
    shorter = _by_kind(report)["context"]
    assert int(shorter.params["context"]) < 60_000
    assert shorter.verdict == "gpu"


def test_a_wished_precision_that_costs_too_much(eight_billion: ModelHeader) -> None:
    wish = Wish(context=16_384, kv_type="f16")
    report = plan(desktop(7), eight_billion, wish)
    assert report.verdict == "partly_gpu"
    assert _by_kind(report)["kv_type"].verdict == "gpu"


def test_advice_can_be_left_out(eight_billion: ModelHeader) -> None:
    assert plan(laptop(4, 3), eight_billion, Wish(), advise=False).alternatives == ()


@pytest.mark.parametrize("family_name", ["qwen3moe", "gemma3", "mamba", "lfm2", "qwen3"])
def test_advice_for_every_kind_of_model(family: FamilyHeader, family_name: str) -> None:
    """Whatever is made up for the question is never refused, and never larger."""
    header = family(family_name)
    for machine in (laptop(3, 1), desktop(1, total=4, free=2)):
        for other in plan(machine, header, Wish()).alternatives:
            assert int(other.params.get("size", 0)) < header.file_bytes
            assert other.verdict != "too_large"


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_alternative_has_its_sentence(
    sixty_four_gigabytes: ModelHeader, eight_billion: ModelHeader, language: str
) -> None:
    messages = Messages("de" if language == "de" else "en")
    reports = [
        plan(desktop(12, total=64, free=61), sixty_four_gigabytes, Wish()),
        plan(laptop(), eight_billion, Wish(context=100_000)),
        plan(desktop(7), eight_billion, Wish(context=16_384, kv_type="f16")),
    ]
    others = [other for report in reports for other in report.alternatives]
    assert {other.kind for other in others} == {"quantization", "model", "context", "kv_type"}
    for other in others:
        for speed in (other.tokens_per_s, None):
            key, params = alternative_words(
                Alternative(other.kind, other.params, other.verdict, speed)
            )
            assert "{" not in messages.text(key, **params)


def test_the_same_model_with_fewer_bits(sixty_four_gigabytes: ModelHeader) -> None:
    fewer = requantized(sixty_four_gigabytes, "Q4_K_M")
    assert fewer.quantization == "Q4_K_M"
    assert 4.5 < fewer.bits_per_weight < 5.1
    assert fewer.parameters == sixty_four_gigabytes.parameters
    assert fewer.file_bytes < sixty_four_gigabytes.file_bytes / 3


def test_nothing_gets_more_bits_than_it_has(eight_billion: ModelHeader) -> None:
    same = requantized(eight_billion, "Q8_0")
    assert same.tensor_bytes == eight_billion.tensor_bytes


@pytest.mark.parametrize("billions", [1, 3, 8])
def test_a_smaller_model_of_the_same_kind(sixty_four_gigabytes: ModelHeader, billions: int) -> None:
    smaller = shrunk(sixty_four_gigabytes, billions * 10**9)
    assert smaller.parameters == pytest.approx(billions * 1e9, rel=0.03)
    assert smaller.block_count < sixty_four_gigabytes.block_count
    assert smaller.bits_per_weight == pytest.approx(16, rel=0.02)


def test_a_smaller_mixture_is_dense(family: FamilyHeader, tmp_path: Path) -> None:
    smaller = shrunk(family("qwen3moe"), 4 * 10**9)
    assert smaller.parameters == pytest.approx(4e9, rel=0.03)
    assert smaller.expert_used_count == smaller.expert_count
    assert not list(tmp_path.iterdir())
