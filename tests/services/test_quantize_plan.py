"""What a smaller version would be, before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.errors import HausgeistError, ModelFileError
from desktop.fit.quality import quantization_loss
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.services.quantize_plan import OFFERED, loss_tier, plan_quantization
from tests.tiny_models import write_tiny_model


@pytest.fixture
def header(tmp_path: Path) -> ModelHeader:
    """As a maker publishes it: 32 bits, rows of whole blocks."""
    return read_header(write_tiny_model(tmp_path / "m.gguf", width=256, layers=8))


def _kinds(header: ModelHeader, quantization: str) -> set[str]:
    return {warning.kind for warning in plan_quantization(header, quantization).warnings}


def test_sizes_and_losses_go_the_way_that_they_must(header: ModelHeader) -> None:
    plans = [plan_quantization(header, quantization) for quantization in OFFERED]
    sizes = [plan.file_bytes for plan in plans]
    assert sizes == sorted(sizes, reverse=True)
    assert all(plan.file_bytes < plan.source_bytes for plan in plans)
    by_name = {plan.quantization: plan for plan in plans}
    assert by_name["Q4_K_M"].loss_nats == quantization_loss("Q4_K_M")
    assert (by_name["Q8_0"].loss_tier, by_name["Q2_K"].loss_tier) == ("none", "much")
    assert by_name["Q4_K_M"].saved_bytes == header.file_bytes - by_name["Q4_K_M"].file_bytes


@pytest.mark.parametrize("written", ["q4_k_m", "Q4_K", " Q4_K_M ", "q4_K_m"])
def test_names_are_taken_as_people_write_them(header: ModelHeader, written: str) -> None:
    assert plan_quantization(header, written).quantization == "Q4_K_M"


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("IQ1_S", "quantization_needs_matrix"),
        ("iq2_xs", "quantization_needs_matrix"),
        ("Q2_K_S", "quantization_needs_matrix"),
        ("Q9_K", "bad_quantization"),
        ("", "bad_quantization"),
        ("Q4_K_XL", "bad_quantization"),
        ("\x1b[2JQ4", "bad_quantization"),
    ],
)
def test_what_cannot_be_made_says_why(header: ModelHeader, written: str, kind: str) -> None:
    with pytest.raises(HausgeistError) as refused:
        plan_quantization(header, written)
    assert refused.value.kind == kind
    assert "\x1b" not in str(refused.value.params)


def test_nothing_is_made_larger(header: ModelHeader) -> None:
    """A file of four bits "made" eight would take twice the disk and gain nothing."""
    four_bits = plan_quantization(header, "Q4_K_M").header
    for larger in ("Q8_0", "F16", "Q4_K_M"):
        with pytest.raises(HausgeistError) as refused:
            plan_quantization(four_bits, larger)
        assert refused.value.kind == "quantization_not_smaller"


def test_a_second_rounding_is_warned_of_and_adds_up(header: ModelHeader) -> None:
    once = plan_quantization(header, "Q5_K_M").header
    twice = plan_quantization(once, "Q4_K_M")
    assert "lossy_twice" in {warning.kind for warning in twice.warnings}
    first, second = quantization_loss("Q5_K_M"), quantization_loss("Q4_K_M")
    assert first is not None
    assert second is not None
    assert twice.loss_nats == pytest.approx(first + second)
    assert twice.more_loss_nats == second


def test_from_eight_bits_it_hardly_matters(header: ModelHeader) -> None:
    eight = plan_quantization(header, "Q8_0").header
    kinds = _kinds(eight, "Q4_K_M")
    assert "lossy_twice_little" in kinds
    assert "lossy_twice" not in kinds


def test_two_and_three_bits_are_warned_of(header: ModelHeader) -> None:
    assert "very_low_bits" in _kinds(header, "Q2_K")
    assert "loses_much" in _kinds(header, "Q3_K_M")
    assert not _kinds(header, "Q4_K_M")


def test_rows_of_unusual_length_are_told(tmp_path: Path) -> None:
    """64 values are no whole block of 256: those tensors keep more bits."""
    narrow = read_header(write_tiny_model(tmp_path / "narrow.gguf", width=64))
    assert "unusual_shape" in _kinds(narrow, "Q4_K_M")
    assert "unusual_shape" not in _kinds(narrow, "Q8_0")


def test_a_type_nobody_measured_says_so(header: ModelHeader) -> None:
    plan = plan_quantization(header, "MXFP4")
    assert plan.loss_tier == "unknown"
    assert "loss_unknown" in {warning.kind for warning in plan.warnings}


@pytest.mark.parametrize(
    "metadata",
    [{"general.type": "adapter"}, {"general.architecture": "clip"}, {"llama.block_count": 4000000}],
)
def test_what_is_no_model_is_never_handed_over(tmp_path: Path, metadata: dict[str, object]) -> None:
    odd = read_header(write_tiny_model(tmp_path / "odd.gguf", metadata=metadata))
    with pytest.raises(ModelFileError):
        plan_quantization(odd, "Q4_K_M")


def test_losses_in_words() -> None:
    tiers = [loss_tier(nats) for nats in (None, 0.0, 0.004, 0.03, 0.1, 0.4)]
    assert tiers == ["unknown", "none", "none", "little", "some", "much"]
