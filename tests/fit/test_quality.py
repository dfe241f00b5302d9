"""What quantizations cost against what parameters bring."""

from __future__ import annotations

import pytest

from desktop.fit.quality import (
    TABLES,
    effective_parameters,
    is_good,
    quantization_loss,
    text_loss,
)

LADDER = ("Q2_K", "IQ3_XXS", "Q3_K_M", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")


def loss(quantization: str) -> float:
    found = quantization_loss(quantization)
    assert found is not None
    return found


def test_more_bits_lose_less() -> None:
    losses = [loss(name) for name in LADDER]
    assert losses == sorted(losses, reverse=True)
    assert loss("F16") == 0.0


def test_four_bits_are_good_and_three_are_not() -> None:
    assert [name for name in LADDER if is_good(name)] == list(LADDER[3:])
    assert is_good("IQ4_XS")
    assert is_good("UD-Q4_K_XL")
    assert not is_good("UD-Q2_K_XL")


def test_what_nobody_measured_is_not_good() -> None:
    assert quantization_loss("MXFP4") is None
    assert not is_good("MXFP4")
    assert not is_good("")


def test_every_table_has_its_own_base() -> None:
    for table in TABLES:
        assert table["F16"] <= min(value for name, value in table.items() if name != "Q8_0") * 1.001


@pytest.mark.parametrize("billions", [1, 8, 30])
def test_a_half_sized_model_in_four_bits_beats_one_in_two(billions: float) -> None:
    """The rule behind "Q4_K_M before a bigger model at Q2", in figures."""
    small, large = billions * 1e9, 2 * billions * 1e9
    assert text_loss(small) + loss("Q4_K_M") < text_loss(large) + loss("Q2_K")


def test_five_bits_cost_less_than_half_the_parameters_would() -> None:
    assert text_loss(4e9) - text_loss(8e9) > loss("Q4_K_M")


def test_newer_and_denser_models_count_for_more() -> None:
    assert effective_parameters(8, 8, 2026.0) > effective_parameters(8, 8, 2025.0)
    assert effective_parameters(8, 8) == effective_parameters(8, 8, 2020.0)
    assert effective_parameters(30, 3) < effective_parameters(30, 30)
    assert effective_parameters(0, 0) == 1.0
