"""Text that arrives in portions."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest

from desktop.engine.events import Text
from desktop.engine.output.source import Reading, Source, Words


def drive(read: Callable[[Source], Reading[object]], portions: list[str]) -> object:
    """What a reader comes to when the text arrives in these portions."""
    source = Source()
    reading = read(source)
    waiting = iter(portions)
    ended = False
    while True:
        try:
            piece = next(reading)
        except StopIteration as stop:
            return stop.value
        assert piece is None
        portion = next(waiting, None)
        if portion is not None:
            source.add(portion)
        else:
            assert not ended, "asked for more after the end"
            ended = True
            source.end()


def everywhere(read: Callable[[Source], Reading[object]], text: str) -> object:
    """The same for every way to cut a short text."""
    places = range(1, len(text))
    results = []
    for count in range(min(len(text), 3)):
        for cut in itertools.combinations(places, count):
            edges = [0, *cut, len(text)]
            results.append(drive(read, [text[a:b] for a, b in itertools.pairwise(edges)]))
    assert all(found == results[0] for found in results)
    return results[0] if results else drive(read, [])


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("ab<x>cd", ("<x>",), [("ab", "<x>"), ("cd", "")]),
        ("a<<x>", ("<x>",), [("a<", "<x>")]),
        ("a<x", ("<x>",), [("a<x", "")]),
        ("<x><y>", ("<x>", "<y>"), [("", "<x>"), ("", "<y>")]),
        ("abcabd", ("abd", "cab"), [("ab", "cab"), ("d", "")]),
        ("aabx", ("aab", "ab"), [("", "aab"), ("x", "")]),
        ("ab", ("ab", "abc"), [("", "ab")]),
    ],
)
def test_words_in_text(text: str, words: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    def read(source: Source) -> Reading[object]:
        seen: list[tuple[str, str]] = []
        before = ""
        while True:
            portion, word = yield from source.take_until(Words(words))
            before += portion
            if word:
                yield from source.take(word)
                seen.append((before, word))
                before = ""
            elif not portion:
                break
        return [*seen, *([(before, "")] if before else [])]

    assert everywhere(read, text) == found


@pytest.mark.parametrize(
    ("text", "taken"), [("abc", "abc"), ("abd", "ab"), ("ab", "ab"), ("xab", ""), ("", "")]
)
def test_the_longest_word_counts(text: str, taken: str) -> None:
    assert everywhere(lambda source: source.take_any({"ab", "abc", "b"}), text) == taken


def test_words_in_their_order_each_of_them_optional() -> None:
    def read(source: Source) -> Reading[object]:
        found = yield from source.take_words(("<a>", "<b>", "<c>"))
        return found, (yield from source.space()), (yield from source.peek())

    assert everywhere(read, "<a>\n<c> x") == (2, " ", "x")
    assert everywhere(read, " y") == (0, " ", "y")


def test_going_back_and_forgetting() -> None:
    def read(source: Source) -> Reading[object]:
        place = source.place
        yield from source.take("abc")
        source.back(place)
        again = yield from source.take("ab")
        return again, source.since(place), (yield from source.peek())

    assert everywhere(read, "abcd") == (True, "ab", "c")
    source = Source()
    source.add("x" * 10_000 + "y")
    source.take_scanned(10_000)
    source.cut()
    assert (source.unread, source.place) == ("y", 10_000)
    with pytest.raises(AssertionError):
        source.back(0)


def test_a_piece_goes_out_before_more_text_is_asked_for() -> None:
    def read(source: Source) -> Reading[None]:
        yield Text("1", "now")
        yield from source.more()

    reading = read(Source())
    assert next(reading) == Text("1", "now")
    assert next(reading) is None


def test_long_text_is_read_in_time_that_grows_with_it() -> None:
    dice = random.Random(1)
    text = "".join(dice.choice("abcdefg <") for _ in range(200_000))

    def read(source: Source) -> Reading[object]:
        count = 0
        while True:
            portion, word = yield from source.take_until(Words(("<a", "<b")))
            if word:
                count += 1
                yield from source.take(word)
                source.cut()
            elif not portion:
                return count

    whole = drive(read, [text])
    assert whole == drive(read, [text[n : n + 7] for n in range(0, len(text), 7)])
    assert whole == text.count("<a") + text.count("<b")
