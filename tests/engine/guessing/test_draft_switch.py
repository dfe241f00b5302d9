"""When guesses pay: machines and texts made up, with their gain known."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from desktop.engine.guessing.draft_switch import DraftSwitch, StepTimes, Wanted

KIND = 0


def _on_a_graphics_card(tokens: int) -> float:
    """Reading the weights takes the time: more tokens cost little."""
    return 0.010 + 0.0002 * tokens


def _on_a_processor(tokens: int) -> float:
    """Computing takes it: eight tokens four times as long as one."""
    return 0.006 + 0.0045 * tokens


class _Text:
    """An answer each of whose tokens is guessed right with `chance`."""

    def __init__(self, chance: float, seconds: Callable[[int], float], seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.chance = chance
        self.seconds = seconds
        self.switch = DraftSwitch(16, {KIND: 0.7})
        self.tokens, self.time_s, self.drafted = 0, 0.0, 0

    def write(self, steps: int, sequences: int = 1, length: int = 16) -> None:
        for _ in range(steps):
            wanted = [Wanted(n, KIND, length) for n in range(sequences)]
            counts = self.switch.counts(wanted, sequences, reading=False)
            took = self.seconds(sequences + sum(counts)) * self.random.uniform(0.97, 1.03)
            self.switch.times.measured(sequences + sum(counts), took)
            self.time_s += took
            for sequence, count in enumerate(counts):
                held = 0
                while held < count and self.random.random() < self.chance:
                    held += 1
                self.switch.judged(sequence, KIND, count, held)
                self.tokens += 1 + held
                self.drafted += count

    def gain(self) -> float:
        """Against plain steps of one sequence."""
        return self.tokens / self.time_s * self.seconds(1)


def test_a_text_that_is_copied_is_written_much_faster() -> None:
    text = _Text(0.97, _on_a_graphics_card)
    text.write(400)
    assert text.gain() > 8


def test_on_a_processor_it_pays_where_nearly_all_holds() -> None:
    text = _Text(0.95, _on_a_processor)
    text.write(400)
    assert text.gain() > 1.3


@pytest.mark.parametrize("seconds", [_on_a_graphics_card, _on_a_processor])
def test_guesses_that_never_hold_cost_next_to_nothing(seconds: Callable[[int], float]) -> None:
    text = _Text(0.0, seconds)
    text.write(2000)
    assert text.gain() > 0.985


def test_what_pays_on_a_card_is_off_on_a_processor() -> None:
    on_card, on_processor = _Text(0.5, _on_a_graphics_card), _Text(0.5, _on_a_processor)
    for text in (on_card, on_processor):
        text.write(1500)
    assert on_card.gain() > 1.5
    assert on_processor.gain() > 0.97
    assert on_processor.drafted < 0.1 * on_card.drafted


@pytest.mark.parametrize("chance", [0.3, 0.6, 0.8, 0.9, 0.99])
@pytest.mark.parametrize("seconds", [_on_a_graphics_card, _on_a_processor])
def test_it_comes_near_the_best_count(chance: float, seconds: Callable[[int], float]) -> None:
    def rate(count: int) -> float:
        return sum(chance**n for n in range(count + 1)) / seconds(1 + count)

    best = max(rate(count) for count in range(17)) * seconds(1)
    text = _Text(chance, seconds)
    text.write(3000)
    assert text.gain() > 0.9 * best


def test_with_many_sequences_it_is_off() -> None:
    """A step that computes for eight already has nothing to give away."""
    text = _Text(0.6, _on_a_processor)
    text.write(300, sequences=8)
    assert text.drafted < 0.05 * text.tokens


def test_where_nothing_can_pay_nobody_needs_to_look() -> None:
    switch = DraftSwitch(16, {KIND: 0.9})
    assert switch.may_pay(8)  # nothing is known yet
    for tokens in (1, 8, 9, 10, 12, 16, 24):
        switch.times.measured(tokens, 0.01 * tokens)
    for _ in range(40):
        switch.times.measured(8, 0.08)
    assert not switch.may_pay(8)
    assert switch.may_pay(2)
    for _ in range(40):
        for tokens in (9, 10, 12, 16, 24):
            switch.times.measured(tokens, 0.08)
    assert switch.may_pay(8)


def test_together_they_never_exceed_the_limit() -> None:
    switch = DraftSwitch(5, {KIND: 0.95})
    for tokens in (3, 8):
        switch.times.measured(tokens, 0.01)
    wanted = [Wanted(n, KIND, 4) for n in range(3)]
    for reading in (False, True):
        counts = switch.counts(wanted, 3, reading=reading)
        assert sum(counts) == 5
        assert max(counts) <= 4


def test_the_likelier_guess_gets_the_tokens() -> None:
    switch = DraftSwitch(4, {0: 0.95, 1: 0.3})
    for tokens in (2, 6):
        switch.times.measured(tokens, 0.01)
    counts = switch.counts([Wanted(0, 1, 4), Wanted(1, 0, 4)], 2, reading=False)
    assert counts[1] >= 3


def test_a_text_that_turns_into_a_copy_is_noticed() -> None:
    text = _Text(0.0, _on_a_graphics_card)
    text.write(300)
    text.chance, text.tokens, text.time_s = 0.98, 0, 0.0
    text.write(400)
    assert text.gain() > 3


def test_a_copy_that_ends_is_noticed() -> None:
    text = _Text(0.98, _on_a_processor)
    text.write(300)
    text.chance, text.tokens, text.time_s = 0.0, 0, 0.0
    text.write(400)
    assert text.gain() > 0.95


def test_a_guess_that_costs_as_much_as_a_step_is_not_made() -> None:
    switch = DraftSwitch(8, {KIND: 0.9})
    for tokens in (1, 9):
        switch.times.measured(tokens, 0.01)
    free = switch.counts([Wanted(0, KIND, 8)], 1, reading=False)
    switch.forget(0)
    dear = switch.counts([Wanted(1, KIND, 8, cost_s=0.01)], 1, reading=False)
    assert free[0] >= 4
    assert dear[0] <= 2  # a first try at most


def test_beside_a_prompt_only_what_is_likely_is_judged() -> None:
    switch = DraftSwitch(16, {0: 0.95, 1: 0.2})
    assert switch.counts([Wanted(0, 0, 16), Wanted(1, 1, 16)], 2, reading=True) == [16, 0]


def test_nothing_is_judged_before_a_plain_step_was_measured() -> None:
    switch = DraftSwitch(16, {KIND: 0.95})
    assert switch.counts([Wanted(0, KIND, 16)], 1, reading=False) == [0]


def test_steps_in_between_are_interpolated() -> None:
    times = StepTimes()
    times.measured(1, 0.010)
    times.measured(8, 0.017)
    table = times.table(8)
    assert table[1] == pytest.approx(0.010)
    assert table[4] == pytest.approx(0.013)
    assert table[8] == pytest.approx(0.017)


def test_one_slow_step_is_not_believed_at_once() -> None:
    times = StepTimes()
    for _ in range(20):
        times.measured(1, 0.010)
    times.measured(1, 1.0)
    assert times.table(1)[1] < 0.014


def test_times_grow_old() -> None:
    times = StepTimes()
    times.measured(9, 5.0)
    for _ in range(1100):
        times.measured(1, 0.010)
    assert not times.is_fresh(9)
    assert times.table(9)[9] < 0.1
