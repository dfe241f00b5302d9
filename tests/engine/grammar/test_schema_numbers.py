"""Numbers between bounds, digit by digit: against arithmetic."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import pytest

from desktop.engine.grammar.automaton import Automaton
from desktop.engine.grammar.gbnf import parse
from desktop.engine.grammar.grammar_graph import Graph
from desktop.engine.grammar.schema_numbers import Bounds, decimal_number, multiples, whole_number


def matcher(body: str) -> Callable[[str], bool]:
    made = Automaton(Graph(parse(f"root ::= {body}"), "root"))

    def check(text: str) -> bool:
        made.rest()
        state = made.walk(made.start, text.encode())
        return state is not None and state.complete

    return check


def inside(bounds: Bounds, value: Decimal) -> bool:
    if bounds.low is not None and (value < bounds.low or (bounds.low_open and value == bounds.low)):
        return False
    return bounds.high is None or (
        value < bounds.high or (value == bounds.high and not bounds.high_open)
    )


def random_bounds(dice: random.Random, places: int) -> Bounds:
    def end() -> Decimal | None:
        if dice.random() < 0.2:
            return None
        digits = dice.choice([1, 10, 100, 1000, 10**6])
        return Decimal(dice.randint(-digits, digits)).scaleb(-dice.randint(0, places))

    return Bounds(end(), end(), dice.random() < 0.3, dice.random() < 0.3)


def tries(dice: random.Random, bounds: Bounds, places: int) -> list[Decimal]:
    """Values around the ends and all over the place."""
    found = [Decimal(0)]
    for value in (bounds.low, bounds.high):
        for step in (0, 1, 5, 10, 99):
            if value is not None:
                found += [value + Decimal(step) / 10**places, value - Decimal(step) / 10**places]
    spread = [Decimal(dice.randint(-2000, 2000)) / 10 ** dice.randint(0, places) for _ in range(40)]
    return [value for value in found + spread if abs(value) < 10**15]


@pytest.mark.parametrize("seed", range(60))
def test_whole_numbers_between_bounds(seed: int) -> None:
    dice = random.Random(seed)
    bounds = random_bounds(dice, 1)
    text = whole_number(bounds)
    values = [int(value) for value in tries(dice, bounds, 0)]
    good = [value for value in values if inside(bounds, Decimal(value))]
    if not text:
        assert good == []
        return
    check = matcher(text)
    for value in values:
        assert check(str(value)) == inside(bounds, Decimal(value)), (bounds, value, text)
    assert not check("007")
    assert not check("1.5")


@pytest.mark.parametrize("seed", range(150))
def test_decimals_between_bounds(seed: int) -> None:
    dice = random.Random(seed)
    places = dice.randint(0, 4)
    bounds = random_bounds(dice, places)
    most_places = dice.choice([places + 2, 16])
    text = decimal_number(bounds, most_places)
    values = tries(dice, bounds, most_places if most_places < 16 else places + 2)
    if not text:
        assert not any(inside(bounds, value) for value in values)
        return
    check = matcher(text)
    for value in values:
        plain = format(value, "f")
        if -value.as_tuple().exponent > most_places:  # type: ignore[operator]
            continue
        for shown in {plain, plain.rstrip("0").rstrip(".") if "." in plain else plain}:
            if shown == "-0":
                continue
            assert check(shown) == inside(bounds, value), (bounds, shown, text)
    assert not check("01")
    assert not check(".5")


def test_numbers_without_bounds() -> None:
    check = matcher(decimal_number(Bounds()))
    for text in ("0", "-0.5", "12e5", "1.25E-10", "9999999999999999"):
        assert check(text), text
    for text in ("", "-", "01", "1.", "1e", "+1", "0x1", "1e999"):
        assert not check(text), text


def test_no_minus_zero_where_zero_is_out() -> None:
    below = matcher(decimal_number(Bounds(Decimal(-1), Decimal(0), high_open=True)))
    assert below("-0.5")
    assert not below("-0")
    assert not below("-0.0")
    assert not below("0")
    above = matcher(decimal_number(Bounds(Decimal(0), Decimal(1), low_open=True)))
    assert above("0.001")
    assert not above("0")
    assert not above("0.0")
    assert not above("-0")


def test_multiples_are_listed_where_they_are_few() -> None:
    assert multiples(Bounds(Decimal(-10), Decimal(10)), 5, 100) == [-10, -5, 0, 5, 10]
    assert multiples(Bounds(Decimal(1), Decimal(4)), 5, 100) == []
    assert multiples(Bounds(Decimal(0), Decimal(10**6)), 5, 100) is None
    assert multiples(Bounds(Decimal(0)), 5, 100) is None
