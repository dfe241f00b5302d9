"""Guesses by looking back: the continuation of the last like place, in tokens of any kind."""

from __future__ import annotations

import random

import pytest

from desktop.engine.guessing.prompt_lookup import LONG, MIDDLE, SHORT, PromptLookup
from desktop.engine.guessing.proposer import NO_GUESS, Guess, Writer


def _guess(lookup: PromptLookup, tokens: list[int], most: int = 4, sequence: int = 0) -> Guess:
    return lookup.propose([Writer(sequence, "a", tokens[:-1], tokens[-1], most)])[0]


def _fresh(tokens: list[int], most: int = 4, vocab_size: int = 300_000) -> Guess:
    lookup = PromptLookup(vocab_size)
    lookup.begin(0, tokens[:-1])
    return _guess(lookup, tokens, most)


def test_the_continuation_of_the_same_place_is_guessed() -> None:
    assert list(_fresh([1, 2, 3, 4, 5, 6, 9, 1, 2, 3], 3).tokens) == [4, 5, 6]


def test_nothing_is_guessed_where_nothing_was_alike() -> None:
    assert _fresh([1, 2, 3, 4, 5, 6, 7]) == NO_GUESS
    assert _fresh([5, 5]) == NO_GUESS
    assert _fresh([7]) == NO_GUESS


def test_two_like_tokens_are_not_enough() -> None:
    assert _fresh([1, 2, 3, 9, 8, 2, 3]) == NO_GUESS


def test_a_text_that_repeats_itself_is_continued_beyond_its_end() -> None:
    assert list(_fresh([1, 2, 3, 1, 2, 3, 1], 7).tokens) == [2, 3, 1, 2, 3, 1, 2]
    assert list(_fresh([8, 8, 8, 8, 8], 5).tokens) == [8] * 5


def test_of_several_places_the_most_alike_counts() -> None:
    alike = [10, 11, 12, 1, 2, 3]
    text = [*alike, 50, 0, 20, 1, 2, 3, 60, 0, *alike]
    assert list(_fresh(text, 1).tokens) == [50]


def test_the_last_of_equal_places_counts() -> None:
    assert list(_fresh([1, 2, 3, 50, 0, 9, 1, 2, 3, 60, 0, 8, 1, 2, 3], 1).tokens) == [60]


@pytest.mark.parametrize(("alike", "kind"), [(3, SHORT), (7, SHORT), (8, MIDDLE), (16, LONG)])
def test_the_kind_says_how_much_was_alike(alike: int, kind: int) -> None:
    same = list(range(100, 100 + alike))
    assert _fresh([1, *same, 40, 41, 2, *same]).kind == kind


def test_a_place_once_found_is_followed_without_searching() -> None:
    """The nearest like place would say otherwise: the longer one is kept as long as it holds."""
    long = list(range(10, 40))
    lookup = PromptLookup(1000)
    text = [*long, 0, 12, 13, 14, 99, 0, *long[:4]]
    lookup.begin(0, text[:-1])
    assert list(_guess(lookup, text, 2).tokens) == [14, 15]
    text += [14, 15, 16]
    assert list(_guess(lookup, text, 3).tokens) == [17, 18, 19]


def test_a_place_that_led_astray_is_left() -> None:
    lookup = PromptLookup(1000)
    text = [1, 2, 3, 4, 5, 6, 1, 2, 3]
    lookup.begin(0, text[:-1])
    assert list(_guess(lookup, text, 1).tokens) == [4]
    text += [9]
    assert _guess(lookup, text) == NO_GUESS


def test_tokens_of_every_size_stay_what_they_are() -> None:
    """Characters of surrogates and of the last plane are tokens like others."""
    tokens = [0xD800, 0xDFFF, 262_143, 0x10FFFE, 65, 7, 0xD800, 0xDFFF, 262_143]
    assert list(_fresh(tokens, 2, vocab_size=0x10FFFF).tokens) == [0x10FFFE, 65]


def test_pictures_are_never_guessed() -> None:
    text = [1, 2, 3, 4, -77, -78, 5, 1, 2, 3]
    assert list(_fresh(text, 4).tokens) == [4]
    assert list(_fresh([1, 2, 3, -5, -6, 1, 2, 3], 4).tokens) == []


def test_sequences_do_not_mix() -> None:
    lookup = PromptLookup(1000)
    first, second = [1, 2, 3, 4, 1, 2, 3], [1, 2, 3, 7, 1, 2, 3]
    for sequence, text in enumerate((first, second)):
        lookup.begin(sequence, text[:-1])
    assert list(_guess(lookup, second, 1, sequence=1).tokens) == [7]
    assert list(_guess(lookup, first, 1, sequence=0).tokens) == [4]


def test_a_sequence_that_begins_anew_forgets() -> None:
    lookup = PromptLookup(1000)
    lookup.begin(0, [1, 2, 3, 4, 1, 2])
    lookup.forget(0)
    assert _guess(lookup, [1, 2, 3]) == NO_GUESS
    lookup.begin(0, [5, 6])
    assert _guess(lookup, [5, 6, 3]) == NO_GUESS


def test_a_step_that_was_in_vain_changes_nothing() -> None:
    lookup = PromptLookup(1000)
    text = [1, 2, 3, 4, 5, 1, 2, 3]
    lookup.begin(0, text[:-1])
    assert _guess(lookup, text) == _guess(lookup, text)


def test_no_room_no_guess_and_still_up_to_date() -> None:
    lookup = PromptLookup(1000)
    text = [1, 2, 3, 4, 5, 1, 2]
    lookup.begin(0, text[:-1])
    assert _guess(lookup, text, 0) == NO_GUESS
    assert list(_guess(lookup, [*text, 3], 2).tokens) == [4, 5]


def test_what_is_known_is_the_text_whatever_happened_before() -> None:
    """Random texts, grown by random steps, against a look back written down plainly."""
    source = random.Random(5)
    for _ in range(300):
        lookup = PromptLookup(1000)
        text = [source.randrange(4) for _ in range(source.randrange(1, 30))]
        lookup.begin(0, text[:-1])
        for _ in range(8):
            found = _guess(lookup, list(text), 6)
            if found.tokens:
                _assert_follows_a_like_place(text, list(found.tokens))
            else:
                assert not _like_places(text)
            text += [source.randrange(4) for _ in range(source.randrange(1, 5))]
            if source.random() < 0.2 and len(text) > 4:
                del text[-3:]  # taken back
                lookup.begin(0, text[:-1])


def _like_places(text: list[int]) -> list[int]:
    end = text[-3:]
    return [n for n in range(3, len(text)) if len(end) == 3 and text[n - 3 : n] == end]


def _assert_follows_a_like_place(text: list[int], guess: list[int]) -> None:
    for place in _like_places(text):
        longer = text + guess
        if longer[place : place + len(guess)] == guess:
            return
    raise AssertionError((text, guess))
