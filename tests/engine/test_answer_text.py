"""No half characters, no half stop strings."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from desktop.engine.answer_text import AnswerText


def _feed(answer: AnswerText, pieces: list[bytes]) -> list[str]:
    shown = []
    for piece in pieces:
        shown.append(answer.feed(piece))
        if answer.stopped:
            break
    return [*shown, answer.finish()]


def _cut(raw: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({place % (len(raw) + 1) for place in places} | {0, len(raw)})
    return [raw[a:b] for a, b in itertools.pairwise(marks)]


@given(st.text(), st.lists(st.integers(0, 1000)))
def test_any_text_cut_anywhere_comes_out_whole(text: str, places: list[int]) -> None:
    shown = _feed(AnswerText(), _cut(text.encode(), places))
    assert "".join(shown) == text
    assert all("\ufffd" not in part for part in shown) or "\ufffd" in text


@given(st.binary(max_size=40), st.lists(st.integers(0, 1000)))
def test_broken_utf8_never_raises_and_loses_nothing_valid(raw: bytes, places: list[int]) -> None:
    shown = "".join(_feed(AnswerText(), _cut(raw, places)))
    assert shown == raw.decode("utf-8", "replace")


@given(
    st.text("abcä🦊", max_size=30),
    st.lists(st.text("abcä🦊", min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(st.integers(0, 1000)),
)
def test_the_first_stop_string_ends_the_text_wherever_it_is_cut(
    text: str, stops: list[str], places: list[int]
) -> None:
    answer = AnswerText(stops)
    shown = "".join(_feed(answer, _cut(text.encode(), places)))
    found = [text.index(stop) for stop in stops if stop in text]
    assert answer.stopped == bool(found)
    if found:
        # Fed in pieces, a stop string that ends earlier is seen before one that begins earlier.
        assert text.startswith(shown)
        assert not any(stop in shown for stop in stops)
        assert any(text[len(shown) :].startswith(stop) for stop in stops)
    else:
        assert shown == text


def test_what_might_become_a_stop_string_is_held_and_then_released() -> None:
    answer = AnswerText(["STOP"])
    assert answer.feed(b"a ST") == "a "
    assert answer.feed("Ö".encode()) == "STÖ"
    assert answer.feed(b"STOP and more") == ""
    assert answer.stopped
    assert answer.feed(b"nothing") == ""
    assert answer.finish() == ""


def test_a_held_beginning_comes_out_at_the_end() -> None:
    answer = AnswerText(["STOP"])
    assert answer.feed(b"a STO") == "a "
    assert answer.finish() == "STO"


def test_a_character_cut_in_half_is_marked_at_the_end() -> None:
    answer = AnswerText()
    assert answer.feed("ä".encode()[:1]) == ""
    assert answer.finish() == "\ufffd"
